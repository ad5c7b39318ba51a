"""What the recorder gives for each entry of an approved selection: its place, and the blades of what is released.

A blade is the keeper's share of one section. With the officer's share of the same section it opens that section of
that entry and nothing else. Source: docs/formats/permit.md, "What the recorder releases"; docs/formats/seals.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from muniment.policy.errors import BadInput
from muniment.record import line
from muniment.record.permit_selection import BYTES_ONLY
from muniment.record.row import Row

NO_BLADE = bytes(32)
_ITEM = struct.Struct(">QHIIBBBHQQQIBBQQBqIIQ32s32s32s")
ITEM_BYTES = _ITEM.size
_NOTHING = -1


class ReleaseItem(NamedTuple):
    """One entry as the room gets it: the row of the catalogue, and three blades, of zeros when not released.

    `about` is -1 when there is none. The blade of `facts` comes with that of `meta`: it opens the decision.
    """

    idx: int
    retention: int
    epoch: int
    position: int
    sections: int
    kind: int
    channel: int
    stream: int
    sequence: int
    captured_ms: int
    dated_ms: int
    expiry_day: int
    capture: int
    direction: int
    size: int
    sent_size: int
    shielded: int
    about: int
    number: int
    length: int
    at: int
    meta: bytes
    content: bytes
    facts: bytes

    @property
    def is_bytes_only(self) -> bool:
        """Tell whether it only holds the content of another entry, and is not itself within the permit."""
        return bool(self.sections & BYTES_ONLY)

    @property
    def row(self) -> Row:
        """Return the row of the catalogue; the keyed name of its content is not given."""
        return Row(
            self.idx,
            self.kind,
            self.channel,
            self.retention,
            self.epoch,
            self.position,
            self.number,
            self.at,
            self.length,
            self.stream,
            self.sequence,
            self.captured_ms,
            self.expiry_day,
            self.capture,
            self.direction,
            self.size,
            self.sent_size,
            self.shielded,
            None if self.about == _NOTHING else self.about,
            None,
            self.dated_ms,
        )

    def line(self, blobs: tuple[int, ...]) -> line.Line:
        """Return the catalogue line, without its tokens and keyed name."""
        about = None if self.about == _NOTHING else self.about
        return line.Line(
            line.VERSION,
            self.direction,
            self.size,
            self.sent_size,
            bool(self.shielded),
            b"",
            b"",
            about,
            blobs,
            self.dated_ms,
        )


def item_of(row: Row, sections: int, meta: bytes, content: bytes, facts: bytes) -> ReleaseItem:
    """Return the item of a catalogue row with the blades of its released sections."""
    return ReleaseItem(
        row.idx,
        row.retention,
        row.epoch,
        row.position,
        sections,
        row.kind,
        row.channel,
        row.stream,
        row.sequence,
        row.captured_ms,
        row.dated_ms,
        row.expiry_day,
        row.capture,
        row.direction,
        row.size,
        row.sent_size,
        row.shielded,
        _NOTHING if row.about is None else row.about,
        row.number,
        row.length,
        row.at,
        meta,
        content,
        facts,
    )


def pack_items(items: Iterable[ReleaseItem]) -> bytes:
    """Return the items as they travel and as a room keeps them: `ITEM_BYTES` each."""
    pack = _ITEM.pack
    return b"".join([pack(*item) for item in items])


def unpack_item(data: bytes | bytearray | memoryview, at: int) -> ReleaseItem:
    """Return the item at byte `at`."""
    return ReleaseItem._make(_ITEM.unpack_from(data, at))


def unpack_items(data: bytes) -> list[ReleaseItem]:
    """Return the items of one page.

    Raises:
        BadInput: the bytes are none.
    """
    if len(data) % ITEM_BYTES:
        raise BadInput(f"{len(data):,} bytes are no items of a release")
    return list(map(ReleaseItem._make, _ITEM.iter_unpack(data)))
