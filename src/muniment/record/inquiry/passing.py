"""Which messages of the gateway are in the record, and what the next hop said of each: numbers and times, no content.

Source: R-2.1-b, R-5.1-a; docs/formats/recorder-socket.md, "presence" and "passing".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from muniment.policy.errors import Missing
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.reading import open_facts, read_frame
from muniment.record.row import Row
from muniment.record.selection import Milliseconds

MOST_NUMBERS = 1_000
MOST_ROWS = 1_000
# The hop has 600 seconds to answer the end of a message, and the recorder 60 to take what it said.
OUTCOME_MS = 900_000
STREAMS = {stream.word: stream for stream in (Stream.MAIL_GATEWAY, Stream.MAIL_JOURNAL, Stream.MAIL_REFUSED)}
_NUMBER = re.compile(r"([a-z-]{1,40})/([1-9]\d{0,17})")
_QUEUED = re.compile(r"\bqueued as ([0-9A-Za-z]{5,24})\b")


class Presence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which numbers are asked about, as people write them: `mail-gateway/7`."""

    numbers: Annotated[tuple[str, ...], Meta(max_length=MOST_NUMBERS)]


class Passing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which time is asked about, and the ledger index from which a page begins."""

    from_ms: Milliseconds
    until_ms: Milliseconds
    start: Annotated[int, Meta(ge=0, le=1 << 62)] = 0


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """One message the gateway recorded.

    `again` is the number of the entry that came with the same bytes before, empty when none did. `outcome` is what
    became of it at the hop (accepted, refused, unsent, unknown), empty when none is recorded; `queue_id` is the name
    the hop gave it, empty when it gave none; `told_ms` is when the outcome was recorded, 0 when none is.
    """

    number: str
    captured_ms: int
    again: str = ""
    outcome: str = ""
    told_ms: int = 0
    queue_id: str = ""
    hop: str = ""


class PassedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of them in the order of the ledger; `following` is where the next page begins, None after the last."""

    rows: tuple[Passed, ...]
    following: int | None = None


def find_present(home: Home, catalogue: Catalogue, keeper: Keeper, asked: Presence) -> PassedPage:
    """Return those of the numbers asked about that are in the record; the others are not."""
    rows: list[Row] = []
    for stream, sequences in _by_stream(asked.numbers).items():
        marks = ",".join("?" * len(sequences))
        rows += catalogue.rows(f"stream = ? AND sequence IN ({marks})", (stream, *sequences))
    return PassedPage(rows=_passed(home, catalogue, keeper, sorted(rows)))


def find_passing(home: Home, catalogue: Catalogue, keeper: Keeper, asked: Passing) -> PassedPage:
    """Return what passed the gateway or came to its journal within a time, a page of it."""
    first = max(asked.start, _first_since(catalogue, asked.from_ms))
    end = _first_since(catalogue, asked.until_ms)
    streams = (Stream.MAIL_GATEWAY, Stream.MAIL_JOURNAL)
    rows = catalogue.rows(
        "idx IN (SELECT idx FROM entry WHERE idx >= ? AND idx < ? AND stream IN (?, ?) ORDER BY idx LIMIT ?)",
        (first, end, *streams, MOST_ROWS),
    )
    following = rows[-1].idx + 1 if len(rows) == MOST_ROWS else None
    return PassedPage(rows=_passed(home, catalogue, keeper, rows), following=following)


def _by_stream(numbers: Sequence[str]) -> dict[Stream, list[int]]:
    """Return the sequence numbers by stream; what is no number of a stream of mail is in no record."""
    found: dict[Stream, list[int]] = {}
    for number in dict.fromkeys(numbers):
        match = _NUMBER.fullmatch(number)
        if match and match[1] in STREAMS:
            found.setdefault(STREAMS[match[1]], []).append(int(match[2]))
    return found


def _passed(home: Home, catalogue: Catalogue, keeper: Keeper, rows: Sequence[Row]) -> tuple[Passed, ...]:
    outcomes = _outcomes(catalogue, rows)
    earlier = {
        row.idx: row for row in catalogue.rows_at([row.about for row in rows if row.about is not None])
    }
    found = []
    for row in rows:
        outcome = outcomes.get(row.idx)
        told = _told(home, keeper, outcome) if outcome else {}
        before = earlier.get(row.about) if row.about is not None else None
        queued = _QUEUED.search(str(told.get("reply", "")))
        found.append(
            Passed(
                number=_number(row),
                captured_ms=row.captured_ms,
                again=_number(before) if before else "",
                outcome=str(told.get("outcome", "")),
                told_ms=outcome.captured_ms if outcome else 0,
                queue_id=queued[1] if queued else "",
                hop=str(told.get("hop", ""))[:300],
            )
        )
    return tuple(found)


def _outcomes(catalogue: Catalogue, rows: Sequence[Row]) -> dict[int, Row]:
    """Return, by the index of a message, the entry that says what became of it."""
    wanted = {row.idx for row in rows if row.stream == Stream.MAIL_GATEWAY}
    if not wanted:
        return {}
    end = _first_since(catalogue, max(row.captured_ms for row in rows) + OUTCOME_MS)
    told = catalogue.rows("idx > ? AND idx < ? AND stream = ?", (min(wanted), end, Stream.MAIL_OUTCOME))
    return {row.about: row for row in told if row.about in wanted}


def _told(home: Home, keeper: Keeper, row: Row) -> dict[str, Any]:
    """Return the facts of an outcome; nothing once its key is destroyed."""
    try:
        facts = msgspec.msgpack.decode(open_facts(read_frame(home, row), keeper))
    except (Missing, msgspec.DecodeError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _number(row: Row) -> str:
    return Stream(row.stream).number(row.sequence)


def _first_since(catalogue: Catalogue, time_ms: int) -> int:
    """Return the least ledger index from which on every entry was captured at a time or later."""
    low, high = 0, catalogue.size()
    while low < high:
        middle = (low + high) // 2
        found = catalogue.rows("idx = (SELECT min(idx) FROM entry WHERE idx >= ?)", (middle,))
        if not found or found[0].captured_ms >= time_ms:
            high = middle
        else:
            low = found[0].idx + 1
    return low
