"""What a room answers: the values of its operations, as they pass over its socket and reach a page.

Source: docs/formats/room-socket.md.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Rung = Literal["counts", "envelope", "subject", "content"]
RUNGS: tuple[Rung, ...] = ("counts", "envelope", "subject", "content")


class Reason(msgspec.Struct, frozen=True):
    """How many entries could not be searched, or stay closed, and why (a short plain phrase)."""

    reason: str
    count: int


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """How a room stands. Before it is unlocked only `state`, `entries`, `shielded` and `ends_ms` say something.

    `entries` are within the permit and open here; `shielded` are counted, not opened; `indexed` of the entries have
    their text in the index, `attachments_indexed` of `with_attachments` also that of their attachments.
    """

    state: Literal["locked", "building", "open"]
    number: str
    revision: int
    depth: Literal["envelope", "content"]
    entries: int
    shielded: int
    shielded_reasons: list[Reason] = []
    indexed: int = 0
    with_attachments: int = 0
    attachments_indexed: int = 0
    unsearchable: list[Reason] = []
    rung: Rung = "counts"
    ends_ms: int
    idle_ends_ms: int = 0
    confinement: list[str] = []


class Week(msgspec.Struct, frozen=True):
    """The entries of one week, which begins on a Monday at `start_ms` (UTC)."""

    start_ms: int
    count: int


class Count(msgspec.Struct, frozen=True):
    """How many entries there are of one kind."""

    name: str
    count: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The first rung: how many and when, nobody named beyond the permit."""

    by_week: list[Week]
    by_direction: list[Count]
    by_size: list[Count]
    entries: int
    shielded: int


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a list. `subject` is None below rung subject, `snippet` below rung content.

    `date_ms` is what the header says, None when it says nothing readable; `at_ms` is what the list is ordered by: the
    time of capture, or of imported mail the header's. `snippet` holds text and the parts of it that were sought.
    """

    index: int
    number: str
    captured_ms: int
    at_ms: int
    date_ms: int | None
    from_: str
    to: list[str]
    size: int
    direction: str
    attachments: int | None
    copies: int
    thread: int
    notes: int
    tags: list[str]
    subject: str | None = None
    snippet: str | None = None
    snippet_marks: list[tuple[int, int]] = []


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found. `found` counts entries, copies included; `next` is the `first` of the following page.

    `by_week` counts the matches a week. `record_number` is the entry in the record that holds this search.
    """

    found: int
    shielded: int
    searched: int
    not_searched: list[Reason]
    hits: list[Hit]
    next: int | None
    by_week: list[Week]
    record_number: str


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A thread, oldest first; `shielded` of it stay closed."""

    hits: list[Hit]
    shielded: int
    record_number: str


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment of a message, not opened."""

    part: str
    name: str
    type: str
    size: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message in the clear. `html` is sanitised and empty when there is none; `has_sent` says that the message
    left with other bytes than it was written with; `decision` is the sentence the gateway recorded.
    """

    index: int
    number: str
    captured_ms: int
    face: Literal["written", "sent"]
    has_sent: bool
    headers: list[tuple[str, str]]
    text: str
    html: str
    attachments: list[Attachment]
    defects: list[str]
    decision: str
    hit: Hit
    notes: list[Note]
    tags: list[str]
    record_number: str


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One note of a reader on an entry."""

    text: str
    by: str
    at_ms: int


class AttachmentText(msgspec.Struct, frozen=True, kw_only=True):
    """The text of an attachment; `problem` says why there is none."""

    part: str
    name: str
    type: str
    size: int
    text: str
    problem: str
    record_number: str


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """The notes and tags of one entry after a change."""

    index: int
    notes: list[Note]
    tags: list[str]


class TermHit(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in which a scan found terms, by their place in the list."""

    index: int
    number: str
    captured_ms: int
    terms: list[int]


class ScanState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a scan is. It goes on in the room; ask again until `is_done`."""

    is_done: bool
    scanned: int
    of: int
    not_scanned: list[Reason]
    found: int
    hits: list[TermHit]
    record_number: str


class PackResult(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that was made; `path` is below the room's folder."""

    path: str
    manifest_sha256: str
    entries: int
    record_number: str
