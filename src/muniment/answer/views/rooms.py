"""My rooms; a room's first page: unlock it, how far one has looked, how much there is and when; climb; close.

Source: R-5.2-f, R-5.3-k; docs/formats/room-socket.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from muniment.answer import rooms
from muniment.answer.forms import ClimbForm, SearchForm, UnlockForm
from muniment.answer.room_client import RoomClient
from muniment.answer.room_values import Counts, RoomState, Week
from muniment.answer.rooms import Room
from muniment.answer.views import door as doors
from muniment.answer.views import shown
from muniment.answer.views.door import Door, in_room, page, stand_before
from muniment.answer.views.enquiry import CLEARING
from muniment.answer.views.packed import forget_packs
from muniment.people.moment import in_words, local
from muniment.permit.replay import read_history
from muniment.permit.weeks import Picture, picture
from muniment.policy.errors import BadInput, MunimentError

_STATES = {
    "locked": ("", "Locked", "Unlock"),
    "building": ("wait", "Being built", "Enter"),
    "open": ("good", "Open", "Enter"),
}


@require_safe
def my_rooms(request: HttpRequest) -> HttpResponse:
    """List the rooms open to whoever is signed in."""
    now = datetime.now(UTC)
    person = doors.looker(request)
    found = rooms.rooms_of(doors.home(), person.id, int(now.timestamp() * 1000))
    history = read_history(doors.home())
    rows = [_row(request, room, doors.ending(room, history, now) is not None) for room in found]
    context = {"title": _how_many(len(found)), "rooms": rows}
    return render(request, "answer/rooms.html", context)


def _how_many(count: int) -> str:
    if count == 0:
        return "No room is open to you"
    return "One room is open to you" if count == 1 else f"{count} rooms are open to you"


def _row(request: HttpRequest, room: Room, is_over: bool) -> dict[str, Any]:
    shape, word, act = ("stop", "Over", "See why") if is_over else _STATES[_state_of(request, room)]
    return {
        "name": room.place.name,
        "number": room.request.number,
        "whose": doors.whose(room),
        "period": doors.period(room),
        "ends": in_words(local(room.ends_ms)),
        "entries": room.request.entries,
        "shape": shape,
        "word": word,
        "act": act,
    }


def _state_of(request: HttpRequest, room: Room) -> str:
    """Return how a room stands; one that does not answer is locked, since its keys went with its process."""
    if not room.is_running:
        return "locked"
    try:
        with RoomClient(room.place.socket, doors.looker(request, room), timeout_seconds=5) as client:
            return client.state().state
    except MunimentError:
        return "locked"


@require_safe
def room(request: HttpRequest, name: str) -> HttpResponse:
    """Show a room: how much there is and the form that searches it; a locked one asks for its words."""
    door = stand_before(request, name)
    if _state_of(request, door.room) == "locked":
        return redirect("room-unlock", door.name)
    return _open_room(request, name)


@in_room
def _open_room(door: Door, client: RoomClient, state: RoomState) -> HttpResponse:
    counts = client.counts()
    clears = "clear" in door.request.GET
    context = {
        **standing(state),
        "form": SearchForm(initial={"clears": clears, "fold": True, "field": "any"}),
        "tallies": [
            *((shown.direction(each.name), each.count) for each in counts.by_direction),
            *((each.name, each.count) for each in counts.by_size),
        ],
        "picture": weeks(counts.by_week),
        "title": count_title(counts),
        "clears": clears,
        "clearing": CLEARING.strip(),
    }
    return page(door, "room", context)


def count_title(counts: Counts) -> str:
    """Return what the picture shows, as a finding."""
    if not counts.entries:
        return "No message lies within the permit"
    most = max(counts.by_week, key=lambda week: week.count, default=None)
    title = "1 message" if counts.entries == 1 else f"{counts.entries:,} messages"
    if most is None or len(counts.by_week) < 2:
        return title
    return f"{title}; {most.count:,} in the week of {shown.in_days(local(most.start_ms).date())}"


def weeks(found: Sequence[Week]) -> Picture | None:
    """Return the picture of counts by week; one week alone is no picture."""
    return picture([(week.start_ms, week.count) for week in found]) if len(found) > 1 else None


def standing(state: RoomState) -> dict[str, Any]:
    """Return the ladder and the rest of a room's state as its pages show them."""
    return {
        "state": state,
        "ladder": shown.ladder(state.rung, state.depth),
        "next_rung": shown.next_rung(state.rung, state.depth),
        "can_search": shown.can(state.rung, "envelope"),
        "can_read": shown.can(state.rung, "content"),
        "building": doors.progress(state),
        "unseen": shown.unseen(state.unsearchable),
        "sealed": state.shielded,
        "sealed_why": shown.unseen(state.shielded_reasons),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def unlock(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for a room's six words; on POST open it: it is usable at once and goes on building."""
    door = stand_before(request, name)
    if request.method != "POST":
        is_locked = _state_of(request, door.room) == "locked"
        return doors.locked(door, form=UnlockForm()) if is_locked else redirect("room", door.name)
    form = UnlockForm(request.POST)
    if not form.is_valid() or doors.ending(door.room, read_history(doors.home()), door.now):
        return doors.locked(door, 400, form)
    try:
        with rooms.enter(door.room.place, door.looker) as client:
            client.unlock(form.cleaned_data["words"])
    except BadInput as error:
        form.add_error("words", str(error))
        return doors.locked(door, 400, form)
    return redirect("room", door.name)


@require_POST
@in_room
def climb(door: Door, client: RoomClient, state: RoomState) -> HttpResponse:
    """Climb to the next rung of the ladder, with the reason for it."""
    form = ClimbForm(door.request.POST)
    if not form.is_valid():
        return page(door, "climb", {**standing(state), "climb": form}, 400)
    client.climb(form.cleaned_data["rung"], form.cleaned_data["reason"])
    return redirect("room", door.name)


@require_POST
def close(request: HttpRequest, name: str) -> HttpResponse:
    """Close a room: it forgets its keys and its index, and its packs go; what was noted stays, sealed."""
    door = stand_before(request, name)
    forget_packs(door)
    rooms.stop(door.room.place, door.looker)
    return redirect("room", door.name)
