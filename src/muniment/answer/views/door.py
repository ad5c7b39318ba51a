"""The door of a room: which room an address names, who stands before it, and what every page of it says.

The page refuses whoever the permit does not name; the room refuses them again, for itself. Whether there is a room
that somebody may not enter is not told. Source: R-5.2-f, R-5.3-k.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from muniment.answer import rooms
from muniment.answer.room_client import Looker, RoomClient
from muniment.answer.room_values import RoomState
from muniment.answer.rooms import Room
from muniment.answer.views.enquiry import SealedAddress
from muniment.answer.views.shown import in_days
from muniment.people.moment import in_words, local
from muniment.people.role import Role
from muniment.permit.replay import History, Standing, read_history
from muniment.permit.state import State
from muniment.permit.words import at, cite, purpose_title, role_label
from muniment.policy.errors import Conflict, Missing, Unavailable
from muniment.record.home import Home

_MOST_INDEX = 1 << 62  # what a number in MessagePack and in the record can be
View = Callable[..., HttpResponse]


class _Locked(Conflict):
    """The room has no keys now: caught here, where the page that asks for its words is shown instead."""


@dataclass(frozen=True)
class Door:
    """One person before one room, now."""

    request: HttpRequest
    room: Room
    looker: Looker
    now: datetime

    @property
    def name(self) -> str:
        """The room's name, for instance `2026-003-1`."""
        return self.room.place.name

    def client(self) -> RoomClient:
        """Return a connection to the room.

        Raises: Conflict when its process does not run: it was closed, or ended with the machine.
        """
        if not rooms.is_running(self.room.place):
            raise _Locked("the room is locked; its six words open it again")
        return RoomClient(self.room.place.socket, self.looker)

    def sealed_address(self) -> SealedAddress:
        """Return what seals the addresses of this room's pages for this sign-in."""
        session = getattr(self.request, "session", None)
        sign_in = getattr(session, "session_key", None) or ""
        return SealedAddress(settings.SECRET_KEY, sign_in, self.looker.id, self.name)


def home() -> Home:
    """Return the home this console serves. Raises: Unavailable when it serves none."""
    found: Home | None = settings.MUNIMENT_HOME
    if found is None:
        raise Unavailable("the console serves no home; start it with `muniment up`, or set MUNIMENT_HOME")
    return found


def looker(request: HttpRequest, room: Room | None = None) -> Looker:
    """Return who looks: the requester in the role the permit names, a reader in the role held now."""
    person = getattr(request, "person", None)
    if person is None:
        raise Missing("nobody is signed in; sign in to see your rooms")
    held = sorted(getattr(request, "roles", frozenset[Role]()), key=list(Role).index)
    role = str(held[0]) if held else ""
    if room is not None and room.request.requester.id == str(person.pk):
        role = room.request.requester.role
    return Looker(str(person.pk), person.name, role)


def stand_before(request: HttpRequest, name: str) -> Door:
    """Return the door of a room.

    Raises: Missing when there is no such room for this person, whether there is none or it is another's.
    """
    place = rooms.parse_place(home(), name)
    person = looker(request)
    try:
        room = rooms.load(place)
    except Missing:
        raise _no_room(name) from None
    if not rooms.may_enter(room.request, person.id):
        raise _no_room(name)
    return Door(request, room, looker(request, room), datetime.now(UTC))


def _no_room(name: str) -> Missing:
    return Missing(
        f"no room {name[:40]} is open to you. A room opens to whoever asked for its permit, and to those the permit "
        "names as readers; your rooms are in the list"
    )


def in_room(view: View) -> View:
    """Wrap a view of an open room: it gets the door and a connection; a locked room shows how to unlock it."""

    @wraps(view)
    def within(request: HttpRequest, name: str, *args: Any, **kwargs: Any) -> HttpResponse:
        door = stand_before(request, name)
        if kwargs.get("index", 0) >= _MOST_INDEX:
            raise Missing(
                f"there is no entry {kwargs['index']} in this room: it is not within the permit, or is sealed"
            )
        try:
            with door.client() as client:
                state = client.state()
                if state.state == "locked":
                    raise _Locked("the room is locked; its six words open it again")
                return view(door, client, state, *args, **kwargs)
        except _Locked:
            return locked(door, status=409)

    return within


