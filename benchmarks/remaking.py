"""Making the catalogue again from the segments, and inclusion proofs of any entry."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from tests.record.recording import SECRET

from benchmarks.harness import Figure, Options, compared, scratch, side_by_side
from benchmarks.homes import make_large_home
from muniment.policy.policyfile import load
from muniment.record.home import Home
from muniment.record.ledger.tiles import TileReader
from muniment.record.opening import origin_of
from muniment.record.rebuild import rebuild

ENTRIES = 400_000
PROOFS = 2_000
LIMIT_MS = 5.0


def measure(options: Options) -> Iterator[Figure]:
    """Yield the figures of `muniment rebuild` and of single proofs."""
    with scratch(options) as folder:
        count = min(ENTRIES, options.entries)
        home = make_large_home(folder, count)
        rounds = side_by_side(options, {"rebuild": lambda _: entries_a_second(home)})
        note = f"a record of {count:,} small entries"
        yield compared(rounds, name="catalogue and tiles rebuilt", unit="entries/s", target=20_000, note=note)
        times = sorted(proof_times_ms(home))
        middle, high = times[len(times) // 2], times[len(times) * 95 // 100]
        yield Figure(
            name="inclusion proof, the slowest",
            unit="ms",
            value=times[-1],
            target=LIMIT_MS,
            is_limit=True,
            note=f"{note}; {PROOFS:,} entries at random, each with an empty cache; "
            f"half within {middle:.2f} ms, 95 of 100 within {high:.2f} ms",
        )


def entries_a_second(home: Home) -> float:
    """Return how many entries a second a rebuild reads and writes."""
    started = time.perf_counter()
    made = rebuild(home, origin_of(load(home.policy_file)), SECRET)
    return made.entries / (time.perf_counter() - started)


def proof_times_ms(home: Home) -> list[float]:
    """Return how long each proof of a random entry takes that reads its tiles from the files."""
    size = int((home.ledger / "checkpoint").read_text().split("\n")[1])
    chance, times = random.Random(3), []
    for _ in range(PROOFS):
        started = time.perf_counter()
        TileReader(home.ledger, size).inclusion(chance.randrange(size))
        times.append(1000 * (time.perf_counter() - started))
    return times
