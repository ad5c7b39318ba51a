"""A scan: anything in the room that names one of many terms, counted apart from what could not be scanned.

Source: R-5.1-b, R-5.2-f; docs/formats/room-socket.md (`scan`).
"""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from muniment.answer.forms import ScanForm
from muniment.answer.room_client import RoomClient
from muniment.answer.room_values import RoomState, ScanState
from muniment.answer.views import shown
from muniment.answer.views.door import Door, in_room, page
from muniment.answer.views.enquiry import Enquiry
from muniment.answer.views.rooms import standing
from muniment.people.moment import in_clock, local

_SHOWN_HITS = 200


@require_http_methods(["GET", "HEAD", "POST"])
@in_room
def scan(door: Door, client: RoomClient, state: RoomState) -> HttpResponse:
    """Show the form of a scan; on POST begin it, or with the same terms say how far it is."""
    form = ScanForm(door.request.POST or None)
    context = {**standing(state), "form": form, "scan": None}
    if door.request.method != "POST":
        return page(door, "scan", context)
    if not form.is_valid():
        return page(door, "scan", context, 400)
    terms, reason = form.cleaned_data["terms"], form.cleaned_data["reason"]
    found = client.scan(terms, reason)
    context |= {
        "scan": found,
        "title": _title(found),
        "unseen": shown.unseen(found.not_scanned),
        "hits": [
            {
                "index": hit.index,
                "day": shown.in_days(local(hit.captured_ms).date()),
                "clock": in_clock(local(hit.captured_ms)),
                "terms": [terms[at] for at in hit.terms if 0 <= at < len(terms)],
            }
            for hit in found.hits[:_SHOWN_HITS]
        ],
        "ticket": door.sealed_address().seal(Enquiry(reason=reason)),
        "left_out": max(0, found.found - min(len(found.hits), _SHOWN_HITS)),
    }
    return page(door, "scan", context)


def _title(found: ScanState) -> str:
    if not found.is_done:
        return f"{found.scanned:,} of {found.of:,} messages looked through"
    if not found.found:
        return "None of the terms was found in what could be looked through"
    return "One message names a term" if found.found == 1 else f"{found.found:,} messages name a term"
