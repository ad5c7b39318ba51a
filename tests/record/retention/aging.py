"""A record in which mail has come of age, copies of it, and a recorder that is killed at a chosen call of its disk."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from muniment.record.home import Home
from muniment.record.opening import OpenRecord
from muniment.record.retention.book import Certificate, read_book
from tests.record.faulty import FaultyDisk
from tests.record.recording import Clock, mail, make_home, recording

FIVE_YEARS = 5 * 365 + 1  # one leap day lies between


def aged_home(folder: Path) -> tuple[Home, Clock]:
    """Return a home with mail 0 to 4, due today, and mail 5 to 7, due tomorrow."""
    home, clock = make_home(folder), Clock()
    with recording(home, clock) as record:
        record.append([mail(n) for n in range(5)])
    clock.advance(days=1)
    with recording(home, clock) as record:
        record.append([mail(n) for n in range(5, 8)])
    clock.advance(days=FIVE_YEARS - 1)
    return home, clock


def copy_of(home: Home, folder: Path) -> Home:
    shutil.copytree(home.path, folder)
    return Home(folder)


class DeadlyDisk(FaultyDisk):
    """Kills its process at the `at`-th call, before or after the call did its work."""

    def is_due(self, kind: str, path: Path) -> bool:
        due = super().is_due(kind, path)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)
        return due


def killed_at(home: Home, clock: Clock, at: int, act: Callable[[OpenRecord], object]) -> bool:
    """Do something in a process that is killed at a call of its disk; tell whether it came so far."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with recording(home, clock, DeadlyDisk(at=at)) as record:
                act(record)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0, "the process failed before it was killed"
    return os.WIFSIGNALED(status)


def certificates(home: Home) -> list[Certificate]:
    return read_book(home).certificates
