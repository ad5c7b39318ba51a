"""A pack: the messages chosen, to whom they go and why, the file to download, and how its recipient checks it.

Source: R-5.3-k, R-5.3-o; docs/formats/look.md (disclosures).
"""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from muniment.answer.forms import CHOSEN, PackForm
from muniment.answer.room_client import RoomClient
from muniment.answer.room_values import RoomState
from muniment.answer.views import shown
from muniment.answer.views.door import Door, in_room, page, stand_before
from muniment.answer.views.enquiry import Enquiry
from muniment.answer.views.packed import FILE, folder_of, forget_packs, made
from muniment.answer.views.rooms import standing
from muniment.policy.errors import Missing

_PAGE, _MOST_PAGES = 100, 100
_CHOOSING = "Choosing what goes into a pack"


@require_http_methods(["GET", "HEAD", "POST"])
@in_room
def pack(door: Door, client: RoomClient, state: RoomState) -> HttpResponse:
    """Show what was chosen and the form of a pack; on POST make it."""
    chosen = _chosen(client) if shown.can(state.rung, "envelope") else ()
    form = PackForm(door.request.POST or None)
    if door.request.method == "POST" and chosen and form.is_valid():
        found = form.cleaned_data
        client.pack(
            [row.index for row in chosen],
            found["title"],
            found["reason"],
            found["recipient"],
            found["age_recipient"],
        )
        return redirect("room-pack", door.name)
    ticket = door.sealed_address().seal(Enquiry(tag=CHOSEN, reason=_CHOOSING))
    context = {
        **standing(state),
        "form": form,
        "rows": chosen,
        "ticket": ticket,
        "towards": sum("towards" in row.tags for row in chosen),
        "away": sum("away" in row.tags for row in chosen),
        "packs": made(door),
        "vkey": _vkey(door),
    }
    return page(door, "pack", context, 400 if door.request.method == "POST" else 200)


def _vkey(door: Door) -> str:
    """Return the record's public key, which a recipient needs by another way than the pack; empty if it is away."""
    path = door.room.place.home.ledger / "vkey"
    return path.read_text("ascii", "replace").strip() if path.is_file() else ""


def _chosen(client: RoomClient) -> tuple[shown.Row, ...]:
    """Return every message with the tag of the pack, the oldest first."""
    found: list[shown.Row] = []
    first: int | None = 0
    for _ in range(_MOST_PAGES):
        if first is None:
            break
        result = client.search(tag=CHOSEN, reason=_CHOOSING, first=first, most=_PAGE, fold=False)
        found += shown.rows(result.hits)
        first = result.next
    return tuple(reversed(found))


@require_POST
def delete(request: HttpRequest, name: str, file: str) -> HttpResponse:
    """Delete a pack from this machine; the record keeps that it was made."""
    door = stand_before(request, name)
    forget_packs(door, file)
    return redirect("room-pack", door.name)


@require_safe
def download(request: HttpRequest, name: str, file: str) -> HttpResponseBase:
    """Send a pack as a file to be saved, never to be opened in the browser.

    Raises: Missing when the room has no such pack.
    """
    door = stand_before(request, name)
    path = folder_of(door) / file
    if not FILE.fullmatch(file) or path.is_symlink() or not path.is_file():
        raise Missing(
            f"the room {door.name} has no pack of that name; the packs that were made are on its page"
        )
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=file, content_type="application/octet-stream"
    )
