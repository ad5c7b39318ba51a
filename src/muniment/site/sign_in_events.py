"""What follows when somebody signs in, or gets or gives up a second factor."""

from __future__ import annotations

from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from muniment.people.account import Account
from muniment.site.person import begin

_PROVES = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def listen() -> None:
    """Connect what is below; twice is once."""
    user_logged_in.connect(_signed_in, dispatch_uid="muniment-signed-in")
    authenticator_added.connect(_added, dispatch_uid="muniment-added")
    authenticator_removed.connect(_removed, dispatch_uid="muniment-removed")


def _signed_in(request: HttpRequest, user: Account, **_: Any) -> None:
    """Whoever just signed in need not say again who they are for the next minutes."""
    begin(request)
    records = get_authentication_records(request, user)
    if records:
        records[-1] = records[-1] | {"reauthenticated": True}
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = records


def _added(request: HttpRequest, user: Account, authenticator: Authenticator, **_: Any) -> None:
    """Whoever just set a second factor up has shown that they hold it."""
    if authenticator.type in _PROVES:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


def _removed(request: HttpRequest, user: Account, **_: Any) -> None:
    """A session stops counting as proved by a second factor when its person gives one up."""
    records = get_authentication_records(request, user)
    kept = [record for record in records if record.get("method") != "mfa"]
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = kept
