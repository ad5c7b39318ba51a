"""Deciding: the page on which an officer signs, what her browser is sent and sends back, and refusing or narrowing.

The browser's script opens her key and signs; this side never holds it. Source: R-5.2-f; docs/formats/permit.md.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from muniment.permit import acts
from muniment.permit.conflict import require_decider
from muniment.permit.forms import RefusalForm, UploadForm
from muniment.permit.views.desk import Desk, at_desk
from muniment.permit.views.permit_page import describe
from muniment.policy.errors import BadInput, Conflict, MunimentError
from muniment.record.permit_text import MAX_FILE_BYTES, parse_approval, parse_signed_approval


@require_safe
def approve_page(request: HttpRequest, number: str) -> HttpResponse:
    """Show the page that signs in the browser, and the way by file for whoever cannot or would rather not."""
    with at_desk(request) as desk:
        return _approve_page(request, desk, number, UploadForm())


def _approve_page(
    request: HttpRequest, desk: Desk, number: str, form: UploadForm, status: int = 200, refused: str = ""
) -> HttpResponse:
    standing = desk.permit(number)
    require_decider(desk.office.stands(standing), desk.require_officer().id)
    context = {"permit": describe(desk, standing), "form": form, "refused": refused}
    return render(request, "permit/approve.html", context, status=status)


@require_safe
def approval_request(request: HttpRequest, number: str) -> HttpResponse:
    """Send an officer what she signs: the request's exact text, the selection, the shares of its epochs."""
    with at_desk(request) as desk:
        return HttpResponse(_bundle(desk, number), content_type="application/json")


@require_safe
def approval_request_file(request: HttpRequest, number: str) -> HttpResponse:
    """Send the same as a file to carry to another machine."""
    with at_desk(request) as desk:
        response = HttpResponse(_bundle(desk, number), content_type="application/json")
        response.headers["Content-Disposition"] = (
            f'attachment; filename="request-{desk.permit(number).number}.json"'
        )
        return response


def _bundle(desk: Desk, number: str) -> bytes:
    standing = desk.permit(number)
    require_decider(desk.office.stands(standing), desk.require_officer().id)
    return acts.approval_request(desk.office, number)


@require_POST
def approval(request: HttpRequest, number: str) -> JsonResponse:
    """Take the signed approval that an officer's browser sends."""
    signed = request.read(MAX_FILE_BYTES + 1)
    with at_desk(request) as desk:
        desk.permit(number)
        return JsonResponse({"number": number, "state": "approved", "ends_ms": _take(desk, number, signed)})


@require_POST
def upload(request: HttpRequest, number: str) -> HttpResponse:
    """Take the file that `muniment approve` wrote elsewhere."""
    form = UploadForm(request.POST, request.FILES)
    with at_desk(request) as desk:
        desk.permit(number)
        if not form.is_valid():
            return _approve_page(request, desk, number, form, status=400)
        try:
            _take(desk, number, form.cleaned_data["signed"].read(MAX_FILE_BYTES + 1))
        except MunimentError as error:
            return _approve_page(request, desk, number, form, status=error.http_status, refused=str(error))
    return HttpResponseRedirect(reverse("permit", args=[number]))


def _take(desk: Desk, number: str, signed: bytes) -> int:
    """Approve what an officer signed for this permit, and return when it ends.

    Raises:
        Conflict: it is the approval of another permit, or by another officer than the one who is signed in.
    """
    named = parse_approval(parse_signed_approval(signed).approval)
    if named.number != number:
        raise Conflict(f"the approval is for permit {named.number}, and this is the page of permit {number}")
    officer = desk.require_officer()
    if named.officer != officer.id:
        raise Conflict(
            f"the key that signed is that of {named.officer}, and you are signed in as {officer.name}. "
            "Sign with your own key; nothing was approved"
        )
    acts.approve(desk.office, signed)
    return named.ends_ms


@require_http_methods(["GET", "HEAD", "POST"])
def refuse(request: HttpRequest, number: str) -> HttpResponse:
    """Refuse a request, with the reason its requester is told."""
    with at_desk(request) as desk:
        standing = desk.permit(number)
        officer = require_decider(desk.office.stands(standing), desk.require_officer().id)
        form = RefusalForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return _refuse_page(request, desk, number, form, status=400 if form.errors else 200)
        reason, advice = form.cleaned_data["reason"], form.cleaned_data["advice"]
        try:
            revision = seen_revision(request)
            acts.refuse(desk.office, number, revision, officer.id, reason, advice=advice)
        except MunimentError as error:
            return _refuse_page(request, desk, number, form, status=error.http_status, refused=str(error))
    return HttpResponseRedirect(reverse("permit", args=[number]))


def _refuse_page(
    request: HttpRequest, desk: Desk, number: str, form: Any, status: int = 200, refused: str = ""
) -> HttpResponse:
    context = {"permit": describe(desk, desk.permit(number)), "form": form, "refused": refused}
    return render(request, "permit/refuse.html", context, status=status)


def seen_revision(request: HttpRequest) -> int:
    """Return the revision that the form was made for. Raises: BadInput."""
    try:
        return int(request.POST.get("revision", ""))
    except ValueError:
        raise BadInput(
            "the form does not say which revision of the request it is about; load the page again"
        ) from None
