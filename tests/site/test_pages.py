"""Every page as a person meets it: in a real Chromium, light and dark, wide and narrow, checked by axe and by keyboard.

The pages come from the real recorder, gateway, outside world and console. Three states that no healthy machine shows
are rendered from the same templates and laid under the console's own address.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from muniment.account.record_state import describe
from muniment.site.headers import CONTENT_SECURITY_POLICY
from muniment.site.shell import STYLES
from tests.account.test_record_state import NOW, status
from tests.people.database import set_up

from .console import Console, alone, up
from .signed_in import is_left, sign_in

set_up()

CHROMIUM = Path("/usr/bin/chromium")
Scheme = Literal["light", "dark"]
VIEWS: list[tuple[Scheme, int]] = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
LONG = "a-word-that-goes-on-" * 12
SCRIPT = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


def hostile() -> bytes:
    message = EmailMessage()
    message["From"] = "tomas@training.example"
    message["To"] = "someone@outside.example"
    message["Subject"] = f"</title>{SCRIPT} gpj.\u202eexe"
    message.set_content(f"</pre>{SCRIPT}\n\u202ereversed\u2066\n{LONG}\n")
    message.add_alternative(
        f"<body onload=\"document.title='taken'\"><p>{LONG}</p>{SCRIPT}<form action=//evil.example><input></form>"
        "<link rel=stylesheet href=//evil.example/x.css><meta http-equiv=refresh content='0;url=//evil.example'>",
        subtype="html",
    )
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


MESSAGES = {
    "plain": b"From: tomas@training.example\r\nTo: someone@outside.example\r\nSubject: Register for Tuesday\r\n\r\n"
    b"Good morning,\r\n\r\nthe register for Tuesday is attached. Could you confirm by noon?\r\n\r\nRegards\r\nTom\r\n",
    "hostile": hostile(),
    "long": f"Subject: {LONG}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n".encode()
    + b"x" * 400_000
    + b"\r\n",
    "arabic": "Subject: سجل يوم الثلاثاء\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nصباح الخير\r\n".encode(),
    "empty": b"",
}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with up(tmp_path_factory.mktemp("pages")) as found:
        for name, content in MESSAGES.items():
            found.send(name, content, "outside" if name == "empty" else "inside")
        yield found


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with alone(tmp_path_factory.mktemp("silent")) as found:
        yield found


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with up(tmp_path_factory.mktemp("empty")) as found:
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
    browser: Browser, console: Console, scheme: Scheme = "light", width: int = 1280, who: str = "tomas"
) -> Iterator[Page]:
    """Open a page, signed in as `who` unless empty, and hold at the end that it asked nobody else for anything
    and that nothing of it was stopped.
    """
    address = console.address
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 844},
        storage_state=kept(browser, console, who),
    )
    try:
        opened, complaints = context.new_page(), []
        opened.on(
            "request", lambda each: complaints.append(each.url) if not each.url.startswith(address) else None
        )
        opened.on(
            "requestfailed", lambda each: None if is_left(each) else complaints.append(f"failed: {each.url}")
        )
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("dialog", lambda dialog: complaints.append(dialog.message))
        opened.on(
            "console", lambda each: complaints.append(each.text) if "Content Security" in each.text else None
        )
        yield opened
        assert complaints == []
    finally:
        context.close()


_KEPT: dict[tuple[str, str], Any] = {}


def kept(browser: Browser, console: Console, who: str) -> Any:
    """Return what a browser keeps of somebody's sign-in by the form; made once a console and person."""
    if not who:
        return None
    if (console.address, who) not in _KEPT:
        context = browser.new_context()
        sign_in(context.new_page(), console, who)
        _KEPT[console.address, who] = context.storage_state()
        context.close()
    return _KEPT[console.address, who]


def check(opened: Page, width: int) -> None:
    """Hold what every page promises."""
    found = Axe().run(opened)
    assert found.violations_count == 0, found.generate_report()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.locator("h1").count() == 1
    assert opened.title() != "taken"


PLACES = [
    "/record",
    "/outside",
    *(f"/outside/{number}" for number in range(1, len(MESSAGES) + 1)),
    "/outside/999",
    "/nothing",
    "/looks",
    "/my-account",
    "/my-account/sessions",
    "/my-account/password",
    "/my-account/again",
    "/my-account/one-time-code",
    "/my-account/passkeys/new",
]


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing_and_nothing_sticks_out(
    browser: Browser, console: Console, place: str, scheme: Scheme, width: int
) -> None:
    with page(browser, console, scheme, width) as opened:
        opened.goto(console.address + place)
        check(opened, width)
        expect(opened.locator(".stamp")).to_have_text("EXAMPLE")


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
@pytest.mark.parametrize("place", ["/record", "/outside"])
def test_the_pages_of_a_silent_machine(
    browser: Browser, silent: Console, place: str, scheme: Scheme, width: int
) -> None:
    with page(browser, silent, scheme, width) as opened:
        answer = opened.goto(silent.address + place)
        assert answer is not None and answer.status == 503
        check(opened, width)


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_an_outside_world_without_mail_says_how_to_send_some(
    browser: Browser, empty: Console, scheme: Scheme, width: int
) -> None:
    with page(browser, empty, scheme, width) as opened:
        opened.goto(f"{empty.address}/outside")
        expect(opened.locator("h1")).to_have_text("Nothing has arrived yet")
        assert empty.policy.gateway.inside in opened.locator(".source").inner_text().replace("', ", ":")
        check(opened, width)


