"""How long it takes to forget a million entries, and how large the ring grows by erasing a thousand of them singly."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from tests.record.recording import SECRET

from benchmarks.harness import Figure, Options, scratch
from benchmarks.homes import make_large_home
from muniment.record.entry import Kind
from muniment.record.opening import clock_ms, open_record

ERASED = 1_000
RING_LIMIT_KB = 600.0
EXPIRY_LIMIT_SECONDS = 60.0
_SIX_YEARS_MS = 6 * 366 * 86_400_000


def measure(options: Options) -> Iterator[Figure]:
    """Yield both figures, from one home and one round."""
    with scratch(options) as folder:
        home = make_large_home(folder, options.entries)
        with open_record(home, SECRET) as record:
            rows = record.record.parts.catalogue.rows("kind = ?", (Kind.OUTCOME,))
            chosen = random.Random(7).sample([row.idx for row in rows], min(ERASED, len(rows) // 2))
            started = time.perf_counter()
            record.retention.erase(sorted(chosen), authority="a court", clause="R-5.1-a")
            seconds = time.perf_counter() - started
            ring = next(home.keeper.glob("ring.*")).stat().st_size / 1000
        note = (
            f"{len(chosen):,} single entries of {options.entries:,}, erased in {seconds:.1f} s by one order"
        )
        yield Figure(
            name="keeper's ring after erasing",
            unit="KB",
            value=ring,
            target=RING_LIMIT_KB,
            is_limit=True,
            note=note,
        )
        with open_record(home, SECRET, clock=lambda: clock_ms() + _SIX_YEARS_MS) as record:
            record.retention.confirm_clock("managing-director")
            started = time.perf_counter()
            [forgotten] = record.retention.expire()
            seconds = time.perf_counter() - started
        yield Figure(
            name="expiry",
            unit="s",
            value=seconds,
            target=EXPIRY_LIMIT_SECONDS,
            is_limit=True,
            note=f"{forgotten.entries:,} entries, husks, keys, segments, rows and certificate",
        )
