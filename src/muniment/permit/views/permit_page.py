"""One permit: what it asks or covers, whether its reader may decide it, what was done under it, what can be done."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from muniment.people.models import Person
from muniment.permit import words
from muniment.permit.asking import query_of
from muniment.permit.looked import readers_of
from muniment.permit.replay import Standing
from muniment.permit.state import OPEN, Doing, State
from muniment.permit.views.desk import Desk, at_desk
from muniment.permit.weeks import Picture, picture

_KEEP_SECONDS = 600
_DONE = {
    Doing.ASK: ("Asked", ""),
    Doing.NARROW: ("Narrowed", "wait"),
    Doing.APPROVE: ("Approved and signed", "good"),
    Doing.REFUSE: ("Refused", "stop"),
    Doing.WITHDRAW: ("Withdrawn", ""),
    Doing.REVOKE: ("Revoked", "stop"),
    Doing.END: ("Ended by itself", ""),
    Doing.DELAY: ("The notice was delayed", "wait"),
    Doing.END_DELAY: ("The delay of the notice ended", ""),
}
_GROUNDS = {
    "prejudice": "telling would spoil the matter",
    "police": "the police asked for it",
    "safeguarding": "telling could put somebody at risk",
}


@require_safe
def permit(request: HttpRequest, number: str) -> HttpResponse:
    """Show one permit to whom it concerns."""
    with at_desk(request) as desk:
        standing = desk.permit(number)
        return render(
            request, "permit/permit.html", {"permit": describe(desk, standing), **_more(desk, standing)}
        )


def describe(desk: Desk, standing: Standing) -> dict[str, Any]:
    """Return what every page about one permit says of it."""
    request, approval = standing.request, standing.approval
    label, mark = words.state_words(standing.state)
    entries, shielded = words.counts(request, exactly=desk.counts_exactly(standing))
    return {
        "number": standing.number,
        "revision": standing.revision,
        "kind": request.kind,
        "is_exemption": request.kind == "exemption",
        "who": request.requester.name,
        "role": words.role_label(request.requester.role),
        "initials": "".join(part[0] for part in request.requester.name.split()[:2]),
        "what": words.what(request),
        "period": words.period(request),
        "purpose": words.PURPOSE_WORDS.get(request.purpose, request.purpose),
        "title": words.purpose_title(request.purpose),
        "cited": words.cite(request.clause),
        "case": request.case,
        "reason": words.plain(request.reason),
        "alternative": words.plain(request.alternative),
        "advice": words.plain(request.advice),
        "depth": words.DEPTH_WORDS[request.depth],
        "streams": [words.STREAM_WORDS.get(each, each) for each in request.streams],
        "addresses": sorted({window.address for window in request.windows}),
        "readers": _names(request.readers),
        "entries": entries,
        "shielded": shielded,
        "days": words.days(request.days),
        "ends_if": words.ends_if_approved(request, desk.now_ms),
        "ends": words.at(approval.ends_ms) if approval else "",
        "parent": request.parent,
        "state": label,
        "mark": mark,
        "is_open": standing.state in OPEN,
        "is_in_force": standing.is_in_force(desk.now_ms),
        "is_closed": standing.state in (State.REFUSED, State.WITHDRAWN),
        "was_granted": approval is not None,
        "waits": words.waiting(standing.asked_ms, desk.now_ms),
        "is_mine": request.requester.id == desk.id,
        "room": f"{standing.number}-{standing.revision}",
    }


def _more(desk: Desk, standing: Standing) -> dict[str, Any]:
    """Return what only the permit's own page says."""
    officer, decision = desk.officer, standing.decision
    exactly = desk.counts_exactly(standing)
    may_decide = desk.may_decide(standing)
    stands = desk.office.stands(standing)
    own = next((each for each in stands if officer and each.officer.id == officer.id), None)
    delay = standing.delay_at(desk.now_ms)
    is_conflicted = own is not None and own.is_in_conflict
    is_mine = standing.request.requester.id == desk.id
    return {
        "may_decide": may_decide,
        "standing": own,
        "others": [each.officer for each in stands if each.may_decide and each is not own],
        "checks": _checks(standing) if may_decide else [],
        "picture": _picture(desk, standing) if exactly and standing.request.windows else None,
        "decision": _decision(desk, standing) if decision else None,
        "delay": {"until": words.at(delay.until_ms), "ground": _GROUNDS.get(delay.ground, delay.ground)}
        if delay
        else None,
        "events": [_event(desk, each) for each in standing.events],
        "looks": _looks(desk, standing) if standing.approval else [],
        "can_withdraw": is_mine and standing.state in OPEN,
        "can_revoke": standing.state is State.APPROVED
        and (is_mine or (officer is not None and not is_conflicted)),
        "can_delay": officer is not None
        and not is_conflicted
        and standing.state in (*OPEN, State.APPROVED, State.ENDED),
        "can_renew": is_mine
        and standing.request.kind == "look"
        and standing.state in (State.APPROVED, State.ENDED),
        "can_ask_shielded": is_mine
        and standing.approval is not None
        and standing.request.kind == "look"
        and standing.request.shielded > 0,
    }


