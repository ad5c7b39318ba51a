"""Proving a record again: `muniment verify` with and without the comparison of the catalogue."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.record.recording import SECRET

from benchmarks.harness import Figure, Options, compared, scratch, side_by_side
from benchmarks.homes import make_large_home
from muniment.policy.policyfile import load
from muniment.record.checks import check_checkpoint
from muniment.record.comparison import compare_catalogue
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.ledger.vkey import parse_vkey
from muniment.record.opening import VKEY_FILE, origin_of
from muniment.record.verify import verify

LEAVES = 400_000


def measure(options: Options) -> Iterator[Figure]:
    """Yield the figures: all of it, and the segments, the tree, the tiles and the checkpoint alone."""
    with scratch(options) as folder:
        count = min(LEAVES, options.entries)
        home = make_large_home(folder, count)
        results = side_by_side(
            options,
            {"all": lambda _: prove(home, whole=True), "ledger": lambda _: prove(home, whole=False)},
        )
        note = f"a record of {count:,} small entries; as `muniment verify` does it"
        for name, rounds in results.items():
            yield compared(
                {name: rounds}, name=f"verified, {MEANING[name]}", unit="leaves/s", target=100_000, note=note
            )


MEANING = {
    "all": "with every catalogue line opened and compared",
    "ledger": "segments, leaves, tree, tiles and checkpoint",
}


def prove(home: Home, *, whole: bool) -> float:
    """Return the leaves a second that are proved, and find nothing wrong."""
    started = time.perf_counter()
    origin = origin_of(load(home.policy_file))
    checks = [check_checkpoint(origin, [parse_vkey((home.ledger / VKEY_FILE).read_text().strip())])]
    if whole:
        checks.append(compare_catalogue(home, Keeper.load(home, SECRET, Disk())))
    report = verify(home, origin, checks)
    seconds = time.perf_counter() - started
    assert report.is_whole, report.findings
    return report.leaves / seconds
