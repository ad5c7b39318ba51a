"""Turns the ring of a home and is killed at one call to the disk: `python -m … HOME AT before|after`; AT 0 is never."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from muniment.record.home import Home
from muniment.record.keys.turning import turn_ring
from tests.record.faulty import FaultyDisk
from tests.record.recording import mail, recording


class KillingDisk(FaultyDisk):
    """Kills this very process at the `at`-th call, before or after its work, once it is armed."""

    def __init__(self, at: int, *, after: bool) -> None:
        super().__init__("any", at, stored=after)
        self.is_armed = False

    def is_due(self, kind: str, path: Path) -> bool:
        if not self.is_armed:
            return False
        due = super().is_due(kind, path)
        if due and not self.stored:
            os.kill(os.getpid(), signal.SIGKILL)
        return due


def main(home: str, at: str, when: str) -> None:
    disk = KillingDisk(int(at), after=when == "after")
    with recording(Home(Path(home)), disk=disk) as record:
        record.append([mail(1)])
        disk.is_armed = True
        try:
            turn_ring(record)
        except Exception:  # the call did its work, and this process ends as if it never heard of it
            os.kill(os.getpid(), signal.SIGKILL)
        disk.is_armed = False
    print(disk.calls["any"])


if __name__ == "__main__":
    main(*sys.argv[1:])