def _checks(standing: Standing) -> list[str]:
    request = standing.request
    found = ["You are neither asking nor looked at.", "You answer to nobody who asks or is looked at."]
    if request.requester.id not in {each.id for each in request.subjects}:
        found.append(f"{request.requester.name} does not ask about themselves.")
    if request.kind != "exemption":
        found.append("Whose mail it is stands as it did in the register of people when this was asked.")
    return found


def _picture(desk: Desk, standing: Standing) -> Picture | None:
    """Return the picture of entries by week; counted once for each revision and kept for a while."""
    key = f"permit-weeks-{standing.request.selection_sha256}"
    weeks = cache.get(key)
    if weeks is None:
        weeks = desk.office.count(query_of(standing.request, standing.request.checkpoint.size)).by_week
        cache.set(key, weeks, _KEEP_SECONDS)
    return picture(weeks)


def _decision(desk: Desk, standing: Standing) -> dict[str, Any]:
    act = standing.decision
    assert act is not None
    label, mark = _DONE[act.act]
    refuses = act.act is Doing.REFUSE
    return {
        "label": label,
        "mark": mark,
        "by": _name(desk, act.by),
        "at": words.at(act.at_ms),
        "reason": words.plain(act.reason),
        "is_refusal": refuses,
    }


def _event(desk: Desk, event: Any) -> dict[str, str]:
    label, mark = _DONE[event.act.act]
    return {
        "label": label,
        "mark": mark,
        "at": words.at(event.act.at_ms),
        "by": _name(desk, event.act.by),
        "reason": words.plain(event.act.reason),
        "number": event.number,
    }


def _looks(desk: Desk, standing: Standing) -> list[dict[str, Any]]:
    return [
        {
            "who": _name(desk, reader.person),
            "role": words.role_label(reader.role),
            "searches": reader.searches,
            "shown": len(reader.shown),
            "first": words.at(reader.first_ms),
            "last": words.at(reader.last_ms),
        }
        for reader in readers_of(desk.office.home, standing.number)
    ]


def _name(desk: Desk, by: str) -> str:
    """Return the name of a person by pseudonym, or of an officer by their id."""
    officer = next((each for each in desk.office.policy.officers if each.id == by), None)
    if officer is not None:
        return officer.name
    return _names((by,))[0] if by != "muniment" else "Muniment"


def _names(ids: tuple[str, ...]) -> list[str]:
    known = {}
    for each in ids:
        try:
            known[each] = Person.objects.filter(pk=each).values_list("name", flat=True).first()
        except ValueError:
            known[each] = None
    return [known[each] or "somebody the register has lost" for each in ids]
