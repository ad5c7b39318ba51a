"""Signing in as a person meets it: in a real Chromium, by password, one-time code, passkey and invitation."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.people.database import set_up

from .console import Console, alone
from .signed_in import address_of, muniment, password_of, sign_in
from .test_pages import CHROMIUM, VIEWS, Scheme

set_up()
PASSWORD = "three-words-and-more"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with alone(tmp_path_factory.mktemp("sign-in")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is not installed; run tests/install-servers as root once"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@contextmanager
def page(
    browser: Browser, scheme: Scheme = "light", width: int = 1280, *, scripts: bool = True
) -> Iterator[Page]:
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 844}, java_script_enabled=scripts
    )
    try:
        opened, complaints = context.new_page(), []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on(
            "console", lambda each: complaints.append(each.text) if "Content Security" in each.text else None
        )
        yield opened
        assert complaints == []
    finally:
        context.close()


def with_authenticator(opened: Page) -> Any:
    """Give the browser a device that makes passkeys and sees its owner's finger."""
    devices = opened.context.new_cdp_session(opened)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devices


def by_name(console: Console) -> str:
    """Return the console's address with the name a passkey can belong to."""
    return console.address.replace("127.0.0.1", "localhost")


def link_for(console: Console, person_id: str) -> str:
    said = json.loads(muniment("people", "invite", person_id, "--home", str(console.home.path), "--json"))
    return str(said["link"])


def check(opened: Page, width: int = 1280) -> None:
    found = Axe().run(opened)
    assert found.violations_count == 0, found.generate_report()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.locator("h1").count() == 1


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_the_pages_before_one_is_signed_in(
    browser: Browser, console: Console, scheme: Scheme, width: int
) -> None:
    with page(browser, scheme, width) as opened:
        opened.goto(f"{by_name(console)}/sign-in")
        check(opened, width)
        opened.get_by_label("Your mail address").fill(f"nobody-{width}-{scheme}@training.example")
        opened.get_by_label("Your password").fill("wrong")
        opened.get_by_role("button", name="Sign in", exact=True).click()
        assert "do not belong together" in opened.get_by_role("alert").inner_text()
        check(opened, width)
        opened.goto(link_for(console, "sam"))
        expect(opened.locator("h1")).to_have_text("Welcome, Sam Student")
        check(opened, width)
        opened.goto(f"{console.address}/sign-in/closed")
        check(opened, width)
        opened.goto(f"{console.address}/invitation/none")
        assert "not open" in opened.locator("main").inner_text()
        check(opened, width)


def test_without_scripts_one_signs_in_by_the_keyboard_alone_and_out_again(
    browser: Browser, console: Console
) -> None:
    with page(browser, scripts=False) as opened:
        opened.goto(f"{console.address}/my-account")
        opened.get_by_label("Your mail address").focus()
        opened.keyboard.type(address_of("tara"))
        opened.keyboard.press("Tab")
        opened.keyboard.type(password_of(console))
        opened.keyboard.press("Enter")
        opened.wait_for_url(f"{console.address}/my-account")
        assert address_of("tara") in opened.locator("main").inner_text()
        opened.get_by_role("button", name="Sign out").click()
        opened.wait_for_url("**/sign-in")
        opened.go_back()
        opened.goto(f"{console.address}/my-account")
        assert "/sign-in" in opened.url


def test_an_invitation_is_taken_once_and_the_new_password_opens(browser: Browser, console: Console) -> None:
    link = link_for(console, "stella")
    with page(browser) as opened:
        opened.goto(link)
        opened.get_by_label("A password", exact=True).fill("short")
        opened.get_by_label("The same password once more").fill("shorter")
        opened.get_by_role("button", name="Keep this password").click()
        assert "The two are not the same" in opened.locator("main").inner_text() or "short" in (
            opened.locator(".errorlist").first.inner_text()
        )
        opened.get_by_label("A password", exact=True).fill(PASSWORD)
        opened.get_by_label("The same password once more").fill(PASSWORD)
        opened.get_by_role("button", name="Keep this password").click()
        opened.wait_for_url("**/my-account")
    with page(browser) as opened:
        answer = opened.goto(link)
        assert answer is not None and answer.status == 404


def test_a_passkey_is_made_from_an_invitation_and_signs_in_alone(browser: Browser, console: Console) -> None:
    with page(browser) as opened:
        with_authenticator(opened)
        opened.goto(link_for(console, "hr").replace("127.0.0.1", "localhost"))
        opened.get_by_role("button", name="Go on with a passkey").click()
        opened.wait_for_url("**/my-account/passkeys/new")
        opened.get_by_label("What to call it").fill("My phone")
        opened.get_by_role("button", name="Add it").click()
        opened.wait_for_url("**/my-account/recovery-codes")
        assert opened.locator(".words li").count() == 10
        check(opened)
        opened.goto(f"{by_name(console)}/my-account")
        assert "My phone" in opened.locator("main").inner_text()
        assert "You have none: you sign in with a passkey." in opened.locator("main").inner_text()
        check(opened)
        opened.get_by_role("button", name="Sign out").click()
        opened.wait_for_url("**/sign-in")
        opened.get_by_role("button", name="Use a passkey").click()
        opened.wait_for_url(lambda url: "/sign-in" not in url)
        opened.goto(f"{by_name(console)}/my-account/again/passkey?next=/my-account/sessions")
        check(opened)
        opened.get_by_role("button", name="Use a passkey").click()
        opened.wait_for_url("**/my-account/sessions")


def test_a_browser_without_the_passkey_says_so(browser: Browser, console: Console) -> None:
    with page(browser) as opened:
        devices = with_authenticator(opened)
        devices.send("WebAuthn.disable")
        opened.goto(f"{by_name(console)}/sign-in")
        opened.evaluate("() => { navigator.credentials.get = () => Promise.reject(new Error('stopped')); }")
        opened.get_by_role("button", name="Use a passkey").click()
        opened.locator("[data-said]:visible").wait_for()
        assert "No passkey was used" in opened.locator("[data-said]").inner_text()


def test_one_time_codes_are_set_up_and_asked_for(browser: Browser, console: Console) -> None:
    with page(browser, width=390) as opened:
        sign_in(opened, console, "auditor")
        opened.goto(f"{console.address}/my-account/one-time-code")
        secret = opened.locator("main code").inner_text()
        check(opened, 390)
        opened.get_by_label("The six figures").fill(_code(secret))
        opened.get_by_role("button", name="Start using codes").click()
        opened.wait_for_url("**/my-account/recovery-codes")
        recovery = opened.locator(".words li").first.inner_text()
        opened.goto(f"{console.address}/my-account")
        opened.get_by_role("button", name="Sign out").click()
        opened.get_by_label("Your mail address").fill(address_of("auditor"))
        opened.get_by_label("Your password").fill(password_of(console))
        opened.get_by_role("button", name="Sign in", exact=True).click()
        opened.wait_for_url("**/sign-in/code")
        check(opened, 390)
        opened.get_by_label("The code your phone shows").fill(recovery)
        opened.get_by_role("button", name="Go on").click()
        opened.wait_for_url(lambda url: "/sign-in" not in url)
        for place in ("one-time-code/off", "recovery-codes/new", "recovery-codes"):
            opened.goto(f"{console.address}/my-account/{place}")
            check(opened, 390)


def _code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))
