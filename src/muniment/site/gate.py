"""Lets a request through to its page only when the page's permission is one its person has. Everything else ends here.

1. A page that names no permission is closed to everybody.
2. A body larger than the route takes is refused before anything of it is read.
3. Who is not signed in goes to the sign-in page, and from there back to where they wanted to go.
4. Whose roles do not have the permission hears the clause, who has it, and how to ask.
5. Who acts in a role that needs a second factor sees only what is their own until they used one. An example
   organisation's accounts are exempt.
6. A sensitive page asks again who one is when the last proof is some time ago.

Source: R-5.2-f, R-4.1-e (a screen left unlocked), R-4.1-f.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from muniment.people.permission import (
    ALLOWED,
    ANYONE,
    NEEDS_SECOND_FACTOR,
    WITHOUT_SECOND_FACTOR,
    Permission,
    allows,
    roles_in_words,
)
from muniment.people.role import Role
from muniment.people.route import Terms, terms_of
from muniment.site import failure

CLAUSE = "R-5.2-f"
# The page with the form is asked for first, so that a form opened in time can also be sent.
PROOF_SECONDS = {True: 10 * 60, False: 40 * 60}
_SAFE = ("GET", "HEAD")
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")


class GateMiddleware:
    """Asks the terms of each route before its view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Return None to let a request through, or what it gets instead."""
        terms = terms_of(view)
        if terms is None:
            return failure.page(request, 403, "This page names no permission, so it is closed.", CLAUSE)
        if request.method not in _METHODS:
            return failure.page(request, 405, "Pages are asked for and forms are sent here; nothing else is.")
        return too_large(request, terms) or denial(request, terms)


def too_large(request: HttpRequest, terms: Terms) -> HttpResponse | None:
    """Return the refusal of a body that is larger than its route takes."""
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return failure.page(request, 400, "The request does not say how long it is.")
    if 0 <= size <= terms.most_bytes:
        return None
    most = f"{terms.most_bytes:,} bytes"
    return failure.page(request, 413, f"What was sent has {size:,} bytes, and this page takes {most}.")


def denial(request: HttpRequest, terms: Terms) -> HttpResponse | None:
    """Return what somebody gets who may not take a route on these terms, None when they may."""
    person, roles = request.person, request.roles  # type: ignore[attr-defined]
    if ALLOWED[terms.permission] is ANYONE:
        return None
    if person is None:
        return _sign_in(request)
    if not allows(terms.permission, roles):
        return _lacking(request, terms.permission)
    if lacks_second_factor(request, roles) and terms.permission not in WITHOUT_SECOND_FACTOR:
        return _second_factor(request)
    if terms.is_sensitive and not is_proved(request):
        return _again(request)
    return None


def lacks_second_factor(request: HttpRequest, roles: frozenset[Role]) -> bool:
    """Tell whether these roles need a second factor and this session did not use one."""
    policy = settings.MUNIMENT_POLICY
    if not roles & NEEDS_SECOND_FACTOR or (policy is not None and policy.example):
        return False
    records = get_authentication_records(request, request.user)
    return not any(record.get("method") == "mfa" for record in records)


def is_proved(request: HttpRequest) -> bool:
    """Tell whether the person proved who they are a short time ago."""
    records = get_authentication_records(request, request.user)
    last = max((record.get("at", 0.0) for record in records), default=0.0)
    return 0 <= time.time() - last < PROOF_SECONDS[request.method in _SAFE]


def _sign_in(request: HttpRequest) -> HttpResponse:
    if failure.wants_json(request):
        return failure.page(request, 401, "Nobody is signed in. Sign in at the console first.")
    return HttpResponseRedirect(_with_next(request, "account_login"))


def _lacking(request: HttpRequest, permission: Permission) -> HttpResponse:
    facts = (
        ("Until when", "until the register of people gives you one of the roles below"),
        ("Who may open it", roles_in_words(permission)),
        (
            "How to ask",
            "ask the Office Manager for the role if your work needs it, or one of them to look for you",
        ),
    )
    return failure.page(request, 403, "Your roles do not open this page.", CLAUSE, facts)


def _second_factor(request: HttpRequest) -> HttpResponse:
    if failure.wants_json(request) or request.method not in _SAFE:
        found = "Your roles need a second factor: a one-time code or a passkey. Set one up under your name."
        return failure.page(request, 403, found, "R-4.1-f")
    return HttpResponseRedirect(_with_next(request, "mfa_index"))


def _again(request: HttpRequest) -> HttpResponse:
    if failure.wants_json(request) or request.method not in _SAFE:
        found = (
            "This step asks who you are if you did not say so in the last minutes, and you did not. Nothing was done. "
            "Go back, load the page again, and it asks you."
        )
        return failure.page(request, 403, found, "R-4.1-f")
    return HttpResponseRedirect(_with_next(request, "account_reauthenticate"))


def _with_next(request: HttpRequest, name: str) -> str:
    if request.method not in _SAFE or request.path == "/":
        return reverse(name)
    return f"{reverse(name)}?next={quote(request.get_full_path())}"
