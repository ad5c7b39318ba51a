"""One act on a permit as the record holds it: an open entry of the stream `permits`. Pure.

Source: docs/formats/permit.md, "In the record"; R-5.2-f.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from muniment.permit.state import Doing
from muniment.policy.errors import BadInput
from muniment.record.entry import Entry, Kind, Stream

BY_ITSELF = "muniment"
MAX_BYTES = 1 << 20
_MEMBERS: dict[Doing, frozenset[str]] = {
    Doing.ASK: frozenset({"request"}),
    Doing.NARROW: frozenset({"request", "reason"}),
    Doing.APPROVE: frozenset({"approval", "signature"}),
    Doing.REFUSE: frozenset({"reason"}),
    Doing.WITHDRAW: frozenset({"reason"}),
    Doing.REVOKE: frozenset({"reason"}),
    Doing.END: frozenset(),
    Doing.DELAY: frozenset({"until_ms", "ground", "reason"}),
    Doing.END_DELAY: frozenset({"until_ms", "ground", "reason"}),
    Doing.AWAY: frozenset({"officer", "until_ms"}),
}
_OPTIONAL = ("request", "approval", "signature", "reason", "until_ms", "ground", "officer")
_Short = Annotated[str, Meta(max_length=200)]


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What somebody did to a permit; `by` is a person's or an officer's id, `muniment` for what happens by itself.

    An officer's absence (`away`) is about no permit: its number is empty.
    """

    format: Literal["muniment-permit-act/1"]
    act: Doing
    number: _Short
    revision: Annotated[int, Meta(ge=1, le=10_000)]
    by: _Short
    at_ms: Annotated[int, Meta(ge=0)]
    request: str = ""
    approval: str = ""
    signature: bytes = b""
    reason: str = ""
    until_ms: int = 0
    ground: str = ""
    officer: _Short = ""


_ENCODER = msgspec.json.Encoder(order="sorted")


def entry_of(act: Act) -> Entry:
    """Return the entry that records an act.

    Raises:
        BadInput: a text that the act must have is empty, or it has one that it must not have.
    """
    _require_members(act)
    try:
        plain = _ENCODER.encode(act)
    except UnicodeEncodeError:
        raise BadInput(
            f"the {act.act} of a permit holds characters that are not text; type it again"
        ) from None
    if len(plain) > MAX_BYTES:
        raise BadInput(f"the {act.act} of a permit has {len(plain):,} bytes, expected {MAX_BYTES:,} at most")
    return Entry(stream=Stream.PERMITS, kind=Kind.APPROVAL, plain=plain)


def parse_act(plain: bytes) -> Act:
    """Read an act.

    Raises:
        BadInput: the bytes are none.
    """
    if len(plain) > MAX_BYTES:
        raise BadInput(f"{len(plain):,} bytes are no act on a permit; expected {MAX_BYTES:,} at most")
    try:
        act = msgspec.json.decode(plain, type=Act)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"an entry of the stream permits is no act on a permit: {error}") from None
    _require_members(act)
    return act


def _require_members(act: Act) -> None:
    found = {name for name in _OPTIONAL if getattr(act, name)}
    expected = _MEMBERS[act.act]
    if missing := sorted(expected - found):
        raise BadInput(f"to {act.act} a permit needs its {missing[0]}, and it is empty")
    if surplus := sorted(found - expected):
        raise BadInput(f"to {act.act} a permit takes no {surplus[0]}")
