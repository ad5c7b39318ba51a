"""What is done with one reason and one press: withdraw, revoke, delay a notice, end a delay, renew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from muniment.permit import absence, acts, delays, renewal
from muniment.permit.forms import GROUNDS, AwayForm, DelayForm, ReasonForm, begins
from muniment.permit.views.desk import Desk, at_desk
from muniment.permit.views.permit_page import describe
from muniment.policy.errors import Conflict, MunimentError, Refused
from muniment.policy.officer import OfficerRole


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Take one's own request back."""
    return _with_reason(
        request,
        number,
        "withdraw",
        lambda desk, found: acts.withdraw(desk.office, number, desk.id, found["reason"]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, number: str) -> HttpResponse:
    """End a permit that is in force: its room closes."""

    def act(desk: Desk, found: dict[str, Any]) -> object:
        is_mine = desk.permit(number).request.requester.id == desk.id
        by = desk.id if is_mine else desk.require_officer().id
        return acts.revoke(desk.office, number, by, found["reason"])

    return _with_reason(request, number, "revoke", act)


@require_http_methods(["GET", "HEAD", "POST"])
def delay(request: HttpRequest, number: str) -> HttpResponse:
    """Order that the people looked at are told later."""

    def act(desk: Desk, found: dict[str, Any]) -> object:
        until_ms = int(begins(found["until"]).timestamp() * 1000)
        officer = desk.require_officer().id
        return delays.delay_notice(desk.office, number, officer, until_ms, found["ground"], found["reason"])

    return _with_reason(request, number, "delay", act, DelayForm)


@require_http_methods(["GET", "HEAD", "POST"])
def end_delay(request: HttpRequest, number: str) -> HttpResponse:
    """Let the people looked at be told now."""
    return _with_reason(
        request,
        number,
        "end-delay",
        lambda desk, found: delays.end_delay(desk.office, number, desk.require_officer().id, found["reason"]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def away(request: HttpRequest) -> HttpResponse:
    """Say that an officer is away, so that the alternate may decide meanwhile, or that they are back."""
    with at_desk(request) as desk:
        own = desk.require_officer()
        held = [each for each in desk.office.policy.officers if each.role is not OfficerRole.ALTERNATE]
        names = [(each.id, each.name) for each in held]
        form, refused, status = (
            AwayForm(request.POST or None, officers=names, initial={"officer": own.id}),
            "",
            200,
        )
        if request.method == "POST" and form.is_valid():
            day = form.cleaned_data["until"]
            until_ms = int(begins(day).timestamp() * 1000) if day else desk.now_ms
            try:
                absence.note_absence(desk.office, own.id, form.cleaned_data["officer"], until_ms)
                return HttpResponseRedirect(reverse("permits"))
            except MunimentError as error:
                refused, status = str(error), error.http_status
        elif form.errors:
            status = 400
        return render(request, "permit/away.html", {"form": form, "refused": refused}, status=status)


@require_POST
def renew(request: HttpRequest, number: str) -> HttpResponse:
    """Ask anew for what a permit covered; an officer decides again, and the room's words stay the same."""
    with at_desk(request) as desk:
        standing = desk.permit(number)
        if standing.request.requester.id != desk.id:
            raise Refused(
                f"{standing.request.requester.name} asked for it, so only they renew it", clause="R-5.2-f"
            )
        if standing.approval is None:
            raise Conflict(
                f"permit {number} was never in force, so there is nothing to renew; ask for a new one"
            )
        made = acts.renew(desk.office, standing, renewal.asking_again(standing))
    return HttpResponseRedirect(reverse("permit", args=[made.number]))


def _with_reason(
    request: HttpRequest,
    number: str,
    name: str,
    act: Callable[[Desk, dict[str, Any]], object],
    form_type: type[ReasonForm] = ReasonForm,
) -> HttpResponse:
    """Show the form, or do it and go back to the permit."""
    with at_desk(request) as desk:
        standing = desk.permit(number)
        form, refused, status = form_type(request.POST or None), "", 200
        if request.method == "POST" and form.is_valid():
            try:
                act(desk, form.cleaned_data)
                return HttpResponseRedirect(reverse("permit", args=[number]))
            except MunimentError as error:
                refused, status = str(error), error.http_status
        elif form.errors:
            status = 400
        context = {
            "permit": describe(desk, standing),
            "form": form,
            "refused": refused,
            "act": name,
            "grounds": GROUNDS if name == "delay" else (),
        }
        return render(request, "permit/rule.html", context, status=status)
