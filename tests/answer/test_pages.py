"""The pages of a room as an investigator meets them: real record, key, room, Chromium."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.answer import opened as rooms
from tests.answer.opened import VIEWS, Opened, Scheme, letter, signed_in, with_attachment
from tests.site.console import Console, up

SHEET = "Hannah asked for the moderation sheet to be changed.\n"
MESSAGES = {
    "asked": letter("Unit 4, second look please", SHEET, Message_ID="<a@x>"),
    "answer": letter("Re: Unit 4, second look please", "I changed nothing at our end.\n", In_Reply_To="<a@x>"),
    "copy": letter("Unit 4, second look please", SHEET, Message_ID="<a@x>"),
    "laid out": letter("Timetable", "See the timetable.\n", "<h1>Timetable</h1><p>Room <b>12</b>, Tuesday</p>"),
    "file": with_attachment("Marks", "The marks are attached.\n", "marks.csv", b"unit,mark\n4,61\n", "text/csv"),
    "picture": with_attachment("Scan", "A scan.\n", "scan.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png"),
    "private": letter("My doctor", "An appointment.\n", Sensitivity="Private"),
    "turned": letter("Invoice \u202egpj.exe", "Pay \u202eno-one\u202c <b>now</b>.\n"),
}  # fmt: skip


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with up(tmp_path_factory.mktemp("rooms")) as found:
        for name, content in MESSAGES.items():
            found.send(name, content)
        rooms.settle()
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with rooms.browser() as found:
        yield found


@pytest.fixture(scope="module")
def room(console: Console, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """A room climbed to its top, everything searched."""
    found = rooms.approved(console, tmp_path_factory.mktemp("approval"))
    with signed_in(chromium, console, "hr") as page:
        rooms.unlock(page, found)
        rooms.climb(page, found)
    return found


@pytest.fixture
def reader(console: Console, chromium: Browser) -> Iterator[Page]:
    with signed_in(chromium, console, "hr") as page:
        yield page


def read(page: Page, room: Opened, words: str, subject: str = "") -> None:
    """Search, and open the newest message that is found, or the newest with a subject."""
    rooms.search(page, room, words)
    rows = page.locator("tr.hit", has_text=subject) if subject else page.locator("tr.hit")
    rows.first.get_by_role("link", name="Read the message").click()


def test_a_room_stands_in_the_list_and_opens_with_its_own_words_only(
    console: Console, reader: Page, tmp_path: Path
) -> None:
    found = rooms.approved(console, tmp_path)
    reader.goto(f"{console.address}/rooms")
    row = reader.locator("tr", has_text=found.number)
    assert "Tomás Tutor’s mail" in row.inner_text() and "Locked" in row.inner_text()
    row.get_by_role("link").click()
    reader.get_by_label("The room’s six words").fill("one two three four five six")
    reader.get_by_role("button", name="Unlock").click()
    expect(reader.locator("#words-error")).to_be_visible()
    reader.get_by_label("The room’s six words").fill(f"  {found.words.upper()} ")
    reader.get_by_role("button", name="Unlock").click()
    assert "Tomás Tutor’s mail" in reader.locator("h1").inner_text()
    reader.get_by_role("button", name="Close the room").click()
    assert "is locked" in reader.locator("h1").inner_text()


def test_each_rung_shows_its_own_and_no_more(console: Console, reader: Page, tmp_path: Path) -> None:
    found = rooms.approved(console, tmp_path)
    rooms.unlock(reader, found)
    assert reader.locator("#words").count() == 0, "a search needs the rung of envelopes"
    assert reader.locator("[aria-current=step]").inner_text().startswith("Counts")
    assert "went out" in reader.locator("main").inner_text()
    for rung, subject, snippet in (("envelope", 0, 0), ("subject", 1, 0), ("content", 1, 1)):
        reader.locator("#climb-reason").fill(f"Needed: {rung}")
        reader.get_by_role("button", name="Show").click()
        rooms.await_built(reader, found)
        rooms.search(reader, found, "")
        rows = reader.locator("tr.hit", has_text="tomas@training.example")
        assert rows.count() >= 5
        assert bool(reader.locator("td strong.serif").count()) == bool(subject)
        assert bool(reader.locator(".snippet").count()) == bool(snippet)
        assert bool(reader.get_by_role("link", name="Read the message").count()) == bool(snippet)
        reader.goto(console.address + found.place)


def test_a_permit_for_envelopes_has_no_way_to_the_content(
    console: Console, reader: Page, tmp_path: Path
) -> None:
    found = rooms.approved(console, tmp_path, depth="envelope")
    rooms.unlock(reader, found)
    rooms.climb(reader, found, "envelope")
    rooms.search(reader, found, "")
    assert reader.locator("tr.hit").count() >= 5
    assert reader.get_by_role("link", name="Read the message").count() == 0
    reader.goto(console.address + found.place)
    assert "not within this permit" in reader.locator(".ladder").inner_text()


def test_a_search_says_that_it_was_recorded_and_its_address_shows_no_word(reader: Page, room: Opened) -> None:
    rooms.search(reader, room, "moderation changed", "Who asked for the change")
    assert "fit" in reader.locator("h1").inner_text()
    assert re.search(
        r"recorded as entry \S+ before its result was shown", reader.locator("main").inner_text()
    )
    for address in (
        reader.url,
        reader.get_by_role("link", name="Read the message").first.get_attribute("href") or "",
    ):
        assert not re.search("moderation|changed|asked", unquote(address), re.IGNORECASE)
    assert reader.locator(".snippet mark").first.inner_text().lower() in ("moderation", "changed")
    before = reader.url
    reader.get_by_role("link", name="Read the message").first.click()
    reader.go_back()
    assert reader.url == before and "fit" in reader.locator("h1").inner_text()


def test_what_stays_sealed_is_counted_and_not_found(reader: Page, room: Opened) -> None:
    rooms.search(reader, room, "appointment")
    expect(reader.locator("h1")).to_have_text("Nothing was found in what could be searched")
    assert "One more stays sealed" in reader.locator(".tray").inner_text()


def test_copies_are_folded_and_counted(reader: Page, room: Opened) -> None:
    rooms.search(reader, room, '"moderation sheet"')
    assert reader.locator("tr.hit").count() == 1
    assert "1 other copy" in reader.locator("tr.hit").inner_text()


@pytest.mark.parametrize(
    ("words", "said"), [('"open', "quotation"), ("one OR", "OR"), ("mo*deration", "\\*")]
)
def test_what_a_query_says_wrong_is_told_at_its_field(
    reader: Page, room: Opened, words: str, said: str
) -> None:
    rooms.search(reader, room, words)
    assert re.search(said, reader.locator("#words-error").inner_text(), re.IGNORECASE)
    assert reader.locator("#words").input_value() == words


def test_the_search_for_the_other_side_is_offered_and_named(reader: Page, room: Opened) -> None:
    rooms.search(reader, room, "changed")
    reader.get_by_role("link", name="Search for what would clear them").first.click()
    assert reader.locator("#clears").is_checked()
    reader.locator("#words").fill("nothing")
    reader.locator("#reason").fill("Whether he changed anything")
    reader.get_by_role("button", name="Search", exact=True).click()
    assert "You looked for what would clear them" in reader.locator(".lead").inner_text()
    reader.get_by_role("link", name="Read the message").first.click()
    assert "To clear: Whether he changed anything" in reader.locator(".margin").inner_text()


def test_a_message_is_read_as_it_was_written_and_as_it_was_sent(reader: Page, room: Opened) -> None:
    read(reader, room, "moderation")
    text = reader.locator("pre.letter").inner_text()
    assert "Hannah asked for the moderation sheet" in text and "Example Training" not in text
    expect(reader.locator("pre.letter mark")).to_have_text("moderation")
    assert "someone@outside.example" in reader.locator(".facts").first.inner_text()
    assert "Who asked for the change" in reader.locator(".margin").inner_text()
    reader.get_by_role("link", name="As sent").click()
    assert "01234567" in reader.locator("pre.letter").inner_text(), "the footer of clause 2.2"


def test_writing_that_would_be_turned_round_is_spelled_out(reader: Page, room: Opened) -> None:
    read(reader, room, "no-one")
    assert "Pay \\u202eno-one\\u202c <b>now</b>." in reader.locator("pre.letter").inner_text()
    assert "\u202e" not in reader.content()


def test_a_conversation_is_shown_oldest_first(reader: Page, room: Opened) -> None:
    read(reader, room, '"changed nothing"')
    reader.get_by_role("link", name="The conversation it belongs to").click()
    rows = reader.locator("tr.hit")
    assert rows.count() >= 2
    assert "Re: Unit 4" in rows.filter(has_text="this message").inner_text()


def test_an_attachment_is_shown_as_text_or_says_why_not(reader: Page, room: Opened) -> None:
    read(reader, room, "", "Marks")
    reader.get_by_role("link", name="marks.csv").click()
    assert "4,61" in reader.locator("pre.letter").inner_text().replace(" ", "").replace("\t", ",")
    read(reader, room, "", "Scan")
    reader.get_by_role("link", name="scan.png").click()
    assert reader.locator("pre.letter").count() == 0
    assert "Nothing reads pictures here" in reader.locator(".notice.wait").inner_text()


def test_notes_and_tags_are_kept_and_the_chosen_go_into_a_pack_that_a_stranger_verifies(
    reader: Page, room: Opened, tmp_path: Path
) -> None:
    read(reader, room, "moderation")
    reader.get_by_label("Points away from it").check()
    reader.get_by_label("Add a note").fill("Hannah asked; ask her.")
    reader.get_by_label("Tags").fill("marks, unit 4")
    reader.get_by_label("Put it into the pack").check()
    reader.get_by_role("button", name="Keep").click()
    assert "Hannah asked; ask her." in reader.locator(".timeline").inner_text()
    assert reader.get_by_label("Tags").input_value() == "marks, unit 4"
    reader.goto(f"{room.console.address}{room.place}/pack")
    expect(reader.locator("h1")).to_have_text("One message is chosen for the pack")
    reader.get_by_label("What it is called").fill("Grievance 12")
    reader.get_by_label("Who gets it").fill("Ms Panel, chair of the hearing")
    reader.get_by_label("Why they get it").fill("The hearing of 9 December")
    reader.get_by_role("button", name="Make the pack").click()
    with reader.expect_download() as waiting:
        reader.get_by_role("link", name="Download").first.click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    vkey = (room.console.home.ledger / "vkey").read_text().strip()
    done = subprocess.run(
        [sys.executable, "-m", "muniment_verify", str(path), "--vkey", vkey],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert vkey in reader.locator(".margin").inner_text()
    reader.get_by_role("button", name="Delete").first.click()
    assert reader.get_by_role("link", name="Download").count() == 0
    assert list((room.console.home.path / "rooms" / room.name / "packs").iterdir()) == []


def test_many_names_are_looked_for_at_once(reader: Page, room: Opened) -> None:
    reader.goto(f"{room.console.address}{room.place}/scan")
    reader.get_by_label("Names and phrases, one a line").fill("Hannah\nnobody at all")
    reader.get_by_label("Why you look").fill("Everything that names her")
    reader.get_by_role("button", name="Look through every message").click()
    while reader.get_by_role("button", name="Look again").count():
        reader.get_by_role("button", name="Look again").click()
    assert "name a term" in reader.locator("h1").inner_text()
    assert "Hannah" in reader.locator("tbody tr").first.inner_text()


PLACES = (
    "",
    "/unlock",
    "/pack",
    "/scan",
    "found",
    "nothing",
    "wrong",
    "message",
    "html",
    "file",
    "conversation",
)


def visit(page: Page, room: Opened, place: str) -> None:
    """Go to one of the pages of a room."""
    if place == "" or place.startswith("/"):
        page.goto(room.console.address + room.place + place)
    elif place in ("found", "nothing", "wrong"):
        rooms.search(page, room, {"found": "changed", "nothing": "zzz", "wrong": '"'}[place])
    else:
        read(page, room, {"html": "timetable", "file": "attached"}.get(place, "moderation"))
        link = {
            "html": "As laid out",
            "file": "marks.csv",
            "conversation": "The conversation it belongs to",
        }.get(place)
        if link:
            rooms.follow(page, page.get_by_role("link", name=link))


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_axe_finds_nothing_and_nothing_sticks_out(
    chromium: Browser, room: Opened, scheme: Scheme, width: int
) -> None:
    with signed_in(chromium, room.console, "hr", scheme, width) as page:
        for place in ("list", *PLACES):
            if place == "list":
                page.goto(f"{room.console.address}/rooms")
            else:
                visit(page, room, place)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{place}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, place
            assert page.locator("h1").count() == 1
            if place != "list":
                assert "Hari Hughes" in page.locator(".watermark").inner_text()


@pytest.mark.parametrize("place", PLACES)
def test_text_twice_as_large_still_fits(reader: Page, room: Opened, place: str) -> None:
    visit(reader, room, place)
    reader.evaluate("document.documentElement.style.fontSize = '200%'")
    assert reader.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize("place", ["", "found", "message", "/pack"])
def test_the_keyboard_reaches_everything_and_its_focus_is_seen(
    reader: Page, room: Opened, place: str
) -> None:
    visit(reader, room, place)
    wanted = reader.evaluate(
        """[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary,'
           + '[tabindex="0"]')].filter(e => e.checkVisibility() && !(e.type === 'radio')).length"""
    )
    reached = set()
    for _ in range(wanted + 8):
        reader.keyboard.press("Tab")
        at, outline, kind = reader.evaluate(
            """() => { const e = document.activeElement, all = [...document.querySelectorAll('*')];
                return [all.indexOf(e), getComputedStyle(e).outlineStyle, e.type || e.tagName]; }"""
        )
        assert outline != "none" or kind in ("BODY", "date"), "a day's own button shows its focus within"
        reached.add(at)
    assert len(reached) >= wanted


def test_a_printed_message_carries_who_read_it_and_leaves_the_form_out(reader: Page, room: Opened) -> None:
    read(reader, room, "moderation")
    reader.emulate_media(media="print")
    assert "Hari Hughes" in reader.locator(".watermark").inner_text()
    assert reader.locator(".watermark").is_visible() and reader.locator("pre.letter").is_visible()
    assert not reader.get_by_role("button", name="Keep").is_visible()
    assert not reader.locator("nav.nav").is_visible()
