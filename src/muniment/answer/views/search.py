"""Searching a room: the question is sealed into an address, its answer shown there; and a conversation.

Source: R-5.1-b, R-5.2-f, R-5.3-a (the search for the other side), R-5.3-l (what stays sealed is counted).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from muniment.answer.forms import SearchForm
from muniment.answer.room_client import RoomClient
from muniment.answer.room_values import RoomState, SearchResult
from muniment.answer.views import shown
from muniment.answer.views.door import Door, in_room, page
from muniment.answer.views.enquiry import Enquiry
from muniment.answer.views.rooms import standing, weeks
from muniment.policy.errors import BadInput

MOST = 20
_FARTHEST = 10_000_000


@require_POST
@in_room
def search(door: Door, client: RoomClient, state: RoomState) -> HttpResponse:
    """Take a question; its answer has an address of its own, in which nothing of it can be read."""
    form = SearchForm(door.request.POST)
    if not form.is_valid():
        return page(door, "found", {**standing(state), "form": form, "result": None}, 400)
    return redirect("room-found", door.name, door.sealed_address().seal(form.enquiry()))


@require_safe
@in_room
def found(door: Door, client: RoomClient, state: RoomState, ticket: str) -> HttpResponse:
    """Show what a search found; the search stands in the record before this answers."""
    enquiry = door.sealed_address().open(ticket)
    form = SearchForm(initial=_initial(enquiry))
    try:
        result = ask(client, enquiry, _first(door))
    except BadInput as error:
        form = SearchForm(_initial(enquiry))
        form.add_error("words", str(error))
        return page(door, "found", {**standing(state), "form": form, "result": None, "enquiry": enquiry}, 400)
    context = {
        **standing(state),
        "form": form,
        "enquiry": enquiry,
        "ticket": ticket,
        "result": result,
        "rows": shown.rows(result.hits),
        "title": found_title(result, state.entries),
        "picture": weeks(result.by_week),
        "unseen": shown.unseen(result.not_searched),
        "sealed": result.shielded,
        "is_first": _first(door) == 0,
        "next_first": str(result.next),
    }
    return page(door, "found", context)


@require_safe
@in_room
def conversation(door: Door, client: RoomClient, state: RoomState, index: int, ticket: str) -> HttpResponse:
    """Show the conversation a message belongs to, the oldest first."""
    door.sealed_address().open(ticket)
    answer = client.conversation(index)
    context = {
        **standing(state),
        "index": index,
        "ticket": ticket,
        "rows": shown.rows(answer.hits),
        "sealed_here": answer.shielded,
        "record_number": answer.record_number,
    }
    return page(door, "conversation", context)


def ask(client: RoomClient, enquiry: Enquiry, first: int) -> SearchResult:
    """Return what the room finds."""
    return client.search(
        enquiry.words,
        person=enquiry.person,
        from_ms=shown.start_of(enquiry.since),
        until_ms=shown.end_of(enquiry.until),
        field=enquiry.field,
        reason=enquiry.stated,
        first=first,
        most=MOST,
        fold=enquiry.fold,
    )


def found_title(result: SearchResult, entries: int) -> str:
    """Return what was found, as a finding."""
    if not result.found:
        return "Nothing was found in what could be searched"
    if entries == 1:
        return "The one message here fits"
    return f"{result.found:,} of {entries:,} messages {'fits' if result.found == 1 else 'fit'}"


def _initial(enquiry: Enquiry) -> dict[str, Any]:
    return {
        "words": enquiry.words,
        "person": enquiry.person,
        "since": enquiry.since.isoformat() if enquiry.since else "",
        "until": enquiry.until.isoformat() if enquiry.until else "",
        "field": enquiry.field,
        "fold": enquiry.fold,
        "clears": enquiry.clears,
        "reason": enquiry.reason,
    }


def _first(door: Door) -> int:
    """Return where a page of a result begins; what is no such place begins at the newest."""
    given = str(door.request.GET.get("first", ""))
    return min(int(given), _FARTHEST) if given.isascii() and given.isdigit() and len(given) < 9 else 0
