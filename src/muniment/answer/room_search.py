"""Searching a room: the page of hits, each with as much as the rung allows, copies folded, and what was not searched.

Source: docs/formats/room-socket.md, "Searching"; DESIGN "Rooms"; R-5.3-l.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import tantivy

from muniment.answer.index import Wanted
from muniment.answer.index_text import text_for_index
from muniment.answer.query import fold, parse, pattern_of
from muniment.answer.reading.envelope import Envelope, envelope_of
from muniment.answer.room_arguments import Search
from muniment.answer.room_entries import UNKNOWN, Standing
from muniment.answer.room_open import OpenRoom
from muniment.answer.room_values import Hit, SearchResult
from muniment.policy.errors import BadInput, Conflict
from muniment.record.entry import Direction

_SNIPPET_BEFORE, _SNIPPET_CHARACTERS, _MOST_MARKS = 60, 240, 20
_MOST_RECIPIENTS = 50
_MOST_PAGES = 200
_MAX_SOUGHT_CHARACTERS = 400_000
_ADDRESS = re.compile(r"[^\s<>\"(),;:\[\]]{1,128}@[^\s<>\"(),;:\[\]]{1,255}")


def search(room: OpenRoom, asked: Search) -> SearchResult:
    """Return what a search finds; the caller records it before it is shown.

    Raises: BadInput when the words are not understood. Conflict in a room that has no index.
    """
    if room.is_scan_room:
        raise Conflict(
            f"this room has {len(room.entries):,} entries and no index; look for terms with a scan"
        )
    parts = parse(asked.words, asked.field, room.index.tokens)
    places = tagged(room, asked.tag) if asked.tag else None
    wanted = Wanted(addresses_of(room, asked.person), asked.from_ms, asked.until_ms, places)
    query = room.index.compile(parts, wanted)
    found, shown, following = _page(room, asked, query)
    return SearchResult(
        found=found,
        shielded=room.shielded(),
        searched=room.builder.indexed,
        not_searched=room.not_searched(),
        hits=hits_of(room, shown, pattern_of(parts)),
        next=following,
        by_week=room.index.by_week(query),
        record_number="",
    )


def addresses_of(room: OpenRoom, person: str) -> list[str]:
    """Return the addresses that stand for a person of the permit, or the one address that was given.

    Raises: BadInput when it is neither.
    """
    if not person:
        return []
    if "@" in person:
        return [person.strip().lower()]
    found = {w.address.lower() for w in room.files.request.windows if w.person == person}
    if not found:
        raise BadInput(f"{person[:40]!r} is neither a person of this permit nor an address")
    return sorted(found)


def tagged(room: OpenRoom, tag: str) -> list[int]:
    """Return the places that carry a tag."""
    indexes = room.notes.tagged(tag)
    return [place for place, index in enumerate(room.entries.indexes) if index in indexes] if indexes else []


def _page(room: OpenRoom, asked: Search, query: tantivy.Query) -> tuple[int, list[int], int | None]:
    """Return how many fit, the places of one page, and where the next page begins."""
    shown: list[int] = []
    at, found = asked.first, 0
    for _ in range(_MOST_PAGES):
        found, places = room.index.newest(query, at, max(asked.most, 64))
        for place in places:
            at += 1
            if room.entries.standing[place] == Standing.SHIELDED:
                continue
            if not asked.fold or _is_newest_copy(room, place, asked.until_ms):
                shown.append(place)
                if len(shown) == asked.most:
                    return found, shown, at if at < found else None
        if at >= found or not places:
            return found, shown, None
    return found, shown, at


def _is_newest_copy(room: OpenRoom, place: int, until_ms: int | None) -> bool:
    copies = room.builder.copies.of(place)
    if len(copies) == 1:
        return True
    at, standing = room.entries.at, room.entries.standing
    within = [
        (at[copy], copy)
        for copy in copies
        if standing[copy] != Standing.SHIELDED and (until_ms is None or at[copy] < until_ms)
    ]
    return (at[place], place) >= max(within, default=(0, 0))


def hits_of(room: OpenRoom, places: Sequence[int], pattern: re.Pattern[str] | None) -> list[Hit]:
    """Return the hits at some places, each with as much as the room's rung allows."""
    return [hit_of(room, place, pattern) for place in places]


def hit_of(room: OpenRoom, place: int, pattern: re.Pattern[str] | None) -> Hit:
    """Return one hit."""
    entries, ladder = room.entries, room.ladder
    index = entries.indexes[place]
    snippet: str | None = None
    marks: list[tuple[int, int]] = []
    if ladder.reaches("content") and entries.has_content[place]:
        meta, written = room.opener.both(index)
        snippet, marks = snippet_of(text_for_index(written).body, pattern)
    else:
        meta = room.opener.meta_map(index)
    envelope = envelope_of(meta)
    marked = room.notes.of(index)
    attachments = entries.attachments[place]
    return Hit(
        index=index,
        number=entries.number(place),
        captured_ms=entries.captured[place],
        at_ms=entries.at[place],
        date_ms=envelope.sent_ms,
        from_=envelope.from_ or envelope.mail_from,
        to=recipients(envelope),
        size=entries.sizes[place],
        direction=Direction(entries.directions[place]).name.lower(),
        attachments=None if attachments == UNKNOWN else attachments,
        copies=len(room.builder.copies.of(place)) - 1,
        thread=entries.indexes[room.builder.threads.find(place)],
        notes=len(marked.notes),
        tags=marked.tags,
        subject=envelope.subject if ladder.reaches("subject") else None,
        snippet=snippet,
        snippet_marks=marks,
    )


def recipients(envelope: Envelope) -> list[str]:
    """Return to whom a message went: of the dialogue, or of its header."""
    if envelope.rcpt_to:
        return list(envelope.rcpt_to[:_MOST_RECIPIENTS])
    named = f"{envelope.to}, {envelope.cc}".strip(" ,")
    return list(dict.fromkeys(_ADDRESS.findall(named)))[:_MOST_RECIPIENTS] or ([named] if named else [])


def snippet_of(text: str, pattern: re.Pattern[str] | None) -> tuple[str, list[tuple[int, int]]]:
    """Return the piece of a text around the first thing sought, on one line, and where sought things stand in it."""
    at = 0
    if pattern is not None:
        found = pattern.search(fold(text[:_MAX_SOUGHT_CHARACTERS]).lower())
        at = max(0, found.start() - _SNIPPET_BEFORE) if found else 0
    piece = " ".join(text[at : at + 2 * _SNIPPET_CHARACTERS].split())[:_SNIPPET_CHARACTERS]
    if pattern is None:
        return piece, []
    marks = [(match.start(), match.end()) for match in pattern.finditer(fold(piece).lower())]
    return piece, [mark for mark in marks if mark[1] <= len(piece)][:_MOST_MARKS]
