"""Puts on every request who makes it: `request.person` and `request.roles`, or None and no role.

A session ends twelve hours after its sign-in, and half an hour after its last request. Both are told from the session
itself, whatever the browser does with its cookie. `seen` is written at most once a minute, so that a page does not
cost a write.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from muniment.people.account import Account
from muniment.people.limits import LONGEST_IDLE, LONGEST_SESSION
from muniment.people.models import Person
from muniment.people.role import Role
from muniment.people.sign_in import acting_roles
from muniment.site import failure

SIGNED_IN_AT, SEEN_AT = "signed_in_at", "seen_at"
_WRITE_AFTER = timedelta(minutes=1)


class PersonMiddleware:
    """Sets `person` and `roles`; style sheets are served without asking."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        request.person, request.roles = None, frozenset()  # type: ignore[attr-defined]
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path_info.startswith("/static/"):
            try:
                request.person, request.roles = present(request)  # type: ignore[attr-defined]
            except DatabaseError:
                return failure.page(
                    request, 503, "The console's database does not answer. Try again shortly."
                )
        return self._get_response(request)


def present(request: HttpRequest) -> tuple[Person | None, frozenset[Role]]:
    """Return who makes a request and their roles now; a session that is over is ended first."""
    account: Any = request.user
    if not account.is_authenticated:
        return None, frozenset()
    now = timezone.now()
    if not isinstance(account, Account) or is_over(request, now):
        logout(request)
        return None, frozenset()
    if now - _moment(request, SEEN_AT) > _WRITE_AFTER:
        request.session[SEEN_AT] = now.timestamp()
    policy = settings.MUNIMENT_POLICY
    return account.person, acting_roles(account.person, now, policy.officers if policy else ())


def is_over(request: HttpRequest, now: datetime) -> bool:
    """Tell whether a session has lasted too long, or was left alone too long."""
    since, seen = _moment(request, SIGNED_IN_AT), _moment(request, SEEN_AT)
    return not (now - LONGEST_SESSION < since <= now) or not (now - LONGEST_IDLE < seen <= now)


def begin(request: HttpRequest) -> None:
    """Note the moment of a sign-in in its session."""
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = timezone.now().timestamp()


def _moment(request: HttpRequest, name: str) -> datetime:
    found = request.session.get(name)
    seconds = found if isinstance(found, int | float) else 0
    return datetime.fromtimestamp(seconds, tz=timezone.get_current_timezone())
