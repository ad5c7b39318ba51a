"""Mail over the wire from Postfix's `smtp-source`, 50 sessions, 4 KB: recorded only, and passed on to a next hop.

Beside the gateway, the same command is run against Postfix's `smtp-sink`, which throws everything away, and against
aiosmtpd's `Sink` handler. Neither records anything: they are the ceiling of the generator and the usual Python server.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from tests.organisation import TUTOR
from tests.serve.house import house
from tests.serve.ports import free_port

from benchmarks.harness import Contestant, Figure, Options, compared, rate, side_by_side

SESSIONS = 50
BYTES = 4096
SECONDS = 300.0
OUTSIDE = "someone@outside.example"
NOTE = f"smtp-source, {SESSIONS} sessions, bodies of {BYTES} bytes that compress to almost nothing"


def measure_recording(options: Options) -> Iterator[Figure]:
    """Yield the figures of the journal's door: recorded, then 250."""
    yield from _measure(options, "recorded from SMTP", "journal", 3_000)


def measure_pass_through(options: Options) -> Iterator[Figure]:
    """Yield the figures of the inside door: stamped, recorded, passed to `smtp-sink`, whose 250 passes back."""
    yield from _measure(options, "passed on over SMTP", "inside", 1_000)


def _measure(options: Options, what: str, door: str, target: float) -> Iterator[Figure]:
    for stays, how in ((True, "sessions stay"), (False, "a new session for each message")):
        contestants: dict[str, Contestant] = {
            "muniment": partial(through_gateway, options.messages, door=door, stays=stays),
            "Postfix smtp-sink": partial(into_sink, options.messages, stays=stays),
            "aiosmtpd, Sink handler": partial(into_aiosmtpd, options.messages, stays=stays),
        }
        yield compared(
            side_by_side(options, contestants),
            name=f"{what}, {how}",
            unit="messages/s",
            target=target if stays else None,
            note=NOTE,
        )


def through_gateway(count: int, folder: Path, *, door: str, stays: bool) -> float:
    """Return the messages a second that real processes record; the record is proved afterwards."""
    port = free_port()
    with (
        smtp_sink(port),
        house(folder, "recorder", "gateway", gateway__outbound_hop=f"127.0.0.1:{port}") as found,
    ):
        result = send(count, found.ports[door], stays=stays)
        assert found.counter("recorded") == count
        assert door == "journal" or found.counter("accepted") == count
    return result


def into_sink(count: int, _folder: Path, *, stays: bool) -> float:
    """Return the messages a second that `smtp-sink` throws away."""
    port = free_port()
    with smtp_sink(port):
        return send(count, port, stays=stays)


def into_aiosmtpd(count: int, _folder: Path, *, stays: bool) -> float:
    """Return the messages a second that aiosmtpd's Sink handler throws away."""
    port = free_port()
    listen = ["-n", "-c", "aiosmtpd.handlers.Sink", "-l", f"127.0.0.1:{port}"]
    with server([sys.executable, "-m", "aiosmtpd", *listen], port):
        return send(count, port, stays=stays)


def send(count: int, port: int, *, stays: bool) -> float:
    """Return the messages a second that `smtp-source` got rid of; it fails when one of them is refused."""
    command = ["smtp-source", "-s", str(SESSIONS), "-m", str(count), "-l", str(BYTES)]
    command += ["-f", TUTOR.address, "-t", OUTSIDE, *(["-d"] if stays else []), f"inet:127.0.0.1:{port}"]
    return rate(count, lambda: subprocess.run(command, check=True, timeout=SECONDS))


def smtp_sink(port: int) -> AbstractContextManager[None]:
    """Run Postfix's sink on a port of this machine; it refuses to run as root."""
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    return server(["smtp-sink", *user, f"127.0.0.1:{port}", "1024"], port)


@contextmanager
def server(command: Sequence[str], port: int) -> Iterator[None]:
    """Run a server until the block ends."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _await_port(process, port)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not listen on port {port}; exit code {process.poll()}")
