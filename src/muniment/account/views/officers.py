"""The pages of those who answer for the record: Today, the trail of looks, and the answer to a dispute."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from muniment.account import audit as trails
from muniment.account import machine
from muniment.account import today as due
from muniment.account.forms import AnswerForm
from muniment.account.mine import GROUND_WORDS
from muniment.account.notice_text import Answer, entry_of
from muniment.account.serving import Acting, Served, acting, link, served
from muniment.account.trail import Placed, Trail, trail_of
from muniment.account.wording import full, long_day
from muniment.people.models import Person
from muniment.people.moment import LONDON, in_clock
from muniment.people.permission import OFFICERS
from muniment.people.role import Role
from muniment.permit.deciders import deciders_of
from muniment.policy.errors import Conflict, Missing, Refused
from muniment.record.client import Recorder
from muniment.record.opening import clock_ms
from muniment.record.witnessed.words import witnessed_words

_A_PAGE = 100


@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """List what waits for whoever is signed in, by the day it can safely be left to."""
    here, me, now = served(), acting(request), datetime.now(LONDON)
    status = machine.status_of(here.home)
    lines, waiting = _due(here, me, now, status)
    context = {
        "title": due.title_of(len(lines)),
        "moment": f"{long_day(now.date())}, {in_clock(now)}",
        "lines": lines,
        "waiting": waiting,
        "policy": here.policy.policy,
        "entries": None if isinstance(status, str) else status["size"],
        "is_witnessed": "" if isinstance(status, str) else witnessed_words(status, clock_ms()),
    }
    return render(request, "account/today.html", context)


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Show who asked, who decided, who looked and what was handed out, with the record's numbers."""
    here, me, now_ms = served(), acting(request), _ms(datetime.now(LONDON))
    trail = trail_of(here.home)
    reader = trails.Reader(me.id, bool(me.roles & (OFFICERS | {Role.AUDITOR, Role.DATA_PROTECTION_OFFICER})))
    seen = trails.visible(trail.history.permits.values(), reader, now_ms)
    names = _names(here)
    lines = trails.lines_of(trail, seen, reader, partial(_named, names))
    first = _first(request, len(lines))
    context = {
        "title": trails.title_of(seen.values(), now_ms),
        "lines": lines[first : first + _A_PAGE],
        "first": first + 1,
        "last": min(first + _A_PAGE, len(lines)),
        "total": len(lines),
        "newer": first - _A_PAGE if first else None,
        "older": first + _A_PAGE if first + _A_PAGE < len(lines) else None,
        "officers": trails.by_officer(seen.values(), {each.id: each.name for each in here.policy.officers}),
        "purposes": trails.by_purpose(
            trail, seen.values(), {each.code: each.title for each in here.policy.purposes}
        ),
        "findings": len(trail.history.findings),
    }
    return render(request, "account/audit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def dispute(request: HttpRequest, index: int) -> HttpResponse:
    """Show a dispute to the data protection officer and take the answer."""
    here, me = served(), acting(request)
    _require_dpo(me)
    trail = trail_of(here.home)
    placed = next((each for each in trail.disputes if each.index == index), None)
    if placed is None:
        raise Missing("there is no dispute of that number; look at Today")
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if index in trail.answers:
            raise Conflict("somebody answered it meanwhile; load the page again to read the answer")
        said = entry_of(Answer(dispute=index, by=me.id, text=form.cleaned_data["text"]))
        with Recorder(here.home.socket) as recorder:
            recorder.append([said])
        return redirect("dispute", index)
    context = _dispute(placed, trail, _names(here)) | {"form": form}
    return render(request, "account/dispute.html", context, status=400 if form.errors else 200)


def _dispute(placed: Placed, trail: Trail, names: dict[str, str]) -> dict[str, Any]:
    said = placed.dispute
    answered = trail.answers.get(placed.index)
    return {
        "who": _named(names, said.by),
        "ground": GROUND_WORDS[said.ground],
        "about": f"The looks under permit {said.permit}"
        if said.permit
        else f"Entry {said.entry:,} of the ledger",
        "placed": placed,
        "when": full(placed.at_ms),
        "answer": answered[1].text if answered else "",
        "answered": full(answered[0]) if answered else "",
    }


def _due(
    here: Served, me: Acting, now: datetime, status: dict[str, Any] | str
) -> tuple[list[due.Due], list[due.Waiting]]:
    now_ms, day, trail = _ms(now), now.date(), trail_of(here.home)
    deciders = deciders_of(here.policy, now, trail.history.away_at(now_ms))
    officer = next((each.officer.id for each in deciders if each.person == me.id), "")
    viewer = due.Viewer(me.id, officer, Role.DATA_PROTECTION_OFFICER in me.roles)
    permits = list(trail.history.permits.values())
    problems = [status] if isinstance(status, str) else [str(each) for each in status["problems"]]
    gaps = 0 if isinstance(status, str) else int(status["gaps"])
    lines = [
        *due.to_decide(permits, deciders, viewer, link, now_ms),
        *due.ending(permits, viewer, link, now_ms),
        *due.delayed(permits, viewer, link, now_ms),
        *due.disputed(trail.open_disputes(), _names(here), viewer, link, now_ms),
        *due.streams_due(here.policy.streams, link, day, now_ms),
        *due.review_due(here.policy.policy, day, now_ms),
        *due.record_due(problems, gaps, link, now_ms),
        *due.forged_due(trail.history.findings, link),
    ]
    lines.sort(key=lambda line: line.order_ms)
    return lines, list(due.waiting_on_others(permits, deciders, viewer, now_ms))


def _names(here: Served) -> dict[str, str]:
    """Return the names of everybody in the register and of the officers, by id."""
    names = {str(key): name for key, name in Person.objects.values_list("pk", "name")}
    return names | {officer.id: officer.name for officer in here.policy.officers}


def _named(names: dict[str, str], who: str) -> str:
    return names.get(who) or ("Somebody who left" if _is_pseudonym(who) else who)


def _is_pseudonym(who: str) -> bool:
    try:
        UUID(who)
    except ValueError:
        return False
    return True


def _require_dpo(me: Acting) -> None:
    if Role.DATA_PROTECTION_OFFICER not in me.roles:
        raise Refused(
            "a dispute is between the person who raised it and the data protection officer; ask one of them",
            clause="R-5.2-f",
        )


def _first(request: HttpRequest, count: int) -> int:
    text = request.GET.get("first", "0")
    first = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
    return first if first < count else 0


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