STATES: dict[str, dict[str, Any]] = {
    "gaps": {"gaps": 2},
    "problems": {
        "problems": ["The disk is full: no entry can be written", "The clock was set back"],
        "gaps": 1,
    },
    "witnessed": {
        "witnessed": True,
        "witnesses": {
            "confirmed": ["chair", "union"],
            "of": 3,
            "at_ms": 1_793_000_000_000,
            "size": 4_182_000,
        },
        "size": 4_182_071,
        "published": 4_182_071,
        "stored_bytes": 1_900_000_000_000,
    },
}


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
@pytest.mark.parametrize("name", STATES)
def test_states_of_the_record_that_a_healthy_machine_does_not_show(
    browser: Browser, silent: Console, name: str, scheme: Scheme, width: int
) -> None:
    state = describe(status(**STATES[name]), NOW)
    shell = {"organisation": "Example Training", "example": True, "path": "/", "styles": STYLES}
    html = render_to_string(
        "account/record_state.html", shell | {"state": state, "is_witnessed": state.witnessed}
    )
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html; charset=utf-8", headers=headers)

    with page(browser, silent, scheme, width) as opened:
        opened.route(f"{silent.address}/record", answer)
        opened.goto(f"{silent.address}/record")
        expect(opened.locator("h1")).to_have_text(state.title)
        assert ("not yet witnessed" in opened.locator("footer").inner_text()) is not state.is_witnessed
        assert opened.locator(".decision").count() == len(state.problems)
        check(opened, width)


@pytest.mark.parametrize("place", ["/record", "/outside", "/outside/1", "/nothing"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_reaches_every_link_and_its_focus_is_seen(
    browser: Browser, console: Console, place: str, width: int
) -> None:
    with page(browser, console, "light", width) as opened:
        opened.goto(console.address + place)
        wanted = opened.evaluate("[...document.querySelectorAll('a[href], [tabindex=\"0\"]')].length")
        reached = set()
        for _ in range(wanted):
            opened.keyboard.press("Tab")
            place_in_page, outline, is_seen = opened.evaluate(
                """() => {
                    const at = document.activeElement, box = at.getBoundingClientRect();
                    const top = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 8));
                    return [[...document.querySelectorAll('*')].indexOf(at), getComputedStyle(at).outlineStyle,
                            top !== null && (at.contains(top) || top.contains(at))];
                }"""
            )
            assert outline == "solid"
            assert is_seen, "something covers what has the focus"
            reached.add(place_in_page)
        assert len(reached) == wanted


def test_the_first_key_press_offers_to_skip_to_the_page(browser: Browser, console: Console) -> None:
    with page(browser, console) as opened:
        opened.goto(f"{console.address}/record")
        opened.keyboard.press("Tab")
        opened.keyboard.press("Enter")
        assert opened.evaluate("document.activeElement.id") == "main"


def test_a_hostile_message_is_shown_as_text(browser: Browser, console: Console) -> None:
    with page(browser, console) as opened:
        opened.goto(f"{console.address}/outside")
        opened.get_by_role("link", name="</title><script>").click()
        expect(opened.locator("h1")).to_have_text(f"</title>{SCRIPT} gpj.\\u202eexe")
        plain = opened.get_by_role("region", name="Plain text, part 1 of 2").inner_text()
        assert f"</pre>{SCRIPT}\n\\u202ereversed\\u2066\n{LONG}" in plain
        assert (
            opened.get_by_role("region", name="As it arrived")
            .locator("script, img, form, link, meta")
            .count()
            == 0
        )
        assert opened.locator("main script, main img, main form").count() == 0
        assert "\u202e" not in opened.content()


def test_the_particulars_are_marked_where_they_stand(browser: Browser, console: Console) -> None:
    organisation = console.policy.organisation
    with page(browser, console) as opened:
        opened.goto(f"{console.address}/outside/{console.numbers['plain']}")
        marks = opened.locator("pre mark").all_inner_texts()
        assert len(marks) == 2
        for mark in marks:
            for part in (organisation.name, organisation.part_of_uk, organisation.company_number):
                assert str(part) in mark
        assert "All four stand in it" in opened.locator("dl").inner_text()
        opened.goto(f"{console.address}/outside/{console.numbers['empty']}")
        assert "Not in it" in opened.locator("dl").inner_text()
        opened.goto(f"{console.address}/outside/{console.numbers['long']}")
        assert "The page leaves out the last" in opened.locator("main").inner_text()


def test_the_menu_says_where_one_is(browser: Browser, console: Console) -> None:
    with page(browser, console) as opened:
        opened.goto(f"{console.address}/record")
        expect(opened.locator("nav [aria-current]")).to_have_text("The record")
        opened.get_by_role("link", name="Outside world").click()
        opened.get_by_role("link", name="Register for Tuesday").click()
        expect(opened.locator("nav [aria-current]")).to_have_text("Outside world")
