"""Nothing comes of the HTML of a message: nothing runs, nothing is fetched, nothing leads away, whatever it tries."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Route, sync_playwright
from selectolax.lexbor import LexborHTMLParser

from muniment.answer.reading.harmless import MAX_PICTURE_BYTES, sanitise
from muniment.answer.reading.letter import Attachment, read_letter
from tests.answer.reading.tricks import TRICKS

CHROMIUM = Path("/usr/bin/chromium")
FIXTURES = Path(__file__).parents[4] / "shared" / "data" / "mail"
POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
NEVER = {"script", "style", "link", "meta", "base", "iframe", "object", "embed", "form", "input", "button", "svg",
         "math", "video", "audio", "source", "template", "noscript", "frame", "area", "map"}  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def check(clean: str) -> None:
    """Read what was made by a browser's parser: only harmless elements and attributes are in it."""
    tree = LexborHTMLParser(f"<!doctype html><body>{clean}")
    for node in tree.css("body *"):
        assert node.tag not in NEVER
        for name, value in node.attributes.items():
            value = value or ""
            assert not name.startswith("on") and name not in (
                "href",
                "srcset",
                "background",
                "action",
                "ping",
                "id",
                "class",
            )
            if name == "src":
                assert re.match(r"data:image/(png|gif|jpe?g|webp|bmp);base64,", value)
            if name == "style":
                assert not re.search(r"url|\\|@|image|expression|position|display", value, re.IGNORECASE)


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_taken_out(trick: str) -> None:
    check(sanitise(trick))


@given(
    st.lists(
        st.sampled_from(
            [*TRICKS, "<p>", "</p>", "'", '"', "<!--", "-->", "<", ">", "</style>", "<a href=", " x "]
        ),
        max_size=8,
    )
)
def test_tricks_put_together_are_taken_out(pieces: list[str]) -> None:
    check(sanitise("".join(pieces)))


@given(st.text(alphabet="<>/='\"!-&; abcdefgsriptonhelmtuylv:\\\x00\n", max_size=200))
def test_noise_is_harmless(text: str) -> None:
    check(sanitise(text))


def test_what_is_only_written_stays() -> None:
    kept = '<p style="color:red;font-weight:bold">Good <b>morning</b></p><table><tbody><tr><td bgcolor="red">1</td>'
    kept += "</tr></tbody></table>"
    assert sanitise(kept) == kept


def test_where_a_link_led_is_told_and_not_followed() -> None:
    assert sanitise('<a href="https://bank.example/login?a=1&b=2">bank</a>') == (
        '<a title="https://bank.example/login?a=1&amp;b=2">bank</a>'
    )


def test_text_in_unknown_elements_stays_and_what_a_style_hides_is_seen() -> None:
    assert sanitise("<blink>hello</blink>") == "hello"
    assert sanitise('<p style="display:none;color:white">hidden</p>') == '<p style="color:white">hidden</p>'


def test_a_picture_sent_along_is_shown_and_no_other_kind() -> None:
    picture = Attachment("2", "a.png", "image/png", PNG, "a@b")
    drawing = Attachment("3", "a.svg", "image/svg+xml", b"<svg/>", "c@d")
    assert sanitise('<img src="cid:a@b" alt="x">', [picture]).startswith(
        '<img src="data:image/png;base64,iVBOR'
    )
    assert sanitise('<img src="cid:c@d" alt="x">', [drawing]) == '<img alt="x">'
    large = Attachment("4", "", "image/png", bytes(MAX_PICTURE_BYTES + 1), "e@f")
    assert sanitise('<img src="cid:e@f">', [large]) == "<img>"


@pytest.mark.parametrize(
    "html",
    ["<div>" * 100_000, "<a href=x " * 50_000, "<table><tr><td>" * 20_000, "&#x" * 200_000, "<!--" * 100_000,
     "<p style='" + "color:red;" * 50_000 + "'>", "<b><i>" * 50_000, "<svg><math>" * 30_000,
      "<font>" * 20_000 + "</p>" * 20_000],
    ids=lambda html: html[:12],
)  # fmt: skip
def test_what_was_made_to_take_long_does_not(html: str) -> None:
    started = time.monotonic()
    sanitise(html)
    assert time.monotonic() - started < 20


def fixture_pages() -> Iterator[str]:
    """Yield the HTML of every message of the collections that has any, made harmless."""
    for path in sorted(FIXTURES.rglob("*")):
        if path.is_file() and path.stat().st_size < 1 << 20:
            letter = read_letter(path.read_bytes())
            if letter.html:
                yield sanitise(letter.html, letter.attachments)


def test_the_html_of_real_mail_is_made_harmless() -> None:
    for clean in fixture_pages():
        check(clean)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.mark.parametrize(
    "policy", [POLICY, ""], ids=["as it is served", "by itself, without the page's policy"]
)
def test_in_a_real_browser_nothing_is_asked_for_and_nothing_runs(browser: Browser, policy: str) -> None:
    pages = [sanitise(trick) for trick in TRICKS] + list(fixture_pages())[:300]
    body = "\n".join(f"<div>{page}</div>" for page in pages)
    asked: list[str] = []

    def answer(route: Route) -> None:
        headers = {"content-security-policy": policy} if policy else {}
        if route.request.url == "http://room.example/frame":
            route.fulfill(
                body=f"<!doctype html><meta charset=utf-8>{body}", content_type="text/html", headers=headers
            )
        elif route.request.url == "http://room.example/":
            frame = (
                "<!doctype html><title>room</title><iframe sandbox src=/frame width=900 height=700></iframe>"
            )
            plain = "<!doctype html><title>room</title><iframe src=/frame width=900 height=700></iframe>"
            route.fulfill(body=frame if policy else plain, content_type="text/html")
        else:
            asked.append(route.request.url)
            route.abort()

    page = browser.new_page()
    page.route("**/*", answer)
    page.goto("http://room.example/")
    page.wait_for_timeout(500)
    for _ in range(20):
        page.keyboard.press("Tab")
    page.mouse.wheel(0, 20_000)
    page.wait_for_timeout(300)
    taken = page.evaluate("window.taken")
    page.close()
    assert [url for url in asked if not url.endswith("/favicon.ico")] == []
    assert taken is None
