"""Expiry: what has lived its lawful time is forgotten, once a day, a bounded part at a time.

An hour of a class (its epoch) is due on the last of its entries' days. What a hold keeps stays, and its keys with it;
the rest of that hour goes. Source: R-5.1-a (retained for a set period); DESIGN "Retention"; docs/formats/tombstone.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muniment.record.entry import Kind
from muniment.record.keeper import QUARTER_MS, EpochId
from muniment.record.retention import forgetting
from muniment.record.retention.book import DAY_MS, Book, iso_of
from muniment.record.retention.due import due_days
from muniment.record.retention.holds import Bytes, held_places
from muniment.record.retention.statements import Begun, Certified, Part

if TYPE_CHECKING:
    from muniment.record.opening import OpenRecord

MOST_AT_ONCE = 20_000  # entries, but for one hour that alone has more


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten of one class: how many entries, the first and last of them, on which day."""

    retention: str
    entries: int
    first: int
    last: int
    day: str


def expire(opened: OpenRecord, book: Book, now_ms: int) -> list[Forgotten]:
    """Forget everything that is due; return what was, by class and act."""
    done: list[Forgotten] = []
    while certified := expire_some(opened, book, now_ms):
        done += [
            Forgotten(group.retention, group.entries, group.first, group.last, certified.day)
            for group in certified.groups
        ]
    return done


def expire_some(opened: OpenRecord, book: Book, now_ms: int, most: int = MOST_AT_ONCE) -> Certified | None:
    """Forget a part of what is due, whole hours of about `most` entries; return None when nothing is left to do."""
    day = now_ms // DAY_MS
    opened.record.end_spent_epochs()
    keeper = opened.record.parts.keeper
    parts: list[Part] = []
    for part in _parts(opened, book, day):
        parts.append(part)
        if sum(each.entries for each in parts) >= most:
            break
    has_spent = keeper.drop_duplicate_keys(now_ms // QUARTER_MS)
    if not parts:
        if has_spent:  # nothing is compared any more with what those quarters' keys knew again
            keeper.turn()
        return None
    begun = Begun(
        what="expiry",
        day=iso_of(day),
        parts=tuple(parts),
        ring_before=keeper.digest(),
    )
    return forgetting.finish(opened, forgetting.begin(opened, begun), begun)


def _parts(opened: OpenRecord, book: Book, day: int) -> Iterator[Part]:
    """Yield what is to go of each hour that is due; nothing of one of which only held entries are left."""
    parts = opened.record.parts
    due = {
        epoch: each for epoch, each in due_days(parts.catalogue, book.shortenings).items() if each.day <= day
    }
    if not due:
        return
    held = held_places(Bytes(opened.home, parts.catalogue, parts.keeper), book, day)
    for epoch, each in due.items():
        if part := _part(opened, epoch, held.get(epoch, set()), each.shortening):
            yield part


def _part(opened: OpenRecord, epoch: EpochId, held: Set[int], shortening: int) -> Part | None:
    places = opened.record.parts.catalogue.places_in(*epoch)
    kept = held & {position for _, position, _ in places}
    if kept:  # what is held cannot be opened without the shares in the hour's own first entry
        kept |= {position for _, position, kind in places if kind == Kind.EPOCH}
    going = [index for index, position, _ in places if position not in kept]
    if kept and not going:
        return None
    first, last = min(going, default=-1), max(going, default=-1)
    return Part(*epoch, len(going), first, last, not kept, tuple(sorted(kept)), shortening)
