"""The open entries of the stream `retention`: what each says, written and read as docs/formats/tombstone.md has it.

What is read refuses unknown members. An entry of an older release, or of another format, reads as None.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from muniment.record.entry import Entry, Kind, Stream

Index = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Place = tuple[int, int, int, int]  # ledger index, class, epoch, position


class Part(msgspec.Struct, frozen=True, array_like=True):
    """What is forgotten of one epoch: how many entries, the first and the last; `kept`: positions that stay.

    `shortening` is the number in the stream of the order that made it go earlier, 0 when its own term is over.
    """

    class_id: int
    epoch: int
    entries: int
    first: int
    last: int
    is_whole: bool
    kept: tuple[int, ...] = ()
    shortening: int = 0


class Begun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An act of forgetting that is decided and not yet certified; a stop at any point is taken up from here."""

    format: Literal["muniment-forgetting/1"] = "muniment-forgetting/1"
    what: Literal["expiry", "erasure"]
    day: str
    parts: tuple[Part, ...] = ()
    places: tuple[Place, ...] = ()
    authority: str = ""
    clause: str = ""
    reason: str = ""
    order: str = ""
    ring_before: str = ""


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The entries of one class that were forgotten together, on one ground."""

    retention: str
    hours: int
    entries: int
    first: int
    last: int
    clause: str
    reason: str
    shortening: int = 0


class Certified(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tombstone: what was forgotten, on which ground, and what that does not cover.

    `begun` is the ledger index of the entry that began it; `groups` sums its parts by class.
    """

    format: Literal["muniment-tombstone/1"] = "muniment-tombstone/1"
    begun: Index
    what: Literal["expiry", "erasure"]
    day: str
    groups: tuple[Group, ...]
    authority: str = ""
    order: str = ""
    ring_before: str
    ring_after: str
    not_covered: tuple[str, ...]


class ClockIsRight(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody looked at the clock and says that it is right."""

    format: Literal["muniment-clock/1"] = "muniment-clock/1"
    by: str
    clock_ms: int
    trusted_ms: int


class HeldAddress(msgspec.Struct, frozen=True, array_like=True):
    """An address, as its token, from a day (inclusive) until a day (exclusive; empty: still)."""

    token: bytes
    from_day: str
    until_day: str


class Placed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A hold: what it keeps beyond its term, why and by whom. An automatic one has an end; a litigation hold none."""

    format: Literal["muniment-hold/1"] = "muniment-hold/1"
    number: str
    kind: Literal["automatic", "litigation"]
    case: str
    reason: str
    by: str
    addresses: tuple[HeldAddress, ...] = ()
    entries: tuple[Index, ...] = ()
    ends: str = ""


class Ordered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An officer's order that the recorder took: its exact text and signature; `also` names entries that go with it."""

    format: Literal["muniment-ordered/1"] = "muniment-ordered/1"
    order: str
    signature: bytes
    also: tuple[Index, ...] = ()


Statement = Begun | Certified | ClockIsRight | Placed | Ordered
_KINDS: dict[str, type[Any]] = {
    "muniment-forgetting/1": Begun,
    "muniment-tombstone/1": Certified,
    "muniment-clock/1": ClockIsRight,
    "muniment-hold/1": Placed,
    "muniment-ordered/1": Ordered,
}
_ENCODE = msgspec.json.Encoder(order="sorted").encode
_Said = TypeVar("_Said")


class _Format(msgspec.Struct, frozen=True):
    format: str = ""


def entry_of(statement: Any, kind: Kind = Kind.EXPIRY) -> Entry:
    """Return the open entry that says it."""
    return Entry(stream=Stream.RETENTION, kind=kind, plain=_ENCODE(statement))


def read_statement(plain: bytes) -> Any | None:
    """Return what an open entry of the stream says, None when it is none of these formats."""
    try:
        kind = _KINDS.get(msgspec.json.decode(plain, type=_Format).format)
        return None if kind is None else msgspec.json.decode(plain, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
