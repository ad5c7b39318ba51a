"""Every page of people and officers in a real Chromium: light and dark, wide and narrow, by keyboard, at 200 % text.

The pages come from the real recorder, gateway and console. What shows only after five in the afternoon is rendered
from the same templates and laid under the console's own address.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from muniment.account.mine import LookLine, MailLine, SaidLine
from muniment.account.notice_text import Dispute, entry_of
from muniment.record.client import Recorder
from muniment.record.opening import clock_ms
from muniment.record.statement.reconciliation import LogFile, Reconciliation
from muniment.site.shell import STYLES
from tests.people.database import set_up
from tests.site.console import Console, up
from tests.site.signed_in import sign_in

set_up()

Scheme = Literal["light", "dark"]
VIEWS: list[tuple[Scheme, int]] = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
LONG = "a-word-that-goes-on-" * 12
PLACES = {
    "tomas": ["/my-record", "/my-record/mail", "/streams", "/record", "MY-ENTRY"],
    "om": ["/today", "/looks"],
    "it": ["/health"],
    "dpo": ["/today", "DISPUTE"],
    "auditor": ["/looks"],
}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with up(tmp_path_factory.mktemp("account")) as found:
        found.send("first", b"From: tomas@training.example\r\nSubject: Register\r\n\r\nGood morning.\r\n")
        asking = ["--person", "tomas", "--from", "2026-01-01", "--until", "2027-01-01"]
        words = [
            "--purpose",
            "CASE",
            "--case",
            "HR-12",
            "--reason",
            "Marks were changed.",
            "--alternative",
            "Asked.",
        ]
        command = [sys.executable, "-m", "muniment.cli", "permit", "ask", "--home", str(found.home.path)]
        subprocess.run(
            [*command, "--as", "hr", *words, *asking], check=True, capture_output=True, timeout=120
        )
        for text in (b"One text.", b"Another."):
            found.send("twice", b"From: tomas@training.example\r\nMessage-ID: <a@b>\r\n\r\n" + text + b"\r\n")
        with Recorder(found.home.socket) as recorder:
            now, file = clock_ms(), LogFile(name="mail.log", sha256="0" * 64, bytes=1, lines=1)
            recorder.state(
                Reconciliation(
                    files=(file,),
                    from_ms=now - 86_400_000,
                    until_ms=now,
                    accepted=120,
                    recorded=120,
                    missing=0,
                )
            )
            said = Dispute(by="somebody", entry=3, permit="", ground="not-mine", text=LONG)
            [receipt] = recorder.append([entry_of(said)])
        found.numbers["dispute"] = receipt.index
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def states(browser: Browser, console: Console) -> dict[str, Any]:
    """Sign each person in once and return what their browser keeps."""
    kept = {}
    for name in PLACES:
        context = browser.new_context()
        opened = context.new_page()
        sign_in(opened, console, name)
        kept[name] = context.storage_state()
        context.close()
    return kept


@contextmanager
def page(
    browser: Browser, console: Console, state: Any, scheme: Scheme = "light", width: int = 1280
) -> Iterator[Page]:
    """Open a page; at the end hold that nothing foreign was asked for and nothing of it was stopped."""
    context: BrowserContext = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 844}, storage_state=state
    )
    complaints: list[str] = []
    try:
        opened = context.new_page()
        opened.on(
            "request",
            lambda each: None if each.url.startswith(console.address) else complaints.append(each.url),
        )
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on(
            "console", lambda each: complaints.append(each.text) if "Content Security" in each.text else None
        )
        yield opened
        assert complaints == []
    finally:
        context.close()


def open_place(opened: Page, console: Console, place: str) -> None:
    if place == "MY-ENTRY":
        opened.goto(f"{console.address}/my-record")
        opened.locator("tbody a").first.click()
    elif place == "DISPUTE":
        opened.goto(f"{console.address}/disputes/{console.numbers['dispute']}")
    else:
        opened.goto(console.address + place)


def check(opened: Page, width: int) -> None:
    """Hold what every page promises."""
    found = Axe().run(opened)
    assert found.violations_count == 0, found.generate_report()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.locator("h1").count() == 1


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
@pytest.mark.parametrize(
    ("name", "place"), [(name, place) for name, places in PLACES.items() for place in places]
)
def test_axe_finds_nothing_and_nothing_sticks_out(
    browser: Browser,
    console: Console,
    states: dict[str, Any],
    name: str,
    place: str,
    scheme: Scheme,
    width: int,
) -> None:
    with page(browser, console, states[name], scheme, width) as opened:
        open_place(opened, console, place)
        check(opened, width)
        expect(opened.locator(".stamp")).to_have_text("EXAMPLE")
        assert opened.locator(".nav a").count() - opened.locator(".nav .later a").count() <= 5


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("name", "place"), [("tomas", "MY-ENTRY"), ("om", "/today"), ("dpo", "DISPUTE")])
def test_the_keyboard_reaches_everything_and_its_focus_is_seen(
    browser: Browser, console: Console, states: dict[str, Any], name: str, place: str, width: int
) -> None:
    with page(browser, console, states[name], "light", width) as opened:
        open_place(opened, console, place)
        wanted = opened.evaluate(
            "[...document.querySelectorAll('a[href], button, textarea, [tabindex=\"0\"]')]"
            ".filter(each => each.offsetParent !== null).length"
        )
        reached = set()
        for _ in range(wanted + 1):
            opened.keyboard.press("Tab")
            at, outline, is_seen = opened.evaluate(
                """() => {
                    const at = document.activeElement, box = at.getBoundingClientRect();
                    const top = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 8));
                    return [[...document.querySelectorAll('*')].indexOf(at), getComputedStyle(at).outlineStyle,
                            top !== null && (at.contains(top) || top.contains(at))];
                }"""
            )
            if outline == "solid":
                assert is_seen, "something covers what has the focus"
                reached.add(at)
        assert len(reached) >= wanted


@pytest.mark.parametrize(("name", "place"), [("tomas", "/my-record"), ("om", "/today"), ("it", "/health")])
def test_at_twice_the_size_of_text_nothing_is_cut_off(
    browser: Browser, console: Console, states: dict[str, Any], name: str, place: str
) -> None:
    with page(browser, console, states[name], "light", 390) as opened:
        opened.goto(console.address + place)
        opened.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
        assert opened.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_paper_a_page_has_neither_navigation_nor_foot(
    browser: Browser, console: Console, states: dict[str, Any]
) -> None:
    with page(browser, console, states["tomas"]) as opened:
        opened.goto(f"{console.address}/my-record")
        opened.emulate_media(media="print")
        assert not opened.locator(".nav").is_visible() and not opened.locator(".foot").is_visible()
        assert opened.locator("h1").is_visible() and opened.locator(".margin").is_visible()


def test_a_message_is_marked_and_disputed_by_hand_without_scripts(browser: Browser, console: Console) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        opened = context.new_page()
        sign_in(opened, console, "tomas")
        opened.goto(f"{console.address}/my-record")
        opened.locator("tbody a").first.click()
        opened.get_by_role("button", name="Mark as private").click()
        expect(opened.get_by_text("Marked private by you")).to_be_visible()
        opened.get_by_role("button", name="Tell the data protection officer").click()
        assert opened.get_by_text("Choose what is not right.").is_visible()
        opened.get_by_label("It is not mine").check()
        opened.get_by_role("button", name="Tell the data protection officer").click()
        expect(opened.get_by_text("It waits for the data protection officer.")).to_be_visible()
        opened.get_by_role("button", name="Lift the mark").click()
        expect(opened.get_by_role("button", name="Mark as private")).to_be_visible()
    finally:
        context.close()


LOOK = LookLine(
    permit="2026-003",
    when="Tuesday 24 November 2026 to Wednesday 25 November 2026",
    who="HR and Data protection officer",
    what="1,204 messages",
    why="to find out how the systems were used",
    officer="Olive Example, Office manager",
    until="It ends on Wednesday 9 December 2026.",
    delayed="Wednesday 25 November 2026",
    last_ms=1,
)
SAID = SaidLine(
    "notices/7", "Tuesday 24 November 2026", "It is not mine", "entry 4,711", LONG, f"Today: {LONG}"
)
MAIL = MailLine(
    4711,
    "mail-gateway/99",
    "2026-11-24",
    "24 Nov, 9.20 am",
    "Left",
    "1.2 MB",
    "as it passed",
    True,
    True,
    True,
)
LATER: dict[str, dict[str, Any]] = {
    "my_record.html": {
        "looks": [LOOK, LOOK],
        "looks_in_words": "Under two permits",
        "mail": [MAIL],
        "said": [SAID],
    },
    "my_look.html": {"line": LOOK, "said": [SAID]},
}


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
@pytest.mark.parametrize("name", LATER)
def test_what_shows_after_five_in_the_afternoon(
    browser: Browser, console: Console, name: str, scheme: Scheme, width: int
) -> None:
    from muniment.account.forms import DisputeForm

    shell: dict[str, Any] = {
        "organisation": "Example Training",
        "example": True,
        "path": "/",
        "styles": STYLES,
    }
    html = render_to_string(
        f"account/{name}", shell | LATER[name] | {"dispute": DisputeForm(), "is_witnessed": False}
    )

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")

    with page(browser, console, None, scheme, width) as opened:
        opened.route(f"{console.address}/shown", answer)
        opened.goto(f"{console.address}/shown")
        check(opened, width)
