"""Reading in a room: counts, one message, its attachments, a conversation; each entry opened anew, its bytes proved.

Source: docs/formats/room-socket.md; R-5.3-l, R-5.4-c.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from muniment.answer.index import week_of
from muniment.answer.reading.attachment import text_of
from muniment.answer.reading.harmless import sanitise
from muniment.answer.reading.letter import Letter, read_letter
from muniment.answer.room_arguments import Read, ReadAttachment
from muniment.answer.room_entries import Standing
from muniment.answer.room_open import OpenRoom
from muniment.answer.room_search import hit_of, hits_of
from muniment.answer.room_values import (
    Attachment,
    AttachmentText,
    Conversation,
    Count,
    Counts,
    Hit,
    Message,
    Week,
)
from muniment.policy.errors import BadInput, Missing, Refused
from muniment.record.entry import Direction

MOST_OF_A_CONVERSATION = 500
_KB, _MB = 1000, 1_000_000
_SIZES = (
    (10 * _KB, "under 10 KB"),
    (100 * _KB, "10 KB to 100 KB"),
    (_MB, "100 KB to 1 MB"),
    (10 * _MB, "1 MB to 10 MB"),
    (1 << 62, "10 MB or more"),
)


def counts(room: OpenRoom) -> Counts:
    """Return how many entries there are by week, direction and size; those marked since are left out."""
    entries = room.entries
    weeks: Counter[int] = Counter()
    directions: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for place in entries.open_places():
        weeks[week_of(entries.at[place])] += 1
        directions[Direction(entries.directions[place]).name.lower()] += 1
        sizes[_size_of(entries.sizes[place])] += 1
    return Counts(
        by_week=[Week(start, count) for start, count in sorted(weeks.items())],
        by_direction=[Count(name, count) for name, count in directions.most_common()],
        by_size=[Count(name, sizes[name]) for _, name in _SIZES if sizes[name]],
        entries=len(entries) - room.marked(),
        shielded=room.shielded(),
    )


def conversation(room: OpenRoom, index: int) -> Conversation:
    """Return the thread of an entry, oldest first, at most MOST_OF_A_CONVERSATION of it."""
    entries, find = room.entries, room.builder.threads.find
    thread = find(entries.place(index))
    places = [place for place in range(len(entries)) if find(place) == thread]
    shown = [place for place in places if entries.standing[place] != Standing.SHIELDED]
    shown.sort(key=lambda place: (entries.at[place], place))
    hits = hits_of(room, shown[-MOST_OF_A_CONVERSATION:], None)
    return Conversation(hits=hits, shielded=len(places) - len(shown), record_number="")


def read(room: OpenRoom, asked: Read) -> Message:
    """Return one message in the clear. Raises: Missing when it is not shown here. BadInput for a face it has not."""
    place = _readable(room, asked.index)
    opened = room.opener.whole(asked.index)
    if asked.face == "sent" and opened.sent is None:
        raise BadInput("this message left as it was written: there is no other face of it")
    raw = opened.sent if asked.face == "sent" and opened.sent is not None else opened.content
    letter, marked = read_letter(raw), room.notes.of(asked.index)
    return Message(
        index=asked.index,
        number=room.entries.number(place),
        captured_ms=room.entries.captured[place],
        face=asked.face,
        has_sent=opened.sent is not None,
        headers=list(letter.headers),
        text=letter.body_text,
        html=sanitise(letter.html, letter.attachments) if letter.html else "",
        attachments=_attachments(letter),
        defects=list(letter.defects),
        decision=room.opener.decision(asked.index),
        hit=hit_of(room, place, None),
        notes=marked.notes,
        tags=marked.tags,
        record_number="",
    )


def attachment(room: OpenRoom, asked: ReadAttachment) -> AttachmentText:
    """Return the text of one attachment. Raises: Missing when there is no such entry or part."""
    _readable(room, asked.index)
    letter = read_letter(room.opener.whole(asked.index).content)
    found = next((each for each in letter.attachments if each.part == asked.part), None)
    if found is None:
        raise Missing(f"entry {asked.index} has no attachment {asked.part[:20]!r}")
    extracted = text_of(found.name, found.type, found.data)
    return AttachmentText(
        part=found.part,
        name=found.name,
        type=found.type,
        size=found.size,
        text=extracted.text,
        problem=str(extracted.problem),
        record_number="",
    )


def _readable(room: OpenRoom, index: int) -> int:
    """Return the place of an entry whose content may be read now."""
    place = room.entries.place(index)
    if not room.entries.has_content[place]:
        raise Refused("this permit opens envelopes, not content", clause="R-5.3-e")
    if room.builder.is_shielding:
        raise Missing(
            "the room still finds out which conversations their owners have marked; try again shortly"
        )
    return place


def _attachments(letter: Letter) -> list[Attachment]:
    return [Attachment(part=a.part, name=a.name, type=a.type, size=a.size) for a in letter.attachments]


def _size_of(size: int) -> str:
    return next(name for limit, name in _SIZES if size < limit)


def entries_of(hits: Iterable[Hit]) -> tuple[int, ...]:
    """Return the ledger indexes of hits, as a look records them."""
    return tuple(hit.index for hit in hits)
