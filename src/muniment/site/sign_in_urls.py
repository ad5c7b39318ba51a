"""The routes of signing in and of one's own account: the views of django-allauth we use, each named here, no others.

The names are those by which allauth finds its own views. None of its views for signing up, for changing addresses or
for resetting a password by mail has a route: nobody makes an account for themselves, and an address is the register's.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkey
from allauth.socialaccount import views as social

from muniment.people.permission import Permission
from muniment.people.route import Content, route
from muniment.site import own_account, passkey_views, sign_in

_TEMPLATES = "site/account"
_START, _OWN = Permission.SIGN_IN, Permission.USE_OWN_ACCOUNT
SCRIPTS = Content.SCRIPTS

ROUTES = [
    route("sign-in", sign_in.SignInView.as_view(), _START, "account_login", content=SCRIPTS),
    route("sign-out", sign_in.sign_out, _START, "account_logout"),
    route(
        "sign-in/closed",
        account.AccountInactiveView.as_view(template_name=f"{_TEMPLATES}/closed.html"),
        _START,
        "account_inactive",
    ),
    route(
        "sign-in/code",
        passkey_views.CodeView.as_view(),
        _START,
        "mfa_authenticate",
        content=SCRIPTS,
    ),
    route("sign-in/passkey", passkey.login_webauthn, _START, "mfa_login_webauthn"),
    route("invitation/<str:secret>", sign_in.invitation, _START, "invitation"),
    route("my-account", own_account.overview, _OWN, "mfa_index"),
    route(
        "my-account/again",
        account.ReauthenticateView.as_view(template_name=f"{_TEMPLATES}/again.html"),
        _OWN,
        "account_reauthenticate",
    ),
    route(
        "my-account/again/code",
        mfa.ReauthenticateView.as_view(template_name=f"{_TEMPLATES}/again_code.html"),
        _OWN,
        "mfa_reauthenticate",
    ),
    route(
        "my-account/again/passkey",
        passkey_views.AgainView.as_view(),
        _OWN,
        "mfa_reauthenticate_webauthn",
        content=SCRIPTS,
    ),
    route(
        "my-account/password",
        account.PasswordChangeView.as_view(
            template_name=f"{_TEMPLATES}/password.html", success_url=own_account.OVERVIEW
        ),
        _OWN,
        "account_change_password",
    ),
    route(
        "my-account/first-password",
        account.PasswordSetView.as_view(
            template_name=f"{_TEMPLATES}/password.html", success_url=own_account.OVERVIEW
        ),
        _OWN,
        "account_set_password",
        sensitive=True,
    ),
    route(
        "my-account/one-time-code",
        totp.ActivateTOTPView.as_view(template_name=f"{_TEMPLATES}/one_time_code.html"),
        _OWN,
        "mfa_activate_totp",
    ),
    route(
        "my-account/one-time-code/off",
        totp.DeactivateTOTPView.as_view(template_name=f"{_TEMPLATES}/one_time_code_off.html"),
        _OWN,
        "mfa_deactivate_totp",
    ),
    route(
        "my-account/recovery-codes",
        recovery.ViewRecoveryCodesView.as_view(template_name=f"{_TEMPLATES}/recovery_codes.html"),
        _OWN,
        "mfa_view_recovery_codes",
    ),
    route(
        "my-account/recovery-codes/new",
        recovery.GenerateRecoveryCodesView.as_view(template_name=f"{_TEMPLATES}/recovery_codes_new.html"),
        _OWN,
        "mfa_generate_recovery_codes",
    ),
    route("my-account/passkeys", own_account.to_overview, _OWN, "mfa_list_webauthn"),
    route(
        "my-account/passkeys/new",
        passkey_views.NewPasskeyView.as_view(),
        _OWN,
        "mfa_add_webauthn",
        content=SCRIPTS,
    ),
    route(
        "my-account/passkeys/<int:pk>/remove",
        passkey.RemoveWebAuthnView.as_view(template_name=f"{_TEMPLATES}/passkey_remove.html"),
        _OWN,
        "mfa_remove_webauthn",
    ),
    route("my-account/sessions", own_account.sessions, _OWN, "usersessions_list"),
    route("sign-in/organisation/<str:provider_id>", sign_in.to_service, _START, "openid_connect_login"),
    route(
        "sign-in/organisation/<str:provider_id>/back", sign_in.from_service, _START, "openid_connect_callback"
    ),
    route("sign-in/organisation-cancelled", social.login_cancelled, _START, "socialaccount_login_cancelled"),
]
