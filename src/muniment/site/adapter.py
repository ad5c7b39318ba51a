"""What of django-allauth's sign-in is ours: its words, its limits, nobody signs up, one-time-code secrets are sealed.

Tries are counted by the address signed in with and by the machine they come from, under no other name: a console that
has two names would otherwise give twice the tries.
"""

from __future__ import annotations

import base64
from typing import Any

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from qrcode.image.svg import SvgPathFillImage

from muniment.people.sign_in import vouched_account
from muniment.policy.errors import Tampered

_INFO = b"muniment/1 second factors"


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in with the mail address of one's account."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "Address and password do not belong together. Look at both and try again.",
        "too_many_login_attempts": "There were too many tries. Wait five minutes, then try again.",
        "incorrect_password": "That is not your password. Try again.",
        "enter_current_password": "That is not your present password. Try again.",
        "incorrect_code": "That code does not fit. Codes change every half minute: type the one shown now.",
        "rate_limited": "There were too many tries. Wait five minutes, then try again.",
        "account_inactive": "This account is closed.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Tell that nobody makes an account for themselves."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Tell whether one may be sent there after signing in: a path of ours and nothing else."""
        return bool(url) and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Tell whether it is the password of the account; tries are counted as those of a sign-in."""
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return str(credentials.get("email", "")).casefold()


class MFAAdapter(DefaultMFAAdapter):
    """Second factors. What proves them is stored sealed under the console's key."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def encrypt(self, text: str) -> str:
        """Return a secret as it is stored."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret.

        Raises: Tampered when the console's key does not open it.
        """
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise Tampered(
                "the stored secret of a second factor does not open: the console's key is another one than when it "
                "was made. Put console.key back, or invite the person anew: muniment people invite ID "
                "--forget-second-factor"
            ) from error

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the name a passkey is bound to: the console's own, as it was asked for."""
        policy = settings.MUNIMENT_POLICY
        name = policy.organisation.short_name if policy else "Muniment"
        return {
            "id": split_domain_port(context.request.get_host())[0],
            "name": name,
        }

    def build_totp_svg(self, url: str) -> str:
        """Return the picture a phone scans, dark on light in every theme, ready to stand in a page."""
        picture: bytes = qrcode.make(url, image_factory=SvgPathFillImage).to_string()
        return picture.decode()

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """Return what a new passkey is called when its owner gives it no name."""
        return "Passkey"


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Sign-in through the organisation's own sign-in service (OpenID Connect)."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Tell that the service makes nobody an account: it only opens one that is there."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Let a mail address the service vouches for as verified open the account of whoever holds it now.

        Not by allauth's own setting, which would take the account's password away: it fears that a stranger signed
        up with the address, and here nobody signs up.
        """
        if sociallogin.is_existing:
            return
        for address in sociallogin.email_addresses:
            account = vouched_account(address.email, timezone.now()) if address.verified else None
            if account is not None:
                sociallogin.user = account
                return


def _box() -> Fernet:
    key = HKDF(SHA256(), 32, None, _INFO).derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))
