"""What a person is told of the looks at their entries: counted from looks and permits, and nothing else. Pure.

1. A look shows content when it is of a message or an attachment, or a search that shows snippets.
2. It is told at five in the afternoon of its day; a later one at five the next day.
3. While an order delays the notice, nothing of that permit is told; afterwards all of it, with the delay.

Never who asked, the case, the words or another person. Source: DESIGN, "Notice"; docs/formats/look.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from muniment.account.notice_text import PurposeClass
from muniment.people.moment import LONDON, local
from muniment.people.role import parse_role
from muniment.permit.looked import Look
from muniment.permit.replay import Delay

TOLD_AT = time(17)
_CLASSES: dict[str, PurposeClass] = {
    "INFO": "answer",
    "SAR": "answer",
    "APPEAL": "answer",
    "COMPLAINT": "answer",
    "LEGAL": "answer",
    "OPS": "systems",
    "SEC": "systems",
    "USE": "conduct",
    "CASE": "conduct",
    "ABSENCE": "absence",
    "ORDER": "order",
}
CLASS_WORDS: dict[PurposeClass, str] = {
    "answer": "to answer a request, a complaint or a claim",
    "systems": "to keep the systems working and safe",
    "conduct": "to find out how the systems were used",
    "absence": "for business that could not wait while somebody was away",
    "other": "for another lawful reason, written down",
    "order": "because a court or a regulator ordered it",
}


@dataclass(frozen=True)
class Told:
    """What a person may be told now of one permit."""

    entries: int
    roles: tuple[str, ...]
    first_ms: int
    last_ms: int
    looks_below: int
    delayed_until_ms: int


def role_in_words(role: str) -> str:
    """Return the role a look names as people write it; whoever recorded it may have written either form."""
    known = parse_role(role)
    return known.label if known else role


def purpose_class(purpose: str) -> PurposeClass:
    """Return the class of a purpose code, which is all of it that a subject learns."""
    return _CLASSES.get(purpose, "other")


def due_ms(at_ms: int) -> int:
    """Return when a look of that moment is told: five in the afternoon, London, of its day or else of the next."""
    looked = local(at_ms)
    due = datetime.combine(looked.date(), TOLD_AT, LONDON)
    if looked > due:
        due = datetime.combine(looked.date() + timedelta(days=1), TOLD_AT, LONDON)
    return int(due.timestamp() * 1000)


def over_ms(delay: Delay) -> int:
    """Return when an order that delays the notice is, or was, over."""
    return delay.until_ms if delay.ended_ms is None else min(delay.ended_ms, delay.until_ms)


def told_of(
    looks: Iterable[Look], mine: Set[int] | None, delays: Iterable[Delay], now_ms: int
) -> Told | None:
    """Return what a person is told now of the looks under one permit, None when there is nothing (yet) to tell.

    `mine` are the ledger indexes of the entries with an address of theirs, None when all of the permit's have one.
    """
    orders = tuple(delays)
    if any(delay.holds_at(now_ms) for delay in orders):
        return None
    seen: set[int] = set()
    counted: list[Look] = []
    for look in looks:
        shown = set(look.plain.entries) if mine is None else mine & set(look.plain.entries)
        if look.plain.shows_content and shown and due_ms(look.at_ms) <= now_ms:
            seen |= shown
            counted.append(look)
    if not counted:
        return None
    first = min(look.at_ms for look in counted)
    over = [over_ms(each) for each in orders]
    return Told(
        entries=len(seen),
        roles=tuple(sorted({role_in_words(look.plain.role) for look in counted})),
        first_ms=first,
        last_ms=max(look.at_ms for look in counted),
        looks_below=max(look.index for look in counted) + 1,
        delayed_until_ms=max((each for each in over if each > due_ms(first)), default=0),
    )
