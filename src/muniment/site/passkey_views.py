"""The views of django-allauth that use a passkey, with the browser's question where our script finds it."""

from __future__ import annotations

import json
from typing import Any

from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView
from django.core.serializers.json import DjangoJSONEncoder


class _WithQuestion:
    """Adds `options`: the question to the browser, as JSON for an attribute of the form."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        question = next(iter(context.get("js_data", {}).values()), None)
        return context | {"options": json.dumps(question, cls=DjangoJSONEncoder)}


class CodeView(_WithQuestion, AuthenticateView):
    """The second proof of a sign-in: a one-time code or a passkey."""

    template_name = "site/account/code.html"


class AgainView(_WithQuestion, ReauthenticateWebAuthnView):
    """A passkey once more."""

    template_name = "site/account/again_passkey.html"


class NewPasskeyView(_WithQuestion, AddWebAuthnView):
    """A new passkey."""

    template_name = "site/account/passkey_new.html"
