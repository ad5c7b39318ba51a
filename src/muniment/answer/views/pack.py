"""A pack: the messages chosen, to whom they go and why, the file to download, and how its recipient checks it.

Source: R-5.3-k, R-5.3-o; docs/formats/look.md (disclosures).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from muniment.answer.forms import CHOSEN, PackForm
from muniment.answer.room_client import RoomClient
from muniment.answer.room_values import RoomState
from muniment.answer.views import shown
from muniment.answer.views.door import Door, in_room, page, stand_before
from muniment.answer.views.enquiry import Enquiry
from muniment.answer.views.rooms import standing
from muniment.people.moment import in_words
from muniment.policy.errors import Missing

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.(?:zip|age)")
_PAGE, _MOST_PAGES = 100, 100
_CHOOSING = "Choosing what goes into a pack"


@require_http_methods(["GET", "HEAD", "POST"])
@in_room
def pack(door: Door, client: RoomClient, state: RoomState) -> HttpResponse:
    """Show what was chosen and the form of a pack; on POST make it."""
    chosen = _chosen(client)
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
    }
    return page(door, "pack", context, 400 if door.request.method == "POST" else 200)


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


def made(door: Door) -> list[dict[str, Any]]:
    """Return the packs that lie in the room's folder, the newest first."""
    folder = _folder(door)
    files = [path for path in folder.iterdir() if _FILE.fullmatch(path.name)] if folder.is_dir() else []
    files.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [
        {
            "name": path.name,
            "size": shown.size_in_words(path.stat().st_size),
            "is_encrypted": path.suffix == ".age",
            "made": in_words(shown.moment_ms(path.stat().st_mtime_ns // 1_000_000)),
        }
        for path in files
    ]


def _folder(door: Door) -> Path:
    return door.room.place.folder / "packs"


@require_safe
def download(request: HttpRequest, name: str, file: str) -> HttpResponseBase:
    """Send a pack as a file to be saved, never to be opened in the browser.

    Raises: Missing when the room has no such pack.
    """
    door = stand_before(request, name)
    path = _folder(door) / file
    if not _FILE.fullmatch(file) or path.is_symlink() or not path.is_file():
        raise Missing(
            f"the room {door.name} has no pack of that name; the packs that were made are on its page"
        )
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=file, content_type="application/octet-stream"
    )
