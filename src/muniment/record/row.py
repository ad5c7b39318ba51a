"""The rows of the catalogue, as its readers get them. Source: docs/formats/catalogue.md."""

from __future__ import annotations

from typing import NamedTuple

from muniment.record.line import TOKEN_BYTES
from muniment.record.segment import SegmentId


class Row(NamedTuple):
    """One entry of the catalogue; `at` and `length` are its frame's place in segment (retention, epoch, number)."""

    idx: int
    kind: int
    channel: int
    retention: int
    epoch: int
    position: int
    number: int
    at: int
    length: int
    stream: int
    sequence: int
    captured_ms: int
    expiry_day: int
    capture: int
    direction: int
    size: int
    sent_size: int
    shielded: int
    about: int | None
    content_id: bytes | None
    dated_ms: int
    message_id: bytes | None = None
    texts: bytes | None = None

    @property
    def time_ms(self) -> int:
        """Return the time it is looked for by: an imported letter's own date if it has one, else its capture."""
        return self.dated_ms or self.captured_ms

    @property
    def segment(self) -> SegmentId:
        """Return the segment the frame lies in."""
        return SegmentId(self.retention, self.epoch, self.number)


class Mention(NamedTuple):
    """What a question about an address needs of each entry that mentions it; `time_ms` as in `Row`."""

    idx: int
    retention: int
    epoch: int
    position: int
    kind: int
    shielded: int
    about: int | None
    size: int
    time_ms: int


class SegmentRow(NamedTuple):
    """What the catalogue knows of a segment: its good length, and the last day any of its entries is kept."""

    segment: SegmentId
    first_index: int
    size: int
    is_closed: bool
    last_expiry_day: int


def split_tokens(tokens: bytes) -> list[bytes]:
    """Return the single tokens of a catalogue line."""
    return [tokens[at : at + TOKEN_BYTES] for at in range(0, len(tokens), TOKEN_BYTES)]
