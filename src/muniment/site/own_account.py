"""One's own account: how one signs in, what proves it, and where one is signed in."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from muniment.people.permission import NEEDS_SECOND_FACTOR
from muniment.site.gate import lacks_second_factor

OVERVIEW = reverse_lazy("mfa_index")
_MOST_SHOWN = 80
# The first that is found counts: browsers name each other.
_BROWSERS = ("Firefox", "Edg", "OPR", "Chrome", "Safari")
_CALLED = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Macintosh", "Linux")


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show how one signs in and what can be changed of it."""
    held = list(Authenticator.objects.filter(user=request.user).order_by("created_at"))
    of = {kind: [each for each in held if each.type == kind] for kind in Authenticator.Type}
    codes = of[Authenticator.Type.RECOVERY_CODES]
    roles = request.roles  # type: ignore[attr-defined]
    context = {
        "account": request.user,
        "roles": sorted(role.label for role in roles),
        "is_needed": bool(roles & NEEDS_SECOND_FACTOR),
        "is_lacking": lacks_second_factor(request, roles),
        "has_code": bool(of[Authenticator.Type.TOTP]),
        "passkeys": [
            (each.pk, each.wrap().name, each.created_at) for each in of[Authenticator.Type.WEBAUTHN]
        ],
        "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else None,
        "sessions": len(_sessions(request)),
    }
    return render(request, "site/account/overview.html", context)


@require_safe
def to_overview(request: HttpRequest) -> HttpResponse:
    """Lead to the overview, which lists the passkeys."""
    return HttpResponseRedirect(reverse("mfa_index"))


@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: HttpRequest) -> HttpResponse:
    """Show where one is signed in; end one of these sessions, or all but this one."""
    if request.method == "POST":
        return _end(request)
    shown = [
        {
            "id": each.pk,
            "browser": browser_of(each.user_agent),
            "ip": each.ip,
            "since": each.created_at,
            "seen": each.last_seen_at,
            "is_this": each.session_key == request.session.session_key,
        }
        for each in _sessions(request)
    ]
    return render(request, "site/account/sessions.html", {"sessions": shown})


def browser_of(user_agent: str) -> str:
    """Return what a browser says it is, in the words people use for it."""
    browser = next((name for name in _BROWSERS if name in user_agent), "")
    system = next((name for name in _SYSTEMS if name in user_agent), "")
    if browser:
        return f"{_CALLED.get(browser, browser)}{' on ' if system else ''}{system}"
    return user_agent[:_MOST_SHOWN] or "A program that does not say its name"


def _end(request: HttpRequest) -> HttpResponse:
    which = request.POST.get("session", "")
    found = _sessions(request)
    if which == "others":
        ending = [each for each in found if each.session_key != request.session.session_key]
    else:
        ending = [each for each in found if str(each.pk) == which]
        if not ending:
            raise Http404("no such session of this person")
    for each in ending:
        each.end()
    return HttpResponseRedirect(reverse("usersessions_list"))


def _sessions(request: HttpRequest) -> list[UserSession]:
    """Return the sessions of whoever asks, newest first, and nobody else's."""
    found = UserSession.objects.purge_and_list(request.user)
    return sorted(found, key=lambda each: each.created_at, reverse=True)
