"""Which key opens how much of the record, worked out from the record alone: no key is needed, none is trusted.

Source: docs/formats/shares.md; R-5.2-f.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache

from muniment.record.catalogue import Catalogue
from muniment.record.home import Home
from muniment.record.keeper import EpochId
from muniment.record.sharing import opening_wraps, sealed_again


@dataclass(frozen=True)
class Span:
    """What one epoch holds: how many entries, and when the first was recorded (ms)."""

    entries: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class Reach:
    """How much a key opens of what the record still holds; times are 0 when it opens nothing."""

    entries: int
    total: int
    first_ms: int
    last_ms: int

    @property
    def is_all(self) -> bool:
        """Tell whether it opens everything."""
        return self.entries == self.total


def reach_of(home: Home, key_id: bytes) -> Reach:
    """Return how much one key opens, with the keeper's share.

    Raises:
        Missing, Tampered: the shares of an epoch cannot be read.
    """
    return reaches(home)[key_id]


def reaches(home: Home) -> Mapping[bytes, Reach]:
    """Return how much each key opens that a share was ever sealed to, by key id; any other key opens nothing."""
    with closing(Catalogue.open_readonly(home.database)) as catalogue:
        spans, again = spans_of(catalogue), sealed_again(home, catalogue)
    held: defaultdict[bytes, list[Span]] = defaultdict(list)
    for epoch, span in spans.items():
        owners = {*_opened_for(home, epoch), *(bytes.fromhex(wrap.to) for wrap in again.get(epoch, ()))}
        for owner in owners:
            held[owner].append(span)
    total = sum(span.entries for span in spans.values())
    nothing = Reach(0, total, 0, 0)
    found: defaultdict[bytes, Reach] = defaultdict(lambda: nothing)
    found |= {owner: _reach(mine, total) for owner, mine in held.items()}
    return found


def spans_of(catalogue: Catalogue) -> dict[EpochId, Span]:
    """Return what each epoch holds that has not expired."""
    return {
        (retention, epoch): Span(count, first, last)
        for retention, epoch, count, first, last in catalogue.epochs()
    }


def _reach(spans: list[Span], total: int) -> Reach:
    entries = sum(span.entries for span in spans)
    return Reach(entries, total, min(s.first_ms for s in spans), max(s.last_ms for s in spans))


@lru_cache(maxsize=200_000)
def _opened_for(home: Home, epoch: EpochId) -> tuple[bytes, ...]:
    """Return the key ids an epoch's first entry was sealed to; that entry never changes."""
    return tuple(bytes.fromhex(wrap.to) for wrap in opening_wraps(home, epoch))
