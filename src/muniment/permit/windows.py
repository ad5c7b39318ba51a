"""Whose mail a permit is about: the addresses of people, frozen from the register with the time they held them.

Source: R-5.2-f; DESIGN "Catalogue" (a permit freezes the pairs and lists unowned addresses).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.db.models import Q, QuerySet

from muniment.people.address import fold
from muniment.people.models import Address, Person
from muniment.people.span import Span
from muniment.record.permit_text import PermitWindow


def windows_of(
    people: Sequence[Person], addresses: Iterable[str], span: Span
) -> tuple[tuple[PermitWindow, ...], tuple[Person, ...]]:
    """Return the windows of people and of addresses named beside them, and everybody who is looked at by that.

    Whoever holds a named address is looked at too; while nobody holds it, its window has no person.

    Raises:
        BadInput: what is named is no mail address.
    """
    rows = list(_held(span).filter(person__in=people))
    named = sorted({fold(address) for address in addresses})
    rows += [row for row in _held(span).filter(folded__in=named) if row.person not in people]
    found = {_window(row) for row in rows}
    for address in named:
        holdings = [Span(row.started, row.ended) for row in _held(span).filter(folded=address)]
        found |= {_unowned(address, gap) for gap in _gaps(span, holdings)}
    looked_at = {row.person.pk: row.person for row in rows} | {person.pk: person for person in people}
    ordered = sorted(looked_at.values(), key=lambda person: (person.name, str(person.pk)))
    return tuple(sorted(found, key=_order)), tuple(ordered)


def _held(span: Span) -> QuerySet[Address]:
    rows = Address.objects.filter(Q(ended__isnull=True) | Q(ended__gt=span.start), kind="mail")
    if span.end is not None:
        rows = rows.filter(started__lt=span.end)
    return rows.select_related("person").order_by("started")


def _gaps(span: Span, holdings: Iterable[Span]) -> Iterable[Span]:
    """Yield the parts of `span` that no holding covers; holdings come in order and do not overlap."""
    start: datetime | None = span.start
    for held in holdings:
        if start is not None and start < held.start:
            yield Span(start, held.start)
        start = held.end
    if start is not None and (span.end is None or start < span.end):
        yield Span(max(start, span.start), span.end)


def _window(row: Address) -> PermitWindow:
    end = None if row.ended is None else _milliseconds(row.ended)
    return PermitWindow(
        address=row.folded, start_ms=_milliseconds(row.started), end_ms=end, person=str(row.person_id)
    )


def _unowned(address: str, gap: Span) -> PermitWindow:
    end = None if gap.end is None else _milliseconds(gap.end)
    return PermitWindow(address=address, start_ms=_milliseconds(gap.start), end_ms=end, person="")


def _order(window: PermitWindow) -> tuple[str, int]:
    return window.address, window.start_ms


def _milliseconds(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))


def moment_of(milliseconds: int) -> datetime:
    """Return a time of a permit as an aware moment."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
