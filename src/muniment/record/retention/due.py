"""When an hour of a class has lived its lawful time: by the day each entry was given, or by a shorter term since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from muniment.policy.schedule import Term
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Retention
from muniment.record.keeper import EpochId
from muniment.record.leaf import NO_EXPIRY
from muniment.record.retention.book import Shortening, day_of


class DueDay(NamedTuple):
    """The day from which an hour goes; `shortening`: the number of the order that made it earlier, 0 when none did."""

    day: int
    shortening: int = 0


def due_days(catalogue: Catalogue, shortenings: Sequence[Shortening]) -> dict[EpochId, DueDay]:
    """Return the day on which each closed hour that ever expires is due, in the order they were recorded."""
    days: defaultdict[EpochId, int] = defaultdict(int)
    staying = set()
    for row in catalogue.segments():
        epoch = (row.segment.retention, row.segment.epoch)
        days[epoch] = max(days[epoch], row.last_expiry_day)
        if not row.is_closed or row.last_expiry_day == NO_EXPIRY:
            staying.add(epoch)
    return {
        epoch: _shortened(catalogue, epoch, day, shortenings)
        for epoch, day in days.items()
        if epoch not in staying
    }


def shortened_day(shortening: Shortening, captured_ms: int, day: int) -> int:
    """Return when an entry goes under a shorter term: never before the term takes effect, never later than it would.

    What was captured on or after that day is not the order's: its own day counts.
    """
    captured = datetime.fromtimestamp(captured_ms / 1000, UTC).date()
    order = shortening.order
    if captured.isoformat() >= order.effective:
        return day
    shorter = Term(reason="", years=order.years, days=order.days).expiry_day(captured)
    return day if shorter is None else min(day, max(day_of(order.effective), day_of(shorter.isoformat())))


def _shortened(catalogue: Catalogue, epoch: EpochId, day: int, shortenings: Sequence[Shortening]) -> DueDay:
    name = Retention(epoch[0]).name.lower()
    of_class = [each for each in shortenings if each.order.retention == name]
    if not of_class:
        return DueDay(day)
    captured_ms = catalogue.last_captured_in(*epoch)
    earliest = min(of_class, key=lambda each: shortened_day(each, captured_ms, day))
    shorter = shortened_day(earliest, captured_ms, day)
    return DueDay(shorter, earliest.number) if shorter < day else DueDay(day)
