"""Which turn of the keeper's ring the record knows: an older ring would hold keys that were destroyed since.

The record states each turn in an open entry, with the first batch after it. At a start the ring on the disk may be
newer than the newest statement (a stop came between the two), never older.
Source: R-5.1-a; docs/formats/ring.md, "In the record".
"""

from __future__ import annotations

import json

import msgspec

from muniment.policy.errors import MunimentError, Tampered
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Entry, Kind, Retention, Stream
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.open_entries import read_plain

FORMAT = "muniment-ring/1"
FIRST = 1  # the generation a ring is made with, which needs no statement


class RingStatement(msgspec.Struct, frozen=True):
    """What the record says of one turn: how many there were, and the SHA-256 of the shares held after it."""

    format: str
    generation: int
    digest: str


def entry_of(keeper: Keeper) -> Entry:
    """Return the open entry that states the ring as it is now."""
    statement = {"format": FORMAT, "generation": keeper.generation, "digest": keeper.digest()}
    plain = json.dumps(statement, sort_keys=True).encode()
    return Entry(stream=Stream.KEYS, kind=Kind.EPOCH, plain=plain)


def parse(plain: bytes) -> RingStatement | None:
    """Return what an open entry of the stream `keys` states of the ring, None when it is about something else.

    Raises:
        Tampered: it is written otherwise than docs/formats/ring.md says.
    """
    if FORMAT.encode() not in plain:
        return None
    try:
        read = msgspec.json.decode(plain, type=RingStatement)
    except msgspec.DecodeError:
        raise Tampered("a turn of the ring is not written as docs/formats/ring.md says") from None
    return read if read.format == FORMAT else None


def stated_generation(home: Home, catalogue: Catalogue) -> int:
    """Return the newest generation that the record states.

    Raises:
        Missing, Tampered: an entry cannot be read.
    """
    behind_openings = "stream = ? AND retention = ? AND position > 0"
    for row in reversed(catalogue.rows(behind_openings, (Stream.KEYS, Retention.JOURNAL))):
        statement = parse(read_plain(home, row))
        if statement is not None:
            return statement.generation
    return FIRST


def require_current(home: Home, catalogue: Catalogue, keeper: Keeper) -> None:
    """Return when the ring on the disk is not older than the record.

    Entries that cannot be read are left to the recovery that follows, which names what is wrong with them.

    Raises:
        Tampered: an earlier copy of the keeper's folder was put back.
    """
    try:
        stated = stated_generation(home, catalogue)
    except MunimentError:
        return
    if keeper.generation < stated:
        raise Tampered(
            f"the ring in {home.keeper} is an old copy: it was turned {keeper.generation} times, the record states "
            f"{stated}. Keys destroyed since would live again. Put back the newest copy of the whole folder; "
            "docs/operations/keys.md says where to look for it"
        )
    newest = max(
        (row.segment.epoch for row in catalogue.segments() if row.segment.retention == Retention.JOURNAL),
        default=None,
    )
    if newest is not None and (int(Retention.JOURNAL), newest) not in keeper.covers:
        raise Tampered(
            f"the ring in {home.keeper} is an old copy: it does not know the record's newest keys, and what they "
            "sealed would stay closed for ever. Put back the newest copy of the whole folder; "
            "docs/operations/keys.md says where to look for it"
        )
