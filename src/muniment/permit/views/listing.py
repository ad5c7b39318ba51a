"""The list of permits: what waits for an officer, what one asked for oneself, and what was decided lately."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from muniment.people.permission import Permission, allows
from muniment.permit import words
from muniment.permit.replay import Standing
from muniment.permit.state import OPEN
from muniment.permit.views.desk import WATCHERS, Desk, at_desk
from muniment.policy.officer import OfficerRole

_MOST_DECIDED = 50
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


@require_safe
def permits(request: HttpRequest) -> HttpResponse:
    """Show the permits that concern whoever is signed in."""
    with at_desk(request) as desk:
        seen = [each for each in desk.office.history().permits.values() if desk.may_see(each)]
        is_officer = desk.officer is not None
        waits = [each for each in seen if each.state in OPEN and each.request.requester.id != desk.id]
        mine = [each for each in seen if each.request.requester.id == desk.id]
        rest = [each for each in seen if each.state not in OPEN and each.request.requester.id != desk.id]
        context = {
            "title": _title(len(waits), len(mine), watches=bool(desk.roles & WATCHERS)),
            "is_officer": is_officer,
            "waiting": [_card(desk, each) for each in sorted(waits, key=lambda each: each.asked_ms)],
            "mine": [_card(desk, each) for each in reversed(mine)],
            "decided": [_card(desk, each) for each in reversed(rest)][:_MOST_DECIDED],
            "left_out": max(0, len(rest) - _MOST_DECIDED),
            "may_ask": allows(Permission.ASK_PERMIT, desk.roles),
            "officers": _officers(desk),
            "may_note_absence": desk.officer is not None and desk.officer.role is not OfficerRole.ALTERNATE,
        }
        return render(request, "permit/permits.html", context)


def _officers(desk: Desk) -> list[tuple[str, str, str]]:
    """Return name, role and until when they are away of each officer."""
    away = desk.office.history().away
    found = []
    for each in desk.office.policy.officers:
        until_ms = away.get(each.id, 0)
        found.append(
            (each.name, words.role_label(each.role), words.day(until_ms) if desk.now_ms < until_ms else "")
        )
    return found


def _card(desk: Desk, standing: Standing) -> dict[str, Any]:
    """Return what the list says of one permit."""
    request = standing.request
    label, mark = words.state_words(standing.state)
    entries, shielded = words.counts(request, exactly=desk.counts_exactly(standing))
    return {
        "number": standing.number,
        "kind": request.kind,
        "who": request.requester.name,
        "role": words.role_label(request.requester.role),
        "initials": "".join(part[0] for part in request.requester.name.split()[:2]),
        "what": words.what(request),
        "period": words.period(request),
        "purpose": words.PURPOSE_WORDS.get(request.purpose, request.purpose),
        "title": words.purpose_title(request.purpose),
        "case": request.case,
        "entries": entries,
        "shielded": shielded,
        "days": words.days(request.days),
        "state": label,
        "mark": mark,
        "waits": words.waiting(standing.asked_ms, desk.now_ms),
        "may_decide": desk.may_decide(standing),
        "was_granted": standing.approval is not None,
        "asked": words.at(standing.first.at_ms),
        "ends": words.at(standing.approval.ends_ms) if standing.approval else "",
    }


def _title(waits: int, mine: int, *, watches: bool) -> str:
    if watches:
        number = _NUMBERS[waits] if waits < len(_NUMBERS) else f"{waits}"
        return f"{number} requests wait for an officer" if waits != 1 else "One request waits for an officer"
    return "You have asked for no permit yet" if not mine else "Your permits"
