"""Measuring side by side: every contestant runs once in every round, so that all share the machine's noise.

A figure is the median of its rounds; the ratio to a peer is the ratio of the medians.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for; `folder` lies on the disk that is measured."""

    folder: Path
    rounds: int
    messages: int
    entries: int
    mail: Path | None


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """Something else that was given the same input; `rounds` is empty for a figure its makers publish."""

    name: str
    value: float
    rounds: list[float] = []


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One result; a `limit` is met from below, a target from above."""

    name: str
    unit: str
    value: float
    rounds: list[float] = []
    target: float | None = None
    is_limit: bool = False
    peers: list[Peer] = []
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Tell whether the target is met; None when there is none."""
        if self.target is None:
            return None
        return self.value <= self.target if self.is_limit else self.value >= self.target


Contestant = Callable[[Path], float]
"""Does its work once in an empty folder and returns the result, mostly a rate."""


def side_by_side(options: Options, contestants: Mapping[str, Contestant]) -> dict[str, list[float]]:
    """Return the results of every contestant, after one round that only warms up."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(options.rounds + 1):
        for name, contestant in contestants.items():
            say(f"  {name}: {f'round {number} of {options.rounds}' if number else 'warm-up'}")
            with scratch(options) as folder:
                result = contestant(folder)
            if number:
                found[name].append(result)
    return found


def compared(
    results: Mapping[str, list[float]],
    *,
    name: str,
    unit: str,
    published: Mapping[str, float] | None = None,
    **more: object,
) -> Figure:
    """Return the figure of the first contestant with the others as its peers."""
    (_, own), *others = results.items()
    peers = [Peer(name=peer, value=median(rounds), rounds=rounds) for peer, rounds in others]
    peers += [Peer(name=f"{peer}, as published", value=value) for peer, value in (published or {}).items()]
    return msgspec.convert(
        {"name": name, "unit": unit, "value": median(own), "rounds": own, "peers": peers, **more}, Figure
    )


@contextmanager
def scratch(options: Options) -> Iterator[Path]:
    """Yield an empty folder on the measured disk and remove it."""
    with TemporaryDirectory(prefix="muniment-bench-", dir=options.folder) as folder:
        yield Path(folder)


def rate(count: int, work: Callable[[], object]) -> float:
    """Return how many a second `work` does of `count`."""
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def say(text: str) -> None:
    """Tell whoever waits what is going on."""
    print(text, file=sys.stderr, flush=True)


def tree_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def machine(options: Options) -> dict[str, str]:
    """Return the facts about this machine that figures depend on."""
    kind = subprocess.run(
        ["df", "--output=fstype", options.folder], capture_output=True, text=True, check=True
    ).stdout.split()[-1]
    return {
        "processor": f"{len(os.sched_getaffinity(0))} cores, {_processor()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": f"{kind} at {options.folder}",
        "Python": platform.python_version(),
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(figures: list[Figure]) -> Iterator[str]:
    """Yield the lines of the report: each figure, its target, and its peers with the ratio to them."""
    for figure in figures:
        yield ""
        yield f"{figure.name}: {shown(figure.value)} {figure.unit}{_spread(figure.rounds)}{_verdict(figure)}"
        for peer in figure.peers:
            ratio = figure.value / peer.value if peer.value else float("inf")
            yield f"    {peer.name:<58} {shown(peer.value):>9}  ratio {ratio:.2f}{_spread(peer.rounds)}"
        if figure.note:
            yield f"    {figure.note}"


def _verdict(figure: Figure) -> str:
    if figure.target is None:
        return ""
    bound = "at most" if figure.is_limit else "at least"
    return f"  [target {bound} {shown(figure.target)}: {'met' if figure.is_met else 'NOT MET'}]"


def _spread(rounds: list[float]) -> str:
    return f" ({shown(min(rounds))} to {shown(max(rounds))})" if len(rounds) > 1 else ""


def shown(value: float) -> str:
    """Return a number with as many places as it deserves."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
