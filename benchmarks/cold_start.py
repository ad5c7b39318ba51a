"""How long the recorder takes from nothing until it is ready, on a record of a million entries."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.serve.house import House

from benchmarks.harness import Figure, Options, compared, scratch, side_by_side, tree_bytes
from benchmarks.homes import make_large_home
from muniment.record.home import Home

LIMIT_SECONDS = 2.0


def measure(options: Options) -> Iterator[Figure]:
    """Yield the figure, with the files of the home out of the kernel's cache and in it."""
    with scratch(options) as folder:
        home = make_large_home(folder, options.entries)
        results = side_by_side(
            options,
            {
                "cold": lambda _: seconds_to_ready(home, is_cold=True),
                "warm": lambda _: seconds_to_ready(home, is_cold=False),
            },
        )
        note = f"{options.entries:,} entries, {tree_bytes(home.path):,} bytes; from starting Python to the first answer"
        yield compared(
            {"cold": results["cold"], "the same with the files in the kernel's cache": results["warm"]},
            name="cold start of the recorder",
            unit="s",
            target=LIMIT_SECONDS,
            is_limit=True,
            note=note,
        )


def seconds_to_ready(home: Home, *, is_cold: bool) -> float:
    """Start the recorder's process, wait until it is ready, stop it, and return the seconds it took to be ready."""
    if is_cold:
        forget_files(home.path)
    found = House(home, {})
    started = time.perf_counter()
    found.start("recorder")
    seconds = time.perf_counter() - started
    found.stop()
    return seconds


def forget_files(folder: Path) -> None:
    """Have the kernel drop the cached pages of every file below a folder."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
