"""Asking: for a look, for what stayed sealed, for closed sites. The room's six words are shown once, in the answer."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from muniment.people.moment import LONDON
from muniment.permit import acts, words
from muniment.permit.asking import MAIL, Asking
from muniment.permit.forms import AskForm, ExemptionForm, PermissionForm, ShieldedForm, begins, is_over
from muniment.permit.purposes import ALLOWANCES, EXEMPTION, LOOK, SHIELDED
from muniment.permit.views.desk import Desk, at_desk
from muniment.permit.views.person_choice import choices, chosen
from muniment.permit.windows import moment_of
from muniment.policy.errors import BadInput, Conflict, Refused

_TAKEN = "permits_asked"


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Show the form, find people for it, or ask."""
    with at_desk(request) as desk:
        now, codes = moment_of(desk.now_ms), _codes(desk)
        if request.method != "POST" or "find-people" in request.POST:
            form = AskForm(initial=_typed(request), purposes=codes, now=now)
            return _ask_page(request, desk, form)
        form = AskForm(request.POST, purposes=codes, now=now)
        if not form.is_valid():
            return _ask_page(request, desk, form, status=400)
        found = form.cleaned_data
        asking = Asking(
            requester=desk.person,
            role=desk.asks_as,
            start=begins(found["start"]),
            until=_until(found["until"], now),
            people=tuple(found["people"]),
            addresses=found["addresses"],
            streams=tuple(found["streams"]),
            depth=found["depth"],
            readers=found["readers"],
            days=found["days"],
            **_papers(form),
        )
        return _asked(request, desk, form, asking, _ask_page)


@require_http_methods(["GET", "HEAD", "POST"])
def ask_shielded(request: HttpRequest, number: str) -> HttpResponse:
    """Ask, with a second reason, for what an earlier permit counted and left sealed."""
    with at_desk(request) as desk:
        parent = desk.permit(number)
        form = ShieldedForm(request.POST or None, purposes=_codes(desk, "shielded"))

        def page(
            request: HttpRequest, desk: Desk, form: Any, status: int = 200, refused: str = ""
        ) -> HttpResponse:
            _, shielded = words.counts(parent.request, exactly=desk.counts_exactly(parent))
            about = {
                "number": number,
                "what": words.what(parent.request),
                "period": words.period(parent.request),
            }
            more = {
                "parent": about,
                "shielded": shielded,
                "refused": refused,
                **_choices(request, desk, "shielded"),
            }
            return render(request, "permit/ask_shielded.html", {"form": form, **more}, status=status)

        if request.method != "POST" or not form.is_valid():
            return page(request, desk, form, status=400 if form.errors else 200)
        asking = Asking(
            requester=desk.person,
            role=desk.asks_as,
            kind=SHIELDED,
            start=moment_of(parent.request.from_ms),
            until=moment_of(parent.request.until_ms),
            depth=parent.request.depth,
            days=form.cleaned_data["days"],
            parent=number,
            **_papers(form),
        )
        return _asked(request, desk, form, asking, page)


@require_http_methods(["GET", "HEAD", "POST"])
def ask_exemption(request: HttpRequest) -> HttpResponse:
    """Ask to visit closed sites for work, and show what became of one's earlier requests."""
    with at_desk(request) as desk:
        form = ExemptionForm(request.POST or None, purposes=_codes(desk, "exemption"))
        if request.method != "POST" or not form.is_valid():
            return _exemption_page(request, desk, form, status=400 if form.errors else 200)
        found = form.cleaned_data
        asking = Asking(
            requester=desk.person,
            role=desk.asks_as,
            kind=EXEMPTION,
            start=begins(found["start"]),
            until=is_over(found["until"]),
            sites=found["sites"],
            days=found["days"],
            **_papers(form),
        )
        return _asked(request, desk, form, asking, _exemption_page)


