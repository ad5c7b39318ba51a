"""Signing in through the organisation's own service: it opens accounts that are there, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from .console import Console, alone
from .openid_service import CLIENT, SECRET, Service, openid_service
from .signed_in import Session, session
from .test_pages import CHROMIUM

BUTTON = "Sign in with Example sign-in"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with openid_service() as found:
        yield found


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Console]:
    folder: Path = tmp_path_factory.mktemp("openid")
    (folder / "secret").write_text(f"{SECRET}\n")
    openid = {
        "name": "Example sign-in",
        "issuer": service.issuer,
        "client_id": CLIENT,
        "client_secret_file": str(folder / "secret"),
    }
    with alone(folder, console__openid=openid) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Browser, service: Service) -> Iterator[Page]:
    service.email, service.is_verified, service.is_refused = "tomas@training.example", True, False
    context = browser.new_context()
    yield context.new_page()
    context.close()


def try_it(opened: Page, console: Console) -> str:
    """Sign in through the service, and return what stands on the page one ends at."""
    opened.goto(f"{console.address}/sign-in?next=/my-account")
    opened.get_by_role("button", name=BUTTON).click()
    opened.wait_for_url(lambda url: "/organisation/organisation/back" in url or "/my-account" in url)
    return opened.locator("main").inner_text()


def test_the_service_opens_the_account_of_the_address_it_vouches_for(opened: Page, console: Console) -> None:
    assert "tomas@training.example" in try_it(opened, console)
    assert opened.url == f"{console.address}/my-account"


def test_it_leaves_the_password_and_the_other_sessions_as_they_are(opened: Page, console: Console) -> None:
    elsewhere = session(console, "tomas")
    try_it(opened, console)
    assert elsewhere.ask("/my-account").status == 200
    assert session(console, "tomas").ask("/my-account").status == 200


def test_an_address_without_an_account_opens_none_and_makes_none(
    opened: Page, console: Console, service: Service
) -> None:
    service.email = "stranger@training.example"
    assert "There is no account of that name" in try_it(opened, console)
    opened.goto(f"{console.address}/my-account")
    assert "/sign-in" in opened.url


def test_an_address_the_service_did_not_verify_opens_nothing(
    opened: Page, console: Console, service: Service
) -> None:
    service.is_verified = False
    try_it(opened, console)
    opened.goto(f"{console.address}/my-account")
    assert "/sign-in" in opened.url


def test_a_refusal_of_the_service_is_said(opened: Page, console: Console, service: Service) -> None:
    service.is_refused = True
    opened.goto(f"{console.address}/sign-in")
    opened.get_by_role("button", name=BUTTON).click()
    opened.wait_for_url(lambda url: "cancelled" in url or "/back" in url)
    assert "You are not signed in" in opened.locator("main").inner_text()


def test_an_answer_for_another_browser_is_not_taken(opened: Page, console: Console) -> None:
    opened.goto(f"{console.address}/sign-in/organisation/organisation/back?code=a-code&state=somebody-elses")
    assert "did not let you in" in opened.locator("main").inner_text()


def test_only_signing_in_is_done_there_and_only_by_a_form(console: Console) -> None:
    found = Session(console)
    place = "/sign-in/organisation/organisation"
    assert found.ask(place).status == 405
    assert found.send(place, "/sign-in", process="connect").status == 404
    assert found.send("/sign-in/organisation/other", "/sign-in").status == 404
    assert found.ask("/sign-in/organisation/other/back?code=x&state=y").status == 404


def test_a_service_that_does_not_answer_is_said(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    openid = {
        "name": "Gone",
        "issuer": "http://127.0.0.1:9",
        "client_id": CLIENT,
        "client_secret_file": str(tmp_path / "secret"),
    }
    with alone(tmp_path, console__openid=openid) as console:
        answer = Session(console).send("/sign-in/organisation/organisation", "/sign-in")
        assert answer.status == 503 and "Gone does not answer" in answer.text