def locked(door: Door, status: int = 200, form: object = None) -> HttpResponse:
    """Show that a room is locked, and the field for its six words; or that its permit is over, and why."""
    over = ending(door.room, read_history(door.room.place.home), door.now)
    return page(door, "locked", {"form": form, "over": over}, 403 if over else status)


def ending(room: Room, history: History, now: datetime) -> dict[str, str] | None:
    """Return how the permit of a room ended, by the record's own acts; None while it is in force."""
    standing = history.permits.get(room.request.number)
    if standing is None:
        return {"title": "The record holds no such permit", "what": "Nothing opens under it."}
    is_current = standing.revision == room.request.revision
    if is_current and standing.is_in_force(int(now.timestamp() * 1000)):
        return None
    return _ended(standing, room)


def _ended(standing: Standing, room: Room) -> dict[str, str]:
    act = standing.events[-1].act
    if standing.state is State.REVOKED:
        return {
            "title": "This permit was revoked",
            "what": f"{officer_name(act.by)} revoked it on {at(act.at_ms)}.",
            "reason": act.reason,
        }
    return {"title": "This permit has ended", "what": f"It ended by itself on {at(room.ends_ms)}."}


def page(door: Door, template: str, more: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return a page of a room, with what every one says: whose, under which permit, who reads, when."""
    context = {"room": describe(door), **more}
    return render(door.request, f"answer/{template}.html", context, status=status)


def describe(door: Door) -> dict[str, Any]:
    """Return what every page of a room says of it."""
    asked, room = door.room.request, door.room
    return {
        "name": door.name,
        "number": asked.number,
        "whose": whose(door.room),
        "period": period(door.room),
        "officer": officer_name(room.officer),
        "decided": at(room.decided_ms),
        "ends": at(room.ends_ms),
        "purpose": purpose_title(asked.purpose),
        "clause": cite(asked.clause).number,
        "case": asked.case,
        "depth": asked.depth,
        "shielded": asked.shielded,
        "entries": asked.entries,
        "reader": door.looker.name,
        "role": role_label(door.looker.role),
        "initials": "".join(part[0] for part in door.looker.name.split()[:2]),
        "now": in_words(door.now),
        "words_are_yours": door.looker.id == asked.requester.id,
        "requester": asked.requester.name,
        "addresses": sorted({window.address for window in asked.windows}),
    }


def whose(room: Room) -> str:
    """Return whose mail a room holds, for a title: up to two names, else how many people."""
    names = [subject.name for subject in room.request.subjects] or sorted(
        {window.address for window in room.request.windows}
    )
    if len(names) > 2:
        return f"The mail of {len(names)} people"
    return f"{' and '.join(f'{name}’s' for name in names)} mail" if names else "Mail"


def period(room: Room) -> str:
    """Return the days a room covers, the last one included."""
    first, last = local(room.request.from_ms).date(), local(max(room.request.until_ms - 1, 0)).date()
    return in_days(first) if first == last else f"{in_days(first)} to {in_days(last)}"


def officer_name(officer: str) -> str:
    """Return the name of an officer by the id of the policy file; the id when nobody has it any more."""
    policy = settings.MUNIMENT_POLICY
    known = {each.id: each.name for each in policy.officers} if policy else {}
    return known.get(officer, officer)


def progress(state: RoomState) -> dict[str, Any]:
    """Return how far a room has been built, for its progress bars."""
    return {
        "is_building": state.state == "building",
        "indexed": state.indexed,
        "entries": state.entries,
        "attachments_indexed": state.attachments_indexed,
        "with_attachments": state.with_attachments,
    }
