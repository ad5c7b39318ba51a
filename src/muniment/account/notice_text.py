"""The open entries of the stream `notices`: a notice, a mark, a dispute, its answer. Pure.

Source: docs/formats/notice.md; DESIGN, "Notice".
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from muniment.policy.errors import BadInput
from muniment.record.entry import Entry, Kind, Stream

PRIVATE: Final = "private"
MOST_BYTES = 1 << 16
LONGEST_TEXT = 500

_Id = Annotated[str, Meta(min_length=1, max_length=200)]
_Number = Annotated[str, Meta(max_length=20)]
_Index = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Milliseconds = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
PurposeClass = Literal["answer", "systems", "conduct", "absence", "other", "order"]
Ground = Literal["not-mine", "private", "look", "wrong"]


class Notice(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="format",
    tag="muniment-notice/1",
):
    """What one person is told of the looks under one permit."""

    person: _Id
    permit: _Number
    revision: int
    officer: _Id
    roles: Annotated[tuple[_Id, ...], Meta(max_length=50)]
    purpose: PurposeClass
    entries: _Index
    first_ms: _Milliseconds
    last_ms: _Milliseconds
    looks_below: _Index
    delayed_until_ms: _Milliseconds
    at_ms: _Milliseconds


class Mailed(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="format",
    tag="muniment-notice-mailed/1",
):
    """The gateway took a message that points to a notice."""

    notice: _Index
    at_ms: _Milliseconds


class Mark(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="format",
    tag="muniment-mark/1",
):
    """A person marks an entry, and its thread with it; an empty mark lifts it."""

    entry: _Index
    by: _Id
    mark: Literal["private", ""]


class Dispute(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="format",
    tag="muniment-dispute/1",
):
    """A person says that something about an entry or a look is not right."""

    by: _Id
    entry: _Index | None
    permit: _Number
    ground: Ground
    text: _Text


class Answer(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="format",
    tag="muniment-dispute-answer/1",
):
    """What became of a dispute."""

    dispute: _Index
    by: _Id
    text: _Text


Saying = Notice | Mailed | Mark | Dispute | Answer
_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER: msgspec.json.Decoder[Saying] = msgspec.json.Decoder(Saying)


def entry_of(saying: Saying) -> Entry:
    """Return the entry that records it."""
    return Entry(stream=Stream.NOTICES, kind=Kind.FACT, plain=_ENCODER.encode(saying))


def parse(plain: bytes) -> Saying:
    """Read the plain part of an entry of the stream `notices`.

    Raises:
        BadInput: the bytes are none of these.
    """
    if len(plain) > MOST_BYTES:
        raise BadInput(f"{len(plain):,} bytes are no notice; expected {MOST_BYTES:,} at most")
    try:
        return _DECODER.decode(plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"an entry of the stream notices is none that Muniment knows: {error}") from None
