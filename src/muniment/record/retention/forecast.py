"""What will be forgotten: a dry run by day and class, with what is held and by which hold. Nothing is changed.

Source: R-5.1-a; docs/formats/recorder-socket.md, "forecast".
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from muniment.record.entry import Kind, Retention
from muniment.record.retention.book import Book, day_of, iso_of
from muniment.record.retention.due import due_days
from muniment.record.retention.holds import Bytes, held_rows, quarantined_rows

_NEVER = 1 << 40


def forecast(finder: Bytes, book: Book, today: int, days: int) -> dict[str, Any]:
    """Return what goes on each of the next `days` days from `today` on, what stays past its term, and why."""
    until = today + days
    going: Counter[tuple[int, int, int]] = Counter()
    staying: Counter[tuple[str, int]] = Counter()
    kept, ends = _kept(finder, book, today)
    for epoch, due in due_days(finder.catalogue, book.shortenings).items():
        if due.day >= until:
            continue
        places = finder.catalogue.places_in(*epoch)
        last = max((ends.get(index, 0) for index, _, _ in places), default=0)
        for index, _, kind in places:  # the hour's own first entry goes with the last of its entries
            day = max(due.day, today, last if kind == Kind.EPOCH else ends.get(index, 0))
            if day < until:
                going[day, epoch[0], due.shortening] += 1
            elif kind != Kind.EPOCH:
                staying[kept[index], epoch[0]] += 1
    return {
        "today": iso_of(today),
        "days": days,
        "lines": [
            {"day": iso_of(day), "class": _class(number), "entries": count, "shortening": shortening}
            for (day, number, shortening), count in sorted(going.items())
        ],
        "held": [
            {"by": by, "class": _class(number), "entries": count}
            for (by, number), count in sorted(staying.items())
        ],
        "quarantined": len(book.quarantined),
    }


def _kept(finder: Bytes, book: Book, today: int) -> tuple[dict[int, str], dict[int, int]]:
    """Return, of each entry that is kept, by what (the longest) and until which day."""
    kept: dict[int, str] = {}
    ends: dict[int, int] = {}
    for hold in book.holds_on(today):
        end = day_of(hold.placed.ends) if hold.placed.ends else _NEVER
        for index in held_rows(finder, [hold]):
            if end > ends.get(index, 0):
                kept[index], ends[index] = hold.number, end
    for index in quarantined_rows(finder, book):
        kept[index], ends[index] = "quarantine", _NEVER
    return kept, ends


def _class(number: int) -> str:
    return Retention(number).name.lower()
