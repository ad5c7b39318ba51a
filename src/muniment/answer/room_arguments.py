"""What may be asked of a room: the arguments of each operation, refused when unknown, too long or of another type.

Source: docs/formats/room-socket.md.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from muniment.policy.errors import BadInput

Words = Annotated[str, Meta(max_length=2000)]
Reason = Annotated[str, Meta(max_length=2000)]
Short = Annotated[str, Meta(max_length=400)]
Index = Annotated[int, Meta(ge=0, le=2**62)]
Moment = Annotated[int, Meta(ge=-(2**52), le=2**52)]


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arguments of one operation."""


class Nothing(Arguments, frozen=True):
    """No arguments."""


class Unlock(Arguments, frozen=True):
    """The six words."""

    words: Annotated[str, Meta(max_length=1000)]


class Climb(Arguments, frozen=True):
    """The next rung, and why."""

    rung: Short
    reason: Reason


class Search(Arguments, frozen=True):
    """Words and filters; `first` is 0 or the `next` of the page before."""

    words: Annotated[str, Meta(max_length=4000)] = ""
    person: Short = ""
    tag: Short = ""
    from_ms: Moment | None = None
    until_ms: Moment | None = None
    field: Short = "any"
    reason: Reason = ""
    first: Annotated[int, Meta(ge=0, le=10_000_000)] = 0
    most: Annotated[int, Meta(ge=1, le=100)] = 20
    fold: bool = True


class OneEntry(Arguments, frozen=True):
    """One entry by its ledger index."""

    index: Index


class Read(Arguments, frozen=True):
    """One entry, why, and which of its faces."""

    index: Index
    reason: Reason
    face: Literal["written", "sent"] = "written"


class ReadAttachment(Arguments, frozen=True):
    """One attachment of an entry, by the name of its part."""

    index: Index
    part: Short
    reason: Reason


class MakeNote(Arguments, frozen=True):
    """A note to add (when not empty) and the tags to set (when given)."""

    index: Index
    text: Annotated[str, Meta(max_length=20_000)] = ""
    tags: Annotated[list[Short], Meta(max_length=100)] | None = None


class Scan(Arguments, frozen=True):
    """Terms to look for through every entry."""

    terms: Annotated[list[Short], Meta(min_length=1, max_length=10_000)]
    reason: Reason


class Pack(Arguments, frozen=True):
    """Entries to hand out, to whom and why; `age_recipient` encrypts the pack to them."""

    indexes: Annotated[list[Index], Meta(min_length=1, max_length=20_000)]
    title: Short
    reason: Reason
    recipient: Short
    age_recipient: Annotated[str, Meta(max_length=4000)] = ""


_Kind = TypeVar("_Kind", bound=Arguments)


def read(kind: type[_Kind], data: msgspec.Raw) -> _Kind:
    """Read the arguments of an operation.

    Raises: BadInput when one is missing, unknown, too long or of another type.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadInput(f"the room does not understand what was asked: {error}") from None
