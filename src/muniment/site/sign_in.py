"""Signing in and out, and the page an invitation leads to."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.views import LoginView
from allauth.core import ratelimit
from allauth.socialaccount.providers.openid_connect import views as openid
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.request import split_domain_port
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from requests import RequestException

from muniment.people.account_invitation import invited_account, use
from muniment.people.example_people import SHEET
from muniment.policy.errors import Missing, Unavailable
from muniment.site import failure
from muniment.site.openid import PROVIDER
from muniment.site.sign_in_forms import FirstPasswordForm


class SignInView(LoginView):
    """Address and password, a passkey, or the organisation's own sign-in service."""

    template_name = "site/account/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows beside the form."""
        policy, home = settings.MUNIMENT_POLICY, settings.MUNIMENT_HOME
        service = policy.console.openid if policy else None
        host = split_domain_port(self.request.get_host())[0]
        return super().get_context_data(**kwargs) | {
            "service": service.name if service else "",
            "sheet": home.path / "sheets" / SHEET if home and policy and policy.example else "",
            "is_number": host.replace(".", "").isdigit() or host.startswith("["),
        }


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    logout(request)
    return HttpResponseRedirect(reverse("account_login"))


@require_POST
def to_service(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the organisation's own sign-in service.

    By a page and not by a redirect: a form of ours may lead nowhere else (`form-action`), and a link may.

    Raises: Missing when the policy file names no service; Unavailable when it does not answer.
    """
    service = _service(provider_id)
    if request.POST.get("process", "login") != "login":
        raise Missing("the sign-in service only signs in; load the sign-in page again")
    try:
        answer = openid.login(request, provider_id)
    except (RequestException, ValueError, KeyError) as error:
        raise Unavailable(
            f"{service} does not answer as a sign-in service does; use your password, or try again later"
        ) from error
    if not isinstance(answer, HttpResponseRedirect):
        return answer
    return render(request, "site/account/to_service.html", {"service": service, "address": answer.url})


@require_safe
def from_service(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take what the sign-in service says of whoever it sends back.

    Raises: Missing when the policy file names no service.
    """
    _service(provider_id)
    return openid.callback(request, provider_id)


def _service(provider_id: str) -> str:
    """Return what the sign-in service is called."""
    policy = settings.MUNIMENT_POLICY
    service = policy.console.openid if policy else None
    if service is None or provider_id != PROVIDER:
        raise Missing(
            "the policy file names no such sign-in service; sign in with your password or a passkey"
        )
    return service.name


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Let an invited person choose a password or a passkey, and sign them in."""
    if not ratelimit.consume(request, action="reset_password_from_key"):
        return failure.too_many(request)
    account = invited_account(secret, timezone.now())
    is_passkey = request.method == "POST" and "passkey" in request.POST
    form = FirstPasswordForm(
        request.POST if request.method == "POST" and not is_passkey else None, account=account
    )
    if request.method != "POST" or not (is_passkey or form.is_valid()):
        context = {"form": form, "name": account.person.name, "address": account.email}
        return render(request, "site/account/invitation.html", context)
    logout(request)
    account = use(secret, timezone.now(), None if is_passkey else form.cleaned_data["password1"])
    record_authentication(request, account, "invitation", reauthenticated=True)
    then = reverse("mfa_add_webauthn" if is_passkey else "mfa_index")
    return perform_login(request, Login(user=account, redirect_url=then))
