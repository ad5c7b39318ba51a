"""Single entries are forgotten by order, a court's for instance: their keys are destroyed, no segment is rewritten.

A message goes whole or not at all: with the entries that hold its bytes, those that came with the same bytes and hold
none of their own, and what the next hop said of it. Source: R-5.1-a; docs/formats/tombstone.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from muniment.policy.errors import BadInput, Conflict, Missing
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Entry, Kind
from muniment.record.retention import forgetting
from muniment.record.retention.book import Book, day_of, iso_of
from muniment.record.retention.holds import Bytes, held_places
from muniment.record.retention.statements import Begun, Certified
from muniment.record.row import Row

if TYPE_CHECKING:
    from muniment.record.opening import OpenRecord

_ERASABLE = (Kind.RECORD, Kind.OBSERVATION, Kind.OUTCOME)
_AT_ONCE = 500


def whole_messages(opened: OpenRecord, indexes: Iterable[int]) -> dict[int, Row]:
    """Return every entry that goes or stays together with those named, by index.

    Raises:
        Missing: one is not there. BadInput: one is no communication, or is a piece of one.
    """
    parts = opened.record.parts
    named = sorted(set(indexes))
    rows = {row.idx: row for row in parts.catalogue.rows_at(named)}
    if missing := [index for index in named if index not in rows]:
        raise Missing(
            f"there is no entry {missing[0]} in the catalogue: it has expired, is erased, or never was"
        )
    found = {row.idx: row for row in rows.values() if row.kind in _ERASABLE}
    pointing = {row.about for row in found.values() if row.kind != Kind.RECORD and row.about is not None}
    found |= {row.idx: row for row in parts.catalogue.rows_at(sorted(pointing - found.keys()))}
    found = Bytes(opened.home, parts.catalogue, parts.keeper).with_holders(found.values())
    relying = found
    while relying := _relying_on(parts.catalogue, sorted(relying), found):
        found |= relying
    if others := sorted(rows.keys() - found.keys()):
        raise BadInput(
            f"entry {others[0]} is no message: it is open, or a piece of a long one; name the message"
        )
    return found


def erase(
    opened: OpenRecord,
    book: Book,
    indexes: Sequence[int],
    begun: Begun,
    ground: Sequence[Entry] = (),
    *,
    is_released: bool = False,
) -> Certified:
    """Destroy the keys of whole messages; leaves and all proofs stay, the content is gone for ever.

    `begun` holds authority, clause and order, `ground` the entry that holds the order itself; `is_released`: a
    quarantine over them ends with it.
    Raises:
        Conflict: entries belong to them that were not named, or a hold keeps one. Missing, BadInput: see above.
    """
    rows = whole_messages(opened, indexes)
    if left := sorted(rows.keys() - set(indexes)):
        raise Conflict(f"entries {left} belong to the same messages; name them as well, they go together")
    if not is_released:
        _require_free(opened, book, rows.values(), begun.day)
    places = tuple((row.idx, row.retention, row.epoch, row.position) for _, row in sorted(rows.items()))
    told = Begun(
        what="erasure",
        day=begun.day,
        places=places,
        authority=begun.authority,
        clause=begun.clause,
        reason=begun.reason,
        order=begun.order,
        ring_before=opened.record.parts.keeper.digest(),
    )
    return forgetting.finish(opened, forgetting.begin(opened, told, ground), told)


def decided(day: int, *, authority: str, clause: str, order: str = "") -> Begun:
    """Return the ground of an erasure: by whose authority, under which clause, by which signed order."""
    reason = f"by order: {authority}"
    return Begun(
        what="erasure", day=iso_of(day), authority=authority, clause=clause, reason=reason, order=order
    )


def _require_free(opened: OpenRecord, book: Book, rows: Iterable[Row], day: str) -> None:
    parts = opened.record.parts
    held = held_places(Bytes(opened.home, parts.catalogue, parts.keeper), book, day_of(day))
    kept = [row.idx for row in rows if row.position in held.get((row.retention, row.epoch), ())]
    if kept:
        raise Conflict(
            f"entries {sorted(kept)} are held or in quarantine; release them first: `muniment retention holds`"
        )


def _relying_on(catalogue: Catalogue, indexes: Sequence[int], known: dict[int, Row]) -> dict[int, Row]:
    """Return the observations and outcomes that are about some entries and not known yet."""
    found: dict[int, Row] = {}
    for at in range(0, len(indexes), _AT_ONCE):
        part = indexes[at : at + _AT_ONCE]
        about = f"kind IN ({Kind.OBSERVATION:d}, {Kind.OUTCOME:d}) AND about IN ({','.join('?' * len(part))})"
        found |= {row.idx: row for row in catalogue.rows(about, part) if row.idx not in known}
    return found
