"""The pages of permits, each with the permission it needs; each asks its permit besides who may see it."""

from __future__ import annotations

from muniment.people.permission import Permission
from muniment.people.route import Content, route
from muniment.permit.views import asking, deciding, listing, narrowing, permit_page, ruling
from muniment.record.permit_text import MAX_FILE_BYTES

_SEE, _ASK, _DECIDE = Permission.SEE_PERMIT, Permission.ASK_PERMIT, Permission.DECIDE_PERMIT
_ONE = "permits/<str:number>"
_FORM_BYTES = 1 << 16  # what surrounds an uploaded file

ROUTES = [
    route("permits", listing.permits, _SEE, "permits"),
    route("permits/ask", asking.ask, _ASK, "permit-ask"),
    route("permits/exemptions", asking.ask_exemption, Permission.ASK_EXEMPTION, "permit-exemptions"),
    route("permits/away", ruling.away, _DECIDE, "permit-away", sensitive=True),
    route(_ONE, permit_page.permit, _SEE, "permit"),
    route(f"{_ONE}/shielded", asking.ask_shielded, _ASK, "permit-ask-shielded"),
    route(
        f"{_ONE}/approve",
        deciding.approve_page,
        _DECIDE,
        "permit-approve",
        content=Content.SCRIPTS,
        sensitive=True,
    ),
    route(
        f"{_ONE}/request.json", deciding.approval_request_file, _DECIDE, "permit-request-file", sensitive=True
    ),
    route(
        f"{_ONE}/upload",
        deciding.upload,
        _DECIDE,
        "permit-upload",
        sensitive=True,
        most_bytes=MAX_FILE_BYTES + _FORM_BYTES,
    ),
    route(f"{_ONE}/narrow", narrowing.narrow, _DECIDE, "permit-narrow", sensitive=True),
    route(f"{_ONE}/refuse", deciding.refuse, _DECIDE, "permit-refuse", sensitive=True),
    route(f"{_ONE}/withdraw", ruling.withdraw, _ASK, "permit-withdraw"),
    route(f"{_ONE}/revoke", ruling.revoke, _SEE, "permit-revoke", sensitive=True),
    route(f"{_ONE}/delay", ruling.delay, _DECIDE, "permit-delay", sensitive=True),
    route(f"{_ONE}/end-delay", ruling.end_delay, _DECIDE, "permit-end-delay", sensitive=True),
    route(f"{_ONE}/renew", ruling.renew, _ASK, "permit-renew"),
    route(
        "api/permits/<str:number>/approval-request",
        deciding.approval_request,
        _DECIDE,
        "api-approval-request",
        sensitive=True,
    ),
    route(
        "api/permits/<str:number>/approval",
        deciding.approval,
        _DECIDE,
        "api-approval",
        sensitive=True,
        most_bytes=MAX_FILE_BYTES,
    ),
]
