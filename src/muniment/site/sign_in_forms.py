"""The forms of signing in and of one's account, with our words."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateCodeForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.password_validation import validate_password

from muniment.people.account import Account
from muniment.people.address import fold_or_none

ADVICE = (
    "At least twelve characters. Three or four words nobody would guess are easy to type and to remember."
)


def plain(form: forms.Form, labels: dict[str, str]) -> None:
    """Give the fields labels of ours, and take away what would stand in them in their place."""
    for name, field in form.fields.items():
        field.widget.attrs.pop("placeholder", None)
        field.label = labels.get(name, field.label)


class SignInForm(LoginForm):
    """Address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        plain(self, {"login": "Your mail address", "password": "Your password"})

    def clean_login(self) -> str:
        """Return the address in the form that is compared."""
        address: str = super().clean_login()
        return fold_or_none(address) or address


class AgainForm(ReauthenticateForm):
    """The password once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plain(self, {"password": "Your password"})


class CodeForm(AuthenticateForm):
    """A one-time code, or a recovery code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plain(self, {"code": "The code your phone shows, or a recovery code"})


class CodeAgainForm(ReauthenticateCodeForm):
    """A one-time code once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plain(self, {"code": "The code your phone shows, or a recovery code"})


class OneTimeCodeForm(ActivateTOTPForm):
    """The first code, which shows that the phone has the secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plain(self, {"code": "The six figures your phone shows now"})
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class NewPasswordForm(ChangePasswordForm):
    """The present password and a new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = ADVICE
        labels = {"oldpassword": "Your present password", "password1": "A new password"}
        plain(self, labels | {"password2": "The new password once more"})


class FirstPasswordForm(forms.Form):
    """The password an invited person chooses."""

    password1 = forms.CharField(
        label="A password",
        help_text=ADVICE,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label="The same password once more",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._account = account

    def clean_password1(self) -> str:
        """Return the password when it is hard to guess."""
        password: str = self.cleaned_data["password1"]
        validate_password(password, self._account)
        return password

    def clean(self) -> dict[str, Any]:
        """Hold that both are the same."""
        found = super().clean() or {}
        if "password1" in found and found.get("password2") != found["password1"]:
            self.add_error("password2", "The two are not the same. Type both again.")
        return found
