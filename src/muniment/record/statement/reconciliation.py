"""The statement that the record was compared with a mail server's log: what was accepted, recorded and missing.

The command counts, the recorder looks the numbers up and writes the entry, the next checkpoint signs it.
Source: R-2.1-b; docs/formats/reconciliation.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from muniment.policy.errors import BadInput
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.selection import Milliseconds

FORMAT = "muniment-reconciliation/1"
MOST_LISTED = 100
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
_Number = Annotated[str, Meta(max_length=60, pattern="^[a-z-]*(/[0-9]+)?$")]
Why = Literal["around", "notice", "absent", "another-time", "twice", "no-number"]


class LogFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file that was read: its name without folders, the SHA-256 and length of its bytes, its lines."""

    name: Annotated[str, Meta(max_length=255)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    bytes: Count
    lines: Count


class Lacking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message the log says was accepted and the record does not have, by its queue id; no name, no address."""

    queue_id: Annotated[str, Meta(max_length=24, pattern="^[0-9A-Za-z]+$")]
    instance: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9_.-]+$")]
    at_ms: Milliseconds
    why: Why
    number: _Number = ""


class Reconciliation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole comparison; every count is of messages unless its name says otherwise."""

    files: Annotated[tuple[LogFile, ...], Meta(min_length=1, max_length=1000)]
    from_ms: Milliseconds
    until_ms: Milliseconds
    accepted: Count
    recorded: Count
    missing: Count
    lacking: Annotated[tuple[Lacking, ...], Meta(max_length=MOST_LISTED)] = ()
    unnamed: Count = 0
    unnamed_numbers: Annotated[tuple[_Number, ...], Meta(max_length=MOST_LISTED)] = ()
    holes: Count = 0
    handed_on: Count = 0
    handed_on_found: Count = 0
    handed_on_lost: Annotated[tuple[_Number, ...], Meta(max_length=MOST_LISTED)] = ()
    refused: Count = 0
    refused_recorded: Count = 0
    again: Count = 0
    deferred: Count = 0
    bounced: Count = 0
    filtered: Count = 0
    undecided: Count = 0
    unread_lines: Count = 0
    other_senders: bool = False

    @property
    def is_whole(self) -> bool:
        """Tell whether everything could be read and judged; only then does "missing 0" say what it seems to."""
        return not self.unread_lines and not self.undecided

    @property
    def tallies(self) -> bool:
        """Tell whether log and record agree in both directions."""
        differences = (
            self.missing,
            self.holes,
            0 if self.other_senders else self.unnamed,
            self.handed_on - self.handed_on_found,
            self.refused - self.refused_recorded,
        )
        return not any(differences)


def parse_reconciliation(arguments: dict[str, Any]) -> Reconciliation:
    """Read what a command reports.

    Raises:
        BadInput: it has another shape, or its figures contradict each other.
    """
    try:
        found = msgspec.convert(arguments, Reconciliation, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(f"this is no reconciliation: {error}") from None
    pairs = (
        (found.accepted, found.recorded + found.missing),
        (len(found.lacking), min(found.missing, MOST_LISTED)),
        (len(found.unnamed_numbers), min(found.unnamed, MOST_LISTED)),
        (len(found.handed_on_lost), min(found.handed_on - found.handed_on_found, MOST_LISTED)),
    )
    if any(said != meant for said, meant in pairs) or found.from_ms > found.until_ms:
        raise BadInput("the figures of this reconciliation contradict each other; nothing was stated")
    return found


def statement_of(found: Reconciliation, size: int) -> Entry:
    """Return the open entry that states it; `size` is the length of the ledger it was compared with."""
    table = {"format": FORMAT, "size": size, **msgspec.to_builtins(found)}
    return Entry(stream=Stream.HEALTH, kind=Kind.FACT, plain=msgspec.json.encode(table, order="sorted"))


def read_statement(plain: bytes) -> Reconciliation:
    """Read the statement of an entry again.

    Raises:
        BadInput: it is none.
    """
    try:
        table = msgspec.json.decode(plain, type=dict[str, Any])
        if table.pop("format", "") != FORMAT:
            raise BadInput("this entry states no reconciliation")
        table.pop("size", None)
        return msgspec.convert(table, Reconciliation)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"this entry states no reconciliation: {error}") from None
