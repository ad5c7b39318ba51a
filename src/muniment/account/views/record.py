"""The state of the record, and the example's outside world."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from muniment.account import outside
from muniment.account.letter import letter_of
from muniment.account.record_state import describe, in_bytes
from muniment.account.serving import served
from muniment.policy.errors import Missing, Unavailable
from muniment.policy.policyfile import PolicyFile
from muniment.record.client import Recorder
from muniment.record.home import Home

_ANSWER_SECONDS = 10.0


@require_safe
def record_state(request: HttpRequest) -> HttpResponse:
    """Show whether the record is whole; 503 when the recorder does not answer."""
    home = served().home
    try:
        with Recorder(home.socket, timeout_seconds=_ANSWER_SECONDS) as recorder:
            status = recorder.status()
    except Unavailable as error:
        context = {"found": str(error), "is_witnessed": ""}
        return render(request, "account/silent.html", context, status=error.http_status)
    state = describe(status, datetime.now(UTC))
    return render(request, "account/record_state.html", {"state": state, "is_witnessed": state.witnessed})


@require_safe
def outside_list(request: HttpRequest) -> HttpResponse:
    """List what reached the example's outside world."""
    home, policy = _example()
    now = datetime.now(UTC)
    found = [outside.heading(each, now) for each in outside.arrivals(home.run)]
    context = {
        "title": _arrived(len(found)),
        "arrivals": found,
        "inside_door": policy.gateway.inside,
        "command": outside.sending_command(policy),
    }
    return render(request, "account/outside.html", context)


@require_safe
def outside_message(request: HttpRequest, number: int) -> HttpResponse:
    """Show one message that reached the example's outside world."""
    home, policy = _example()
    message = outside.message(home.run, number)
    letter = letter_of(message.raw, policy.organisation.particulars)
    context = {
        "arrival": outside.heading(message, datetime.now(UTC)),
        "letter": letter,
        "left_out": in_bytes(letter.left_out_bytes) if letter.left_out_bytes else "",
    }
    return render(request, "account/outside_message.html", context)


def _example() -> tuple[Home, PolicyFile]:
    home, policy = served()
    if not policy.example:
        raise Missing("only an example organisation has an outside world of its own; mail really leaves here")
    return home, policy


def _arrived(count: int) -> str:
    if count == 0:
        return "Nothing has arrived yet"
    return "One message has arrived" if count == 1 else f"{count:,} messages have arrived"
