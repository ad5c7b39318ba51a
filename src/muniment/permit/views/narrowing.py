"""Narrowing a request before it is decided: the officer sees the new counts before anything is recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from muniment.people.moment import local
from muniment.permit import narrowing, words
from muniment.permit.conflict import require_decider
from muniment.permit.forms import NarrowForm, begins, is_over
from muniment.permit.narrowing import Narrowing, count_narrowed
from muniment.permit.purposes import EXEMPTION
from muniment.permit.replay import Standing
from muniment.permit.views.deciding import seen_revision
from muniment.permit.views.desk import Desk, at_desk
from muniment.permit.views.permit_page import describe
from muniment.policy.errors import MunimentError
from muniment.record.permit_text import PermitRequest


@require_http_methods(["GET", "HEAD", "POST"])
def narrow(request: HttpRequest, number: str) -> HttpResponse:
    """Show what can be left out, count what would be left, or narrow."""
    with at_desk(request) as desk:
        standing = desk.permit(number)
        require_decider(desk.office.stands(standing), desk.require_officer().id)
        form = _form(request, standing)
        if request.method != "POST" or not form.is_valid():
            return _page(request, desk, standing, form, status=400 if form.errors else 200)
        try:
            kept = _kept(standing.request, form.cleaned_data)
            if "narrow" not in request.POST and standing.request.windows:
                counted, _ = count_narrowed(desk.office, standing.request, kept)
                return _page(request, desk, standing, form, counted=counted)
            reason, advice = form.cleaned_data["reason"], form.cleaned_data["advice"]
            if not reason.strip():
                form.add_error("reason", "Say why. Whoever asked reads it.")
                return _page(request, desk, standing, form, status=400)
            officer = desk.require_officer().id
            narrowing.narrow(
                desk.office, number, seen_revision(request), officer, kept, reason, advice=advice
            )
        except MunimentError as error:
            return _page(request, desk, standing, form, status=error.http_status, refused=str(error))
    return HttpResponseRedirect(reverse("permit", args=[number]))


def _form(request: HttpRequest, standing: Standing) -> NarrowForm:
    asked = standing.request
    places = _places(asked)
    first = {
        "people": [place for place, _ in places],
        "start": local(asked.from_ms).date(),
        "until": (local(asked.until_ms) - timedelta(milliseconds=1)).date(),
        "streams": list(asked.streams),
        "depth": asked.depth,
        "days": asked.days,
    }
    return NarrowForm(request.POST or None, initial=first, windows=places, streams=asked.streams)


def _places(asked: PermitRequest) -> list[tuple[str, str]]:
    """Return what can be left out: people by pseudonym, addresses that nobody holds."""
    if asked.kind == EXEMPTION:
        return [(site, site) for site in asked.sites]
    people = [(each.id, each.name) for each in asked.subjects]
    unowned = sorted({window.address for window in asked.windows if not window.person})
    return people + [(address, address) for address in unowned]


def _kept(asked: PermitRequest, found: dict[str, Any]) -> Narrowing:
    """Return the narrowing; what was not touched is kept exactly, to the millisecond."""
    kept = set(found["people"])
    addresses = {window.address for window in asked.windows if (window.person or window.address) in kept}
    start, until = (
        int(begins(found["start"]).timestamp() * 1000),
        int(is_over(found["until"]).timestamp() * 1000),
    )
    days = {
        "from_ms": max(start, asked.from_ms),
        "until_ms": min(until, asked.until_ms),
        "days": found["days"],
    }
    if asked.kind == EXEMPTION:
        return Narrowing(sites=tuple(site for site in asked.sites if site in kept), **days)
    return Narrowing(
        people=tuple(each.id for each in asked.subjects if each.id in kept),
        addresses=tuple(sorted(addresses)),
        streams=tuple(found["streams"]),
        depth=found["depth"],
        **days,
    )


def _page(
    request: HttpRequest,
    desk: Desk,
    standing: Standing,
    form: NarrowForm,
    *,
    status: int = 200,
    refused: str = "",
    counted: PermitRequest | None = None,
) -> HttpResponse:
    context = {
        "permit": describe(desk, standing),
        "form": form,
        "refused": refused,
        "places": _places(standing.request),
        "streams": [(each, words.STREAM_WORDS.get(each, each)) for each in standing.request.streams],
        "counted": counted,
    }
    return render(request, "permit/narrow.html", context, status=status)
