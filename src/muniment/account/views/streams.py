"""The register of streams, for everybody who is signed in."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from muniment.account.serving import served
from muniment.account.streams import states_of, title_of
from muniment.people.moment import LONDON


@require_safe
def streams(request: HttpRequest) -> HttpResponse:
    """Show what is captured, why, on which basis, where people are told, and what is refused."""
    states = states_of(served().policy, datetime.now(LONDON).date())
    registered = [state for state in states if state.row is not None]
    context = {
        "title": title_of(states),
        "registered": registered,
        "others": [state for state in states if state.row is None],
    }
    return render(request, "account/streams.html", context)
