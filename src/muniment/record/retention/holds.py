"""Which entries a hold keeps, and the keys they need: themselves, and whatever holds their bytes.

Source: docs/formats/hold.md; R-5.1-a.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from muniment.policy.errors import Missing
from muniment.record.attachments.naming import named_by
from muniment.record.catalogue import Catalogue
from muniment.record.chain import WHOLE_LIMIT_BYTES
from muniment.record.entry import Kind
from muniment.record.home import Home
from muniment.record.keeper import EpochId, Keeper
from muniment.record.reading import open_line, read_frame
from muniment.record.retention.book import DAY_MS, Book, Hold, day_of
from muniment.record.retention.due import due_days
from muniment.record.retention.statements import HeldAddress
from muniment.record.row import Row

_LATEST_MS = 1 << 62


class Bytes:
    """Finds the entries that hold the bytes of others: earlier copies, and the pieces of long messages."""

    def __init__(self, home: Home, catalogue: Catalogue, keeper: Keeper) -> None:
        self._home, self.catalogue, self._keeper = home, catalogue, keeper

    def with_holders(self, rows: Iterable[Row]) -> dict[int, Row]:
        """Return the entries and whatever holds their bytes, by index, in no useful order."""
        found = {row.idx: row for row in rows}
        observed = (row.about for row in found.values() if row.kind == Kind.OBSERVATION)
        holders = {index for index in observed if index is not None}
        found |= {row.idx: row for row in self.catalogue.rows_at(sorted(holders - found.keys()))}
        pieces = {index for row in found.values() for index in self.pieces(row)}
        return found | {row.idx: row for row in self.catalogue.rows_at(sorted(pieces - found.keys()))}

    def with_attachments(self, rows: dict[int, Row]) -> dict[int, Row]:
        """Return the entries and the attachments they name. Erasure does not ask: these die with their last message."""
        named = named_by(self._home, self.catalogue, self._keeper, rows.values())
        return rows | {row.idx: row for row in self.catalogue.rows_at(sorted(named - rows.keys()))}

    def pieces(self, row: Row) -> tuple[int, ...]:
        """Return the entries that hold the pieces of a long message; none of a short one, or one that is forgotten."""
        if row.kind != Kind.RECORD or row.size <= WHOLE_LIMIT_BYTES:
            return ()
        try:
            frame = read_frame(self._home, row)
            return open_line(frame.leaf, frame.body, self._keeper).blobs
        except Missing:
            return ()


class Dying(NamedTuple):
    """The entries that one hold alone keeps, rising, and how many of them are past their term."""

    indexes: tuple[int, ...]
    due: int

    @property
    def sha256(self) -> str:
        """Return the hash of the list as an order names it."""
        return sha256(b"".join(index.to_bytes(8, "big") for index in self.indexes)).hexdigest()


def held_rows(finder: Bytes, holds: Sequence[Hold]) -> dict[int, Row]:
    """Return what holds keep, by index: named by number, or by address and day; and what holds the bytes of that."""
    found: dict[int, Row] = {}
    for hold in holds:
        rows = finder.catalogue.rows_at(hold.placed.entries)
        for held in hold.placed.addresses:
            rows += _mentioning(finder.catalogue, held)
        found |= {row.idx: row for row in rows}
    return finder.with_holders(found.values())


def quarantined_rows(finder: Bytes, book: Book) -> dict[int, Row]:
    """Return the entries in quarantine, by index."""
    return {row.idx: row for row in finder.catalogue.rows_at(sorted(book.quarantined))}


def held_places(finder: Bytes, book: Book, day: int) -> dict[EpochId, set[int]]:
    """Return {hour: positions} of everything that may not be forgotten on a day: held, or in quarantine."""
    places: defaultdict[EpochId, set[int]] = defaultdict(set)
    rows = held_rows(finder, book.holds_on(day)) | quarantined_rows(finder, book)
    for row in finder.with_attachments(rows).values():
        places[row.retention, row.epoch].add(row.position)
    return places


def dying_with(finder: Bytes, book: Book, hold: Hold, size: int, day: int) -> Dying:
    """Return what a hold alone keeps on a day, of the entries below the ledger's `size`."""
    others = [each for each in book.holds_on(day) if each.number != hold.number]
    kept = held_rows(finder, others).keys() | book.quarantined.keys()
    own = held_rows(finder, [hold])
    indexes = sorted(index for index in own if index < size and index not in kept)
    days = due_days(finder.catalogue, book.shortenings)
    places = [(own[index].retention, own[index].epoch) for index in indexes]
    due = sum(1 for epoch in places if epoch in days and days[epoch].day <= day)
    return Dying(tuple(indexes), due)


def _mentioning(catalogue: Catalogue, held: HeldAddress) -> list[Row]:
    from_ms = day_of(held.from_day) * DAY_MS if held.from_day else 0
    until_ms = day_of(held.until_day) * DAY_MS if held.until_day else _LATEST_MS
    named = (
        "idx IN (SELECT idx FROM mention WHERE token = ?) AND "
        "(captured_ms >= ? AND captured_ms < ? OR dated_ms >= max(?, 1) AND dated_ms < ?)"
    )
    return catalogue.rows(named, (held.token, from_ms, until_ms, from_ms, until_ms))
