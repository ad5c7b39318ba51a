"""The first page of each role. Who has several begins where the most waits."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from muniment.account.serving import acting, link
from muniment.people.permission import Permission, allows
from muniment.people.role import Role


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Send a person to where their work begins."""
    return redirect(home_of(acting(request).roles))


def home_of(roles: frozenset[Role]) -> str:
    """Return the name of the page at which somebody in these roles begins."""
    if allows(Permission.SEE_TODAY, roles):
        return "today"
    if Role.IT_SUPPORT in roles:
        return "health"
    if Role.AUDITOR in roles:
        return "audit"
    if allows(Permission.ENTER_ROOM, roles) and link("rooms"):
        return "rooms"
    return "audit" if allows(Permission.SEE_AUDIT, roles) else "my-record"
