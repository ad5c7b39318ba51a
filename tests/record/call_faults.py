"""System calls of a real process fail, or kill it: `python -m tests.record.call_faults` goes on until a time is over.

strace comes to the process before it opens the record and fails the n-th call of a kind, or every call from the n-th
on, or kills the process as it makes it. Afterwards the record is opened again, compared with what was acknowledged,
and proved. SOAK_MINUTES (30) and SOAK_SEED say how long and which.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from muniment.record.home import Home
from tests.record.appending import BATCHES
from tests.record.kills import Load
from tests.record.recording import Clock, check_record, contents, make_home, message, recording

CALLS = (
    "writev",
    "write",
    "pwrite64",
    "fdatasync",
    "fsync",
    "rename",
    "link",
    "openat",
    "unlink",
    "ftruncate",
)
EFFECTS = ("error=EIO", "error=ENOSPC", "signal=KILL")
_LAST_CALL = 40


class CallFault(NamedTuple):
    """The n-th call of a kind, and what happens to it; with `lasts` to every later one as well."""

    call: str
    effect: str
    at: int
    lasts: bool = False

    @property
    def expression(self) -> str:
        """Return it as strace writes it."""
        return f"inject={self.call}:{self.effect}:when={self.at}{'+' if self.lasts else ''}"


class Outcome(NamedTuple):
    """What came of it: whether the call was reached, and how many messages were acknowledged."""

    is_reached: bool
    acknowledged: int


class Target:
    """One record that goes through one failure after the other."""

    def __init__(self, folder: Path) -> None:
        self.home: Home = make_home(folder)
        self._trace = folder / "trace"
        self._number = 0
        self.acknowledged: set[int] = set()

    def break_with(self, fault: CallFault) -> Outcome:
        """Run a process with one failure, then prove that nothing it acknowledged is lost."""
        told = self._run(fault)
        fresh = {int(line) for line in told.splitlines(keepends=True) if line.endswith(b"\n")}
        self.acknowledged |= fresh
        with recording(self.home, Clock()):
            pass
        found = set(contents(self.home).values())
        assert [n for n in self.acknowledged if message(n) not in found] == [], fault
        check_record(self.home)
        return Outcome(b"(INJECTED)" in self._trace.read_bytes(), len(fresh))

    def _run(self, fault: CallFault) -> bytes:
        first, self._number = self._number, self._number + 2 * BATCHES
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.record.appending", str(self.home.path), str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with subprocess.Popen(
            [
                "strace",
                "-e",
                f"trace={fault.call}",
                "-e",
                fault.expression,
                "-o",
                self._trace,
                "-p",
                str(process.pid),
            ],
            stderr=subprocess.PIPE,
        ) as tracer:
            assert tracer.stderr is not None
            assert b"attached" in tracer.stderr.readline()
            told, _ = process.communicate(b"\n", timeout=60)
            tracer.wait(20)
        return told


def chosen() -> Iterator[CallFault]:
    """Yield the failures of every run of the suite: each call and effect once, at places that differ."""
    for number, call in enumerate(CALLS):
        for turn, effect in enumerate(EFFECTS):
            yield CallFault(call, effect, 1 + (3 * number + 5 * turn) % 4, lasts=effect == "error=ENOSPC")


def main() -> int:
    """Break calls at random, and kill recorders under load, until the time is over."""
    seconds = 60 * float(os.environ.get("SOAK_MINUTES", "30"))
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}, {seconds / 60:g} minutes", flush=True)
    chance, end = random.Random(seed), time.monotonic() + seconds
    counts: Counter[str] = Counter()
    while time.monotonic() < end:
        with tempfile.TemporaryDirectory(prefix="muniment-soak-") as name:
            target, load = Target(Path(name) / "calls"), Load(Path(name) / "load", chance)
            for _ in range(12):
                fault = CallFault(
                    chance.choice(CALLS),
                    chance.choice(EFFECTS),
                    chance.randint(1, _LAST_CALL),
                    chance.random() < 0.3,
                )
                outcome = target.break_with(fault)
                counts["calls broken"] += outcome.is_reached
                counts["messages acknowledged"] += outcome.acknowledged
                if time.monotonic() > end:
                    break
            for _ in range(4):
                counts["messages acknowledged"] += load.kill_once()
                counts["recorders killed"] += 1
        print(dict(counts), flush=True)
    print(f"seed {seed}: {dict(counts)}, nothing lost")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