def _asked(request: HttpRequest, desk: Desk, form: Any, asking: Asking, page: Any) -> HttpResponse:
    """Ask, and answer with the room's words; a form sent twice asks once."""
    if _was_taken(request):
        return HttpResponseRedirect(reverse("permits"))
    try:
        asked = acts.ask(desk.office, asking)
    except (BadInput, Refused, Conflict) as error:
        answer: HttpResponse = page(request, desk, form, status=error.http_status, refused=str(error))
        return answer
    _take(request)
    if asking.kind == EXEMPTION:
        return HttpResponseRedirect(reverse("permit-exemptions"))
    standing = desk.permit(asked.permit.number)
    entries, shielded = words.counts(standing.request, exactly=False)
    deciding = [each.officer.name for each in desk.office.stands(standing) if each.may_decide]
    context = {
        "number": standing.number,
        "words": asked.words.split("-"),
        "what": words.what(standing.request),
        "period": words.period(standing.request),
        "entries": entries,
        "shielded": shielded,
        "deciding": words.listed(deciding),
        "asked": words.at(standing.first.at_ms),
    }
    return render(request, "permit/words.html", context)


def _until(day: date, now: datetime) -> datetime:
    """Return the end of a day; of today, now: only a day still to come is asked for "from now on"."""
    return now if day == now.astimezone(LONDON).date() else is_over(day)


def _papers(form: PermissionForm) -> dict[str, Any]:
    found = form.cleaned_data
    return {name: found[name] for name in ("purpose", "case", "reason", "alternative", "advice")}


def _codes(desk: Desk, kind: str = LOOK) -> list[str]:
    """Return the purposes that this policy has, and that may ask for what is asked for."""
    held = [purpose.code for purpose in desk.office.policy.purposes if purpose.code in ALLOWANCES]
    return held if kind == LOOK else [code for code in held if getattr(ALLOWANCES[code], kind)]


def _choices(request: HttpRequest, desk: Desk, kind: str = LOOK) -> dict[str, Any]:
    return {"purposes": words.purpose_choices(tuple(_codes(desk, kind))), "once": secrets.token_urlsafe(16)}


def _ask_page(
    request: HttpRequest, desk: Desk, form: AskForm, status: int = 200, refused: str = ""
) -> HttpResponse:
    find = request.POST.get("find", "")[:100]
    now = moment_of(desk.now_ms)
    picked = chosen(form["people"].value() or ())
    context = {
        "form": form,
        "refused": refused,
        "find": find,
        "has_sought": "find-people" in request.POST,
        "people": choices(find, now, picked),
        "streams": [(name, words.STREAM_WORDS[name]) for name in MAIL],
        **_choices(request, desk),
    }
    return render(request, "permit/ask.html", context, status=status)


def _exemption_page(
    request: HttpRequest, desk: Desk, form: ExemptionForm, status: int = 200, refused: str = ""
) -> HttpResponse:
    own = [
        each
        for each in desk.office.history().permits.values()
        if each.request.kind == EXEMPTION and each.request.requester.id == desk.id
    ]
    earlier = []
    for each in reversed(own):
        label, mark = words.state_words(each.state)
        decision = each.decision
        earlier.append(
            {
                "number": each.number,
                "sites": words.what(each.request),
                "period": words.period(each.request),
                "state": label,
                "mark": mark,
                "reason": decision.reason if decision else "",
                "cited": words.cite(each.request.clause),
                "ends": words.at(each.approval.ends_ms) if each.approval else "",
            }
        )
    context = {"form": form, "refused": refused, "earlier": earlier, **_choices(request, desk, "exemption")}
    return render(request, "permit/exemptions.html", context, status=status)


def _typed(request: HttpRequest) -> dict[str, Any]:
    """Return what was typed so far, as a form's first values."""
    if request.method != "POST":
        return {}
    lists = {name: request.POST.getlist(name) for name in ("people", "streams")}
    return {**request.POST.dict(), **lists}


def _was_taken(request: HttpRequest) -> bool:
    session = getattr(request, "session", None)
    once = request.POST.get("once", "")
    return bool(session is not None and once and once in session.get(_TAKEN, []))


def _take(request: HttpRequest) -> None:
    session = getattr(request, "session", None)
    if session is not None:
        session[_TAKEN] = [*session.get(_TAKEN, []), request.POST.get("once", "")][-20:]
