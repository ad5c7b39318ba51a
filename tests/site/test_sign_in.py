"""Signing in: what opens, what does not, what a thief learns from trying, and when a session ends."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from muniment.people.account import Account
from muniment.people.models import Person
from muniment.people.role import Role
from tests.people.database import set_up

from .signed_in import client_as, client_of

set_up()
PASSWORD = "four-plain-words-here"
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("database")


def account_of(client: Client) -> Account:
    return Account.objects.get(pk=client.session["_auth_user_id"])


def with_password(*roles: Role) -> Account:
    account = account_of(client_as(*roles))
    account.set_password(PASSWORD)
    account.save()
    return account


def browser() -> Client:
    return Client(raise_request_exception=False, headers={"host": "localhost"})


def sign_in(client: Client, account: Account, password: str = PASSWORD, then: str = "") -> HttpResponse:
    place = f"/sign-in?next={then}" if then else "/sign-in"
    return client.post(place, {"login": account.email, "password": password, "next": then})


def code_of(account: Account, *, ahead: int = 0) -> str:
    secret = Authenticator.objects.get(user=account, type="totp").wrap().instance.data["secret"]
    from muniment.site.adapter import MFAAdapter

    return format_hotp_value(hotp_value(MFAAdapter().decrypt(secret), int(time.time()) // 30 + ahead))


def test_the_right_password_signs_in_and_leads_where_one_wanted_to_go() -> None:
    account, client = with_password(Role.STAFF), browser()
    assert client.get("/my-account?x=1").headers["Location"] == "/sign-in?next=/my-account%3Fx%3D1"
    answer = sign_in(client, account, then="/my-account?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/my-account?x=1")
    assert client.get("/my-account").status_code == 200


@pytest.mark.parametrize(
    "then",
    ["https://evil.example/", "//evil.example", "\\\\evil.example", "javascript:alert(1)", "http:evil"],
)
def test_nobody_is_sent_elsewhere_after_signing_in(then: str) -> None:
    answer = sign_in(browser(), with_password(Role.STAFF), then=then)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_wrong_password_and_an_unknown_address_are_answered_alike() -> None:
    account, client = with_password(Role.STAFF), browser()
    wrong = sign_in(client, account, "not it at all")
    unknown = client.post("/sign-in", {"login": "nobody@training.example", "password": "not it at all"})
    assert wrong.status_code == unknown.status_code == 200
    assert _page(wrong, account.email) == _page(unknown, "nobody@training.example")


def _page(answer: HttpResponse, address: str) -> str:
    text = re.sub(r'value="[A-Za-z0-9]{64}"', "", answer.content.decode())
    return text.replace(address, "ADDRESS")


def test_five_failures_lock_an_address_for_a_while_and_no_other() -> None:
    account, other, client = with_password(Role.STAFF), with_password(Role.STAFF), browser()
    for _ in range(5):
        assert "do not belong together" in sign_in(client, account, "wrong").content.decode()
    locked = sign_in(client, account)
    assert locked.status_code == 200 and "too many tries" in locked.content.decode()
    assert "_auth_user_id" not in client.session
    capital = client.post("/sign-in", {"login": account.email.upper(), "password": PASSWORD})
    assert "too many tries" in capital.content.decode()
    by_other_name = browser().post(
        "/sign-in", {"login": account.email, "password": PASSWORD}, headers={"host": "127.0.0.1"}
    )
    assert "too many tries" in by_other_name.content.decode()
    assert sign_in(browser(), other).status_code == 302


def test_an_unknown_address_is_locked_alike() -> None:
    client = browser()
    for _ in range(5):
        client.post("/sign-in", {"login": "nobody@training.example", "password": "wrong"})
    last = client.post("/sign-in", {"login": "nobody@training.example", "password": "wrong"})
    assert "too many tries" in last.content.decode()


def test_one_machine_that_tries_many_addresses_is_stopped() -> None:
    client = browser()
    said = [
        client.post(
            "/sign-in", {"login": f"n{number}@training.example", "password": "wrong"}
        ).content.decode()
        for number in range(21)
    ]
    assert "too many tries" not in said[19] and "too many tries" in said[20]


def test_a_name_in_a_forwarding_header_is_no_other_machine() -> None:
    client = browser()
    said = ""
    for number in range(21):
        said = client.post(
            "/sign-in",
            {"login": f"n{number}@training.example", "password": "wrong"},
            headers={"x-forwarded-for": f"198.51.100.{number}", "forwarded": f"for=198.51.100.{number}"},
        ).content.decode()
    assert "too many tries" in said


def test_a_session_a_stranger_chose_is_not_the_one_somebody_signs_in_with() -> None:
    account, client = with_password(Role.STAFF), browser()
    client.cookies["sessionid"] = "a" * 32
    client.get("/sign-in")
    planted = Client().session
    planted["taken"] = True
    planted.save()
    client.cookies["sessionid"] = planted.session_key
    sign_in(client, account)
    assert client.cookies["sessionid"].value not in ("a" * 32, planted.session_key)
    assert not Session.objects.filter(session_key=planted.session_key).exists()
    assert "_auth_user_id" in client.session


def test_cookies_are_out_of_reach_of_scripts_and_other_sites() -> None:
    client = browser()
    sign_in(client, with_password(Role.STAFF))
    session, token = client.cookies["sessionid"], browser().get("/sign-in").cookies["csrftoken"]
    assert session["httponly"] and session["samesite"] == "Lax" and not session["expires"]
    assert token["httponly"] and token["samesite"] == "Strict"


@pytest.mark.parametrize(
    ("name", "ago", "is_over"),
    [
        ("signed_in_at", timedelta(hours=12, seconds=1), True),
        ("signed_in_at", timedelta(hours=11, minutes=59), False),
        ("signed_in_at", -timedelta(minutes=1), True),
        ("seen_at", timedelta(minutes=30, seconds=1), True),
        ("seen_at", timedelta(minutes=29), False),
        ("seen_at", None, True),
    ],
)
def test_a_session_ends_after_twelve_hours_or_half_an_hour_alone(
    name: str, ago: timedelta | None, is_over: bool
) -> None:
    client = client_as(Role.STAFF)
    session = client.session
    if ago is None:
        del session[name]
    else:
        session[name] = (datetime.now(UTC) - ago).timestamp()
    session.save()
    answer = client.get("/my-account")
    assert (answer.status_code == 302) is is_over
    if is_over:
        assert not Session.objects.filter(session_key=session.session_key).exists()


def test_whoever_leaves_is_signed_out_at_that_moment_and_stays_out() -> None:
    account = with_password(Role.STAFF)
    client = client_of(account)
    assert client.get("/my-account").status_code == 200
    Person.objects.filter(pk=account.person_id).update(ended=datetime.now(UTC))
    assert client.get("/my-account").status_code == 302
    refused = sign_in(browser(), account)
    assert refused.headers["Location"] == "/sign-in/closed"
    assert "register of people" in browser().get("/sign-in/closed").content.decode()


def test_signing_out_ends_the_session_on_this_side_and_only_by_a_form() -> None:
    client = client_as(Role.STAFF)
    key = client.session.session_key
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert not Session.objects.filter(session_key=key).exists()


def test_a_second_factor_is_asked_for_and_nothing_opens_before() -> None:
    account = with_password(Role.HR)
    TOTP.activate(account, _sealed_secret(account))
    client = browser()
    assert sign_in(client, account).headers["Location"] == "/sign-in/code"
    assert client.get("/my-account").status_code == 302
    wrong = client.post("/sign-in/code", {"code": "000000"})
    assert wrong.status_code == 200 and "That code does not fit" in wrong.content.decode()
    right = code_of(account)
    assert client.post("/sign-in/code", {"code": right}).status_code == 302
    assert client.get("/my-account").status_code == 200
    again = browser()
    sign_in(again, account)
    assert again.post("/sign-in/code", {"code": right}).status_code == 200, "a code opens once"


def _sealed_secret(account: Account) -> str:
    return "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_the_secret_of_one_time_codes_is_not_stored_in_the_clear() -> None:
    account = with_password(Role.HR)
    TOTP.activate(account, _sealed_secret(account))
    stored = Authenticator.objects.get(user=account).data["secret"]
    assert _sealed_secret(account) not in str(stored)


def test_guessing_codes_is_stopped() -> None:
    account = with_password(Role.HR)
    TOTP.activate(account, _sealed_secret(account))
    client = browser()
    sign_in(client, account)
    for _ in range(5):
        client.post("/sign-in/code", {"code": "000000"})
    assert "too many tries" in client.post("/sign-in/code", {"code": code_of(account)}).content.decode()


@pytest.mark.parametrize("role", [Role.IT_SUPPORT, Role.HR, Role.AUDITOR, Role.OFFICE_MANAGER])
def test_these_roles_see_only_their_own_before_a_second_factor(role: Role) -> None:
    client = client_as(role, proved=False)
    assert client.get("/permits").headers["Location"] == "/my-account?next=/permits"
    page = client.get("/my-account")
    assert page.status_code == 200 and "Your roles need a second proof" in page.content.decode()
    assert client.get("/my-account/sessions").status_code == 200


def test_setting_a_second_factor_up_opens_the_rest_and_giving_it_up_closes_it() -> None:
    client = client_as(Role.HR, proved=False)
    account = account_of(client)
    account.set_password(PASSWORD)
    account.save()
    client = browser()
    sign_in(client, account)
    assert client.get("/rooms").headers["Location"].startswith("/my-account")
    page = client.get("/my-account/one-time-code")
    assert page.status_code == 200 and "<svg" in page.content.decode()
    secret = client.session["mfa.totp.secret"]
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    done = client.post("/my-account/one-time-code", {"code": code})
    assert done.headers["Location"] == "/my-account/recovery-codes"
    codes = re.findall(r"<li>([0-9a-z-]+)</li>", client.get("/my-account/recovery-codes").content.decode())
    assert len(codes) == 10
    assert codes[0] not in client.get("/my-account/recovery-codes").content.decode()
    assert client.get("/rooms").status_code != 302
    assert client.post("/my-account/one-time-code/off").status_code == 302
    assert client.get("/rooms").headers["Location"].startswith("/my-account")


def test_a_recovery_code_opens_once() -> None:
    account = with_password(Role.HR)
    TOTP.activate(account, _sealed_secret(account))
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    code = RecoveryCodes.activate(account).get_unused_codes()[0]
    first, second = browser(), browser()
    sign_in(first, account)
    assert first.post("/sign-in/code", {"code": code}).status_code == 302
    sign_in(second, account)
    assert second.post("/sign-in/code", {"code": code}).status_code == 200


def test_one_sees_and_ends_ones_own_sessions_and_nobody_elses() -> None:
    account, other = with_password(Role.STAFF), with_password(Role.STAFF)
    here, there, stranger = browser(), browser(), browser()
    for client, whose in ((here, account), (there, account), (stranger, other)):
        sign_in(client, whose)
    from allauth.usersessions.models import UserSession

    foreign = UserSession.objects.get(user=other)
    assert here.post("/my-account/sessions", {"session": str(foreign.pk)}).status_code == 404
    assert here.post("/my-account/sessions", {"session": "1 OR 1=1"}).status_code == 404
    assert stranger.get("/my-account").status_code == 200
    [elsewhere] = UserSession.objects.filter(user=account, session_key=there.session.session_key)
    assert here.post("/my-account/sessions", {"session": str(elsewhere.pk)}).status_code == 302
    assert there.get("/my-account").status_code == 302
    assert here.get("/my-account").status_code == 200
    sign_in(there, account)
    here.post("/my-account/sessions", {"session": "others"})
    assert there.get("/my-account").status_code == 302 and here.get("/my-account").status_code == 200


def test_a_new_password_ends_every_other_session() -> None:
    account = with_password(Role.STAFF)
    here, there = browser(), browser()
    sign_in(here, account)
    sign_in(there, account)
    new = "quite-another-set-of-words"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/my-account/password", fields).status_code == 302
    assert here.get("/my-account").status_code == 200
    assert there.get("/my-account").status_code == 302
    assert sign_in(browser(), account).status_code == 200
    assert sign_in(browser(), account, new).status_code == 302


@pytest.mark.parametrize("weak", ["short", "password1234", "p1@training.example", "Person 1 and more"])
def test_a_password_that_is_easily_guessed_is_refused(weak: str) -> None:
    account, client = with_password(Role.STAFF), browser()
    account.person.name = "Person 1 and more"
    account.person.save()
    sign_in(client, account)
    fields = {"oldpassword": PASSWORD, "password1": weak, "password2": weak}
    assert client.post("/my-account/password", fields).status_code == 200


def test_a_sensitive_page_asks_again_after_a_while() -> None:
    account = with_password(Role.STAFF)
    account.set_unusable_password()
    account.save()
    client = client_of(account)
    assert client.get("/my-account/first-password").status_code == 200
    _age(client, 11 * 60)
    asked = client.get("/my-account/first-password")
    assert asked.headers["Location"] == "/my-account/again?next=/my-account/first-password"
    fields = {"password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/my-account/first-password", fields).status_code == 302, (
        "opened in time, sent in time"
    )
    account.refresh_from_db()
    assert account.check_password(PASSWORD)


def test_a_sensitive_form_is_not_sent_by_whoever_finds_the_screen_open() -> None:
    client = client_as(Role.STAFF)
    _age(client, 41 * 60)
    answer = client.post("/my-account/first-password", {"password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 403 and "Nothing was done" in answer.content.decode()


def test_saying_again_who_one_is_opens_the_page_that_asked() -> None:
    account, client = with_password(Role.STAFF), browser()
    sign_in(client, account)
    _age(client, 11 * 60)
    assert client.get("/my-account/one-time-code").headers["Location"].startswith("/my-account/again")
    there = {"password": PASSWORD, "next": "/my-account/one-time-code"}
    wrong = client.post("/my-account/again", there | {"password": "wrong"})
    assert wrong.status_code == 200 and "not your password" in wrong.content.decode()
    assert client.post("/my-account/again", there).headers["Location"] == "/my-account/one-time-code"
    assert client.get("/my-account/one-time-code").status_code == 200


def _age(client: Client, seconds: float) -> None:
    session = client.session
    records: list[dict[str, Any]] = session["account_authentication_methods"]
    session["account_authentication_methods"] = [record | {"at": time.time() - seconds} for record in records]
    session.save()


def test_the_forms_of_other_sites_are_refused() -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False, headers={"host": "localhost"})
    account = with_password(Role.STAFF)
    answer = client.post("/sign-in", {"login": account.email, "password": PASSWORD})
    assert answer.status_code == 403 and "The form came from elsewhere" in answer.content.decode()


def test_nobody_signs_up_or_resets_a_password_by_mail() -> None:
    client = browser()
    for place in ("/signup", "/accounts/signup/", "/accounts/login/", "/password/reset", "/accounts/email/"):
        assert client.get(place).status_code == 404


def test_a_database_that_is_away_is_said() -> None:
    from django.db import connection

    client = client_as(Role.STAFF)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_session RENAME TO away")
    cache.clear()
    assert client.get("/my-account").status_code == 503
