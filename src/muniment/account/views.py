"""The pages of `account`: they ask, and show what was answered."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from muniment.account import outside
from muniment.account.letter import letter_of
from muniment.account.record_state import describe, in_bytes
from muniment.people.moment import in_words
from muniment.policy.errors import Missing, Unavailable
from muniment.policy.policyfile import PolicyFile
from muniment.record.client import Recorder
from muniment.record.home import Home

_ANSWER_SECONDS = 10.0


@require_safe
def record_state(request: HttpRequest) -> HttpResponse:
    """Show whether the record is whole; 503 when the recorder does not answer."""
    home, _ = _served()
    try:
        with Recorder(home.socket, timeout_seconds=_ANSWER_SECONDS) as recorder:
            status = recorder.status()
    except Unavailable as error:
        return render(request, "account/silent.html", {"found": str(error)}, status=error.http_status)
    return render(request, "account/record_state.html", {"state": describe(status, datetime.now(UTC))})


@require_safe
def outside_list(request: HttpRequest) -> HttpResponse:
    """List what reached the example's outside world."""
    home, policy = _example()
    context = {
        "arrivals": [
            (each, _time(each.received_at), in_bytes(each.size)) for each in outside.arrivals(home.run)
        ],
        "inside_door": policy.gateway.inside,
        "domain": policy.organisation.domains[0],
    }
    return render(request, "account/outside.html", context)


@require_safe
def outside_message(request: HttpRequest, number: int) -> HttpResponse:
    """Show one message that reached the example's outside world."""
    home, policy = _example()
    message = outside.message(home.run, number)
    letter = letter_of(message.raw, policy.organisation.particulars)
    context = {
        "message": message,
        "letter": letter,
        "time": _time(message.received_at),
        "size": in_bytes(message.size),
        "left_out": in_bytes(letter.left_out_bytes) if letter.left_out_bytes else "",
    }
    return render(request, "account/outside_message.html", context)


def _served() -> tuple[Home, PolicyFile]:
    home, policy = settings.MUNIMENT_HOME, settings.MUNIMENT_POLICY
    if home is None or policy is None:
        raise Unavailable("the console serves no home; start it with `muniment up`, or set MUNIMENT_HOME")
    return home, policy


def _example() -> tuple[Home, PolicyFile]:
    home, policy = _served()
    if not policy.example:
        raise Missing("only an example organisation has an outside world of its own; mail really leaves here")
    return home, policy


def _time(iso: str) -> str:
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return in_words(moment)
