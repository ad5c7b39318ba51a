"""Backing up and restoring: the first run, a second one of an unchanged record, the way back; beside restic."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.record.recording import SECRET

from benchmarks.harness import Figure, Options, compared, scratch, tree_bytes
from benchmarks.homes import make_large_home
from muniment.record.backup.restoring import Restore
from muniment.record.backup.run import Run
from muniment.record.backup.standing import StoppedRecord
from muniment.record.backup.target import Directory
from muniment.record.home import Home
from muniment.record.opening import open_record

LEAVES = 200_000
_MEGABYTE = 1_000_000


def measure(options: Options) -> Iterator[Figure]:
    """Yield the figures of one round: each is a whole run, flushed to the disk."""
    with scratch(options) as folder:
        count = min(LEAVES, options.entries)
        home = make_large_home(folder, count)
        target = folder / "backup"
        target.mkdir()
        megabytes = tree_bytes(home.segments) / _MEGABYTE
        with open_record(home, SECRET) as opened:
            source = StoppedRecord(opened)
            first = _seconds(lambda: Run(home, source, Directory(target)).go())
            second = _seconds(lambda: Run(home, source, Directory(target)).go())
        back = _seconds(lambda: _restore(target, folder / "restored"))
        note = f"a record of {count:,} small entries, {megabytes:.0f} MB of segments; one run"
        rates = {"first": [megabytes / first]} | _restic(home, folder, megabytes)
        yield compared(rates, name="backed up, first run", unit="MB/s", target=None, note=note)
        yield compared(
            {"second": [1 / second]}, name="backed up, unchanged", unit="runs/s", target=None, note=note
        )
        yield compared(
            {"back": [megabytes / back]},
            name="restored, rebuilt and verified",
            unit="MB/s",
            target=None,
            note=note,
        )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _restore(target: Path, path: Path) -> None:
    found = Restore(Directory(target), SECRET, Home(path)).go()
    assert found.report.is_whole


def _restic(home: Home, folder: Path, megabytes: float) -> dict[str, list[float]]:
    """Return restic's rate over the same segments, when it is installed."""
    if not shutil.which("restic"):
        return {}
    environment = {**os.environ, "RESTIC_PASSWORD": secrets.token_hex(16), "HOME": str(folder)}
    restic = ["restic", "--no-cache", "-q", "-r", str(folder / "restic")]
    subprocess.run([*restic, "init"], env=environment, check=True, capture_output=True)

    def back_up() -> None:
        subprocess.run(
            [*restic, "backup", str(home.segments)], env=environment, check=True, capture_output=True
        )

    return {"restic": [megabytes / _seconds(back_up)]}
