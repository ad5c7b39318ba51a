"""A scan of up to 1,000,000 entries for a list of terms, in the room's process: how fast, and whether memory grows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from tests.answer.room.granting import HANNAH, grant
from tests.serve.house import House

from benchmarks.harness import Figure, Options, Peer, say, scratch
from benchmarks.rooming import cpu_of, make_mail_home, memory_of, process_of
from muniment.answer.room_client import RoomClient
from muniment.answer.room_values import ScanState
from muniment.answer.rooms import start, stop
from muniment.record.home import Home

TERMS = [
    *(f"term{number}" for number in range(490)),
    "wrong column",
    "thank you",
    "meeting",
    "confidential",
    "bonus",
]


def measure(options: Options) -> Iterator[Figure]:
    """Yield the figures of a scan."""
    with scratch(options) as folder:
        say(f"  a record of {options.entries:,} messages")
        home, size = make_mail_home(folder, options.mail, options.entries)
        found = scan(home, options.entries)
    note = f"{options.entries:,} messages of {size:,} bytes, {len(TERMS)} terms, {found['found']:,.0f} entries found"
    yield Figure(
        name="scan: entries a CPU-second",
        unit="entries/CPU-second",
        value=found["rate"],
        note=f"{note}; {found['wall']:.0f} s, load {os.getloadavg()[0]:.1f}",
    )
    yield Figure(
        name="scan: memory at its end",
        unit="bytes",
        value=found["end"],
        peers=[Peer(name="when a tenth was scanned", value=found["early"])],
        note=f"at most {found['peak']:,.0f}; what lies between is what was found",
    )


def scan(home: Home, count: int) -> dict[str, float]:
    """Scan everything in a room of its own and return what it took."""
    house = House(home, {})
    house.start("recorder")
    try:
        granted = grant(home)
        start(granted.place)
        pid = process_of(granted)
        with RoomClient(granted.place.socket, HANNAH, timeout_seconds=600) as client:
            client.unlock(granted.words)
            while client.state().state != "open":
                time.sleep(0.2)
            client.climb("envelope", "To measure.")
            before, started = cpu_of(pid), time.perf_counter()
            state = client.scan(TERMS, "To measure.")
            early = 0.0
            while not state.is_done:
                time.sleep(0.5)
                state = client.scan(TERMS, "")
                if not early and state.scanned >= count / 10:
                    early = memory_of(pid, "VmRSS")
            found = _found(state, cpu_of(pid) - before, time.perf_counter() - started)
            found |= {"early": early, "end": memory_of(pid, "VmRSS"), "peak": memory_of(pid, "VmHWM")}
        stop(granted.place, HANNAH)
        return found
    finally:
        house.stop()


def _found(state: ScanState, used: float, wall: float) -> dict[str, float]:
    assert state.scanned == state.of
    return {"rate": state.scanned / used, "wall": wall, "found": float(state.found)}
