"""Reading a message: its headers, its text first, its HTML in a frame of its own, its attachments as text, and notes.

1. The text is shown as text. What would turn the writing round is spelled out.
2. HTML is shown only when asked for, sanitised by the room, at an address whose content security policy gives it an
   origin of its own: no script, no form, nothing fetched, no cookie of the console (`Content.RECORDED`).
3. Of an attachment the extracted text is shown; when there is none the page says why. Its bytes are never sent.

Source: R-5.2-f, R-5.3-k, R-5.3-l; docs/formats/room-socket.md (`read`, `attachment`, `note`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from muniment.answer.forms import BEARINGS, CHOSEN, NoteForm
from muniment.answer.room_client import RoomClient
from muniment.answer.room_values import Attachment, Message, RoomState
from muniment.answer.views import shown
from muniment.answer.views.door import Door, in_room, page
from muniment.answer.views.enquiry import Enquiry
from muniment.answer.views.rooms import standing
from muniment.people.moment import LONDON, in_words, local
from muniment.policy.errors import Missing

SHOWN_CHARACTERS = 256 << 10
_FIRST_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_TOLD_HOUR = 17  # as the notice to the person looked at is sent (DESIGN, "Notice")
_FACES = ("written", "sent", "html")
_FRAME = (
    '<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>The message as its sender laid it out</title>'
    "</head><body>{html}</body></html>"
)


@dataclass(frozen=True)
class Shown:
    """One message as its page shows it."""

    title: str
    captured: str
    first_headers: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    text: tuple[shown.Piece, ...]
    left_out: str
    attachments: tuple[dict[str, str], ...]


@require_safe
@in_room
def message(door: Door, client: RoomClient, state: RoomState, index: int, ticket: str) -> HttpResponse:
    """Show one message; that it was opened stands in the record before this answers."""
    enquiry = door.sealed_address().open(ticket)
    face = str(door.request.GET.get("face", "written"))
    face = face if face in _FACES else "written"
    found = client.read(index, enquiry.stated, "sent" if face == "sent" else "written")
    context = {
        **standing(state),
        "index": index,
        "ticket": ticket,
        "enquiry": enquiry,
        "face": face,
        "message": found,
        "shown": as_shown(found, enquiry),
        "row": shown.row(found.hit),
        "defects": [shown.visible(each) for each in found.defects],
        "told": "today" if door.now.astimezone(LONDON).hour < _TOLD_HOUR else "tomorrow",
        "decision": shown.visible(found.decision),
        **note_context(found),
    }
    return page(door, "message", context)


def as_shown(found: Message, enquiry: Enquiry) -> Shown:
    """Return a message in the pieces its page shows."""
    headers = tuple((shown.visible(name), shown.visible(value)) for name, value in found.headers)
    text = found.text[:SHOWN_CHARACTERS]
    captured = local(found.captured_ms)
    return Shown(
        title=f"A message of {shown.in_days(local(found.hit.at_ms).date())}",
        captured=in_words(captured),
        first_headers=_first(headers),
        headers=headers,
        text=shown.pieces(shown.visible(text), shown.sought(enquiry.words)),
        left_out=f"{len(found.text) - len(text):,} characters" if len(found.text) > len(text) else "",
        attachments=tuple(map(_attachment, found.attachments)),
    )


def _first(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the headers a reader looks for, in the order in which a letter has them."""
    wanted = {name.lower(): name for name in _FIRST_HEADERS}
    found = [(wanted[name.lower()], value) for name, value in headers if name.lower() in wanted]
    return tuple(sorted(found, key=lambda each: _FIRST_HEADERS.index(each[0])))


def _attachment(found: Attachment) -> dict[str, str]:
    return {
        "part": found.part,
        "name": shown.visible(found.name) or "without a name",
        "type": shown.visible(found.type),
        "size": shown.size_in_words(found.size),
    }


def note_context(found: Message) -> dict[str, Any]:
    """Return the notes and tags of a message, and the form that adds to them."""
    bearing = next((name for name, _, _ in BEARINGS if name in found.tags), "")
    named = {name for name, _, _ in BEARINGS} | {CHOSEN}
    return {
        "notes": [
            {"text": shown.visible(each.text), "by": each.by, "at": in_words(local(each.at_ms))}
            for each in found.notes
        ],
        "bearings": BEARINGS,
        "bearing": bearing,
        "own_tags": ", ".join(tag for tag in found.tags if tag not in named),
        "is_chosen": CHOSEN in found.tags,
    }


@require_safe
@in_room
def frame(door: Door, client: RoomClient, state: RoomState, index: int, ticket: str) -> HttpResponse:
    """Answer with the sanitised HTML of a message and nothing of ours; only a page of ours may frame it."""
    enquiry = door.sealed_address().open(ticket)
    found = client.read(index, enquiry.stated, "written")
    if not found.html:
        raise Missing("this message has no HTML; its text is on its page")
    return HttpResponse(_FRAME.replace("{html}", found.html), content_type="text/html; charset=utf-8")


@require_safe
@in_room
def attachment(
    door: Door, client: RoomClient, state: RoomState, index: int, part: str, ticket: str
) -> HttpResponse:
    """Show the text of one attachment, or why there is none."""
    enquiry = door.sealed_address().open(ticket)
    found = client.attachment(index, part, enquiry.stated)
    text = found.text[:SHOWN_CHARACTERS]
    context = {
        **standing(state),
        "index": index,
        "ticket": ticket,
        "enquiry": enquiry,
        "file_name": shown.visible(found.name) or "An attachment without a name",
        "type": shown.visible(found.type),
        "size": shown.size_in_words(found.size),
        "problem": shown.why_no_text(found.problem),
        "text": shown.pieces(shown.visible(text), shown.sought(enquiry.words)),
        "left_out": f"{len(found.text) - len(text):,} characters" if len(found.text) > len(text) else "",
        "record_number": found.record_number,
    }
    return page(door, "attachment", context)


@require_POST
@in_room
def note(door: Door, client: RoomClient, state: RoomState, index: int, ticket: str) -> HttpResponse:
    """Keep what the reader thinks of a message, sealed in the room; then show the message again."""
    enquiry = door.sealed_address().open(ticket)
    form = NoteForm(door.request.POST)
    if not form.is_valid():
        return page(door, "note", {**standing(state), "form": form, "index": index, "ticket": ticket}, 400)
    client.note(index, form.cleaned_data["text"], form.all_tags())
    return redirect("room-message", door.name, index, door.sealed_address().seal(enquiry))
