"""Whoever the permit does not name gets nothing of a room, whatever they ask for; nor does its own reader beyond it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from muniment.answer.room_client import Looker, RoomClient
from muniment.answer.rooms import parse_place
from muniment.policy.errors import Refused
from muniment.record.entry import Stream
from muniment.record.open_entries import read_open
from tests.answer import opened as rooms
from tests.answer.opened import Opened, letter, with_attachment
from tests.site.console import Answer, Console, up
from tests.site.signed_in import Session, session

SECRET = "the-one-word-nobody-else-reads"
_READ = re.compile(r"/rooms/[\w-]+/messages/(\d+)/read/([\w-]+)")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with up(tmp_path_factory.mktemp("refused")) as found:
        found.send("plain", letter("Second look", f"It says {SECRET}.\n"))
        found.send("file", with_attachment("Marks", "Attached.\n", "marks.csv", b"unit,mark\n", "text/csv"))
        found.send("private", letter("Doctor", f"An appointment, {SECRET}.\n", Sensitivity="Private"))
        tara = "tara@training.example"
        rooms.hand_in(found, tara, letter("Other", f"Tara writes {SECRET}.\n", sender=tara))
        rooms.settle()
        yield found


@pytest.fixture(scope="module")
def hr(console: Console) -> Session:
    return session(console, "hr")


@pytest.fixture(scope="module")
def dpo(console: Console) -> Session:
    return session(console, "dpo")


@pytest.fixture(scope="module")
def room(console: Console, hr: Session, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    found = rooms.approved(console, tmp_path_factory.mktemp("approval"))
    open_up(hr, found)
    return found


def open_up(reader: Session, room: Opened) -> None:
    """Unlock a room and climb to its top, without a browser."""
    assert reader.send(f"{room.place}/unlock", words=room.words).status == 302
    for rung in rooms.RUNGS:
        answer = reader.send(f"{room.place}/climb", room.place, rung=rung, reason="Needed to see")
        assert answer.status == 302, answer.text
    deadline = time.monotonic() + 60
    while "still being built" in reader.ask(room.place).text:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def search(reader: Session, room: Opened, words: str) -> Answer:
    """Search, and return the page of what was found."""
    answer = reader.send(f"{room.place}/search", room.place, words=words, reason="Who asked", fold="on")
    assert answer.status == 302, answer.text
    return reader.ask(answer.headers["location"])


def tickets(page: Answer) -> list[tuple[int, str]]:
    """Return index and sealed address of each message a page leads to."""
    return [(int(index), ticket) for index, ticket in _READ.findall(page.text)]


def looks(console: Console) -> int:
    return sum(1 for _ in read_open(console.home, Stream.LOOKS))


def deeds(room: Opened, index: int, ticket: str) -> list[tuple[str, str]]:
    """Return every way into a room, as method and address."""
    message = f"{room.place}/messages/{index}"
    return [
        ("GET", room.place),
        ("GET", f"{room.place}/unlock"),
        ("POST", f"{room.place}/unlock"),
        ("POST", f"{room.place}/climb"),
        ("POST", f"{room.place}/search"),
        ("GET", f"{room.place}/found/{ticket}"),
        ("GET", f"{room.place}/scan"),
        ("POST", f"{room.place}/scan"),
        ("GET", f"{message}/read/{ticket}"),
        ("GET", f"{message}/frame/{ticket}"),
        ("GET", f"{message}/conversation/{ticket}"),
        ("GET", f"{message}/parts/2/{ticket}"),
        ("POST", f"{message}/note/{ticket}"),
        ("GET", f"{room.place}/pack"),
        ("POST", f"{room.place}/pack"),
        ("GET", f"{room.place}/packs/2026-001-1.zip"),
        ("POST", f"{room.place}/packs/2026-001-1.zip/delete"),
        ("POST", f"{room.place}/close"),
    ]


def attempt(somebody: Session, method: str, address: str, room: Opened) -> Answer:
    """Ask for a page, or send its form with everything right and a token of the sender's own."""
    if method == "GET":
        return somebody.ask(address)
    fields = {
        "words": room.words,
        "rung": "envelope",
        "reason": "I want to see",
        "terms": SECRET,
        "title": "t",
    }
    return somebody.send(address, "/rooms", **fields, recipient="me")


def test_a_second_investigator_finds_no_room_by_any_address_and_leaves_no_look(
    console: Console, hr: Session, dpo: Session, room: Opened
) -> None:
    (index, ticket), *_ = tickets(search(hr, room, SECRET))
    before = looks(console)
    for method, address in deeds(room, index, ticket):
        answer = attempt(dpo, method, address, room)
        assert answer.status == 404, (method, address)
        assert SECRET not in answer.text and "Tomás" not in answer.text
    assert room.number not in dpo.ask("/rooms").text
    assert looks(console) == before
    assert hr.ask(room.place).status == 200, "the room was not closed by somebody else"


def test_a_room_that_is_not_there_and_one_that_is_anothers_answer_alike(dpo: Session, room: Opened) -> None:
    said = [
        dpo.ask(place).text.replace(name, "NAME")
        for place, name in ((room.place, room.name), ("/rooms/2019-001-1", "2019-001-1"))
    ]
    assert _main(said[0]) == _main(said[1])


def _main(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("person", ["tomas", "stella", "it", "auditor"])
def test_subjects_and_others_are_refused_or_find_nothing(console: Console, room: Opened, person: str) -> None:
    answer = session(console, person).ask(room.place)
    assert answer.status == (404 if person == "it" else 403)
    assert SECRET not in answer.text


def test_who_is_not_signed_in_is_asked_to(console: Console, room: Opened) -> None:
    answer = console.ask(room.place)
    assert answer.status == 302 and "/sign-in" in answer.headers["location"]


def test_the_room_itself_refuses_whom_the_pages_would_let_in_by_mistake(
    console: Console, room: Opened
) -> None:
    place = parse_place(console.home, room.name)
    with RoomClient(place.socket, Looker("11111111-2222-3333-4444-555555555555", "Somebody", "hr")) as client:
        for act in (
            lambda: client.search(SECRET),
            lambda: client.counts(),
            lambda: client.unlock(room.words),
        ):
            with pytest.raises(Refused):
                act()


def test_every_index_outside_the_permit_is_answered_as_if_nothing_were_there(
    hr: Session, room: Opened
) -> None:
    found = tickets(search(hr, room, ""))
    inside, ticket = {index for index, _ in found}, found[0][1]
    assert len(inside) == 2, "Tara's mail and the private one are not within"
    answers = {}
    for index in (*range(max(inside) + 12), 10**6, 10**15, 2**62 - 1, 2**63, 10**30):
        for way in ("read", "frame", "conversation"):
            answer = hr.ask(f"{room.place}/messages/{index}/{way}/{ticket}")
            if index in inside:
                assert answer.status in (200, 404 if way == "frame" else 200)
            else:
                assert answer.status == 404, (index, way)
                assert SECRET not in answer.text
                answers.setdefault(way, set()).add(_main(answer.text).replace(f" {index} ", " N "))
    assert [len(said) for said in answers.values()] == [1, 1, 1], "no answer tells which entries exist"


@pytest.mark.parametrize("part", ["99", "0", "-1", "1.1", "..", "%2e%2e", "2%00", "1%0a", "x" * 400, "٢"])
def test_a_forged_part_of_a_message_is_none(hr: Session, room: Opened, part: str) -> None:
    index, ticket = next((i, t) for i, t in tickets(search(hr, room, "attached")))
    answer = hr.ask(f"{room.place}/messages/{index}/parts/{quote(part, safe='%')}/{ticket}")
    assert answer.status in (400, 404)
    assert "Traceback" not in answer.text


def test_an_address_of_a_search_opens_nothing_in_another_sign_in_or_another_room(
    console: Console, hr: Session, room: Opened, tmp_path: Path
) -> None:
    (index, ticket), *_ = tickets(search(hr, room, SECRET))
    again = session(console, "hr")
    assert again.ask(f"{room.place}/messages/{index}/read/{ticket}").status == 400
    other = rooms.approved(console, tmp_path, "--reader", "dpo")
    open_up(hr, other)
    assert hr.ask(f"{other.place}/messages/{index}/read/{ticket}").status == 400
    reader = session(console, "dpo")
    assert reader.ask(other.place).status == 200, "the permit names her as a reader"
    mine = tickets(search(hr, other, SECRET))[0][1]
    assert reader.ask(f"{other.place}/messages/{index}/read/{mine}").status == 400


@pytest.mark.parametrize(
    "file",
    [
        "room-key.sealed",
        "..%2froom-key.sealed",
        "%2e%2e%2f%2e%2e%2fmuniment.toml",
        "notes.sealed",
        ".zip",
        "a.zip%00",
        "none.zip",
    ],
)
def test_only_packs_are_sent_as_files(hr: Session, room: Opened, file: str) -> None:
    answer = hr.ask(f"{room.place}/packs/{file}")
    assert answer.status in (400, 404)
    assert b"kdf" not in answer.body and b"format" not in answer.body.partition(b"<main")[2]


@pytest.mark.parametrize(
    "name", ["2026-001", "0000-000-1", "2026-001-0", "..", "%2e%2e", "2026-001-1%00", "x" * 300]
)
def test_what_is_no_name_of_a_room_is_told_so(hr: Session, name: str) -> None:
    assert hr.ask(f"/rooms/{name}").status in (400, 404)


def test_after_closing_a_stale_tab_shows_nothing_and_says_how_to_go_on(
    console: Console, hr: Session, tmp_path: Path
) -> None:
    found = rooms.approved(console, tmp_path)
    open_up(hr, found)
    (index, ticket), *_ = tickets(search(hr, found, SECRET))
    assert SECRET in hr.ask(f"{found.place}/messages/{index}/read/{ticket}").text
    packs = console.home.path / "rooms" / found.name / "packs"
    packs.mkdir()
    (packs / f"{found.name}-0a1b2c3d.zip").write_bytes(b"a pack in the clear")
    assert hr.ask(f"{found.place}/packs/{found.name}-0a1b2c3d.zip").body == b"a pack in the clear"
    assert hr.send(f"{found.place}/close", found.place).status == 302
    assert list(packs.iterdir()) == []
    for address in (f"messages/{index}/read/{ticket}", f"found/{ticket}", "pack", "scan"):
        answer = hr.ask(f"{found.place}/{address}")
        assert answer.status == 409, address
        assert SECRET not in answer.text and "Unlock it" in answer.text
    open_up_again = hr.send(f"{found.place}/unlock", words=found.words)
    assert open_up_again.status == 302


def test_after_the_permit_is_revoked_nothing_more_is_shown_and_no_words_open_it(
    console: Console, hr: Session, tmp_path: Path
) -> None:
    found = rooms.approved(console, tmp_path)
    open_up(hr, found)
    (index, ticket), *_ = tickets(search(hr, found, SECRET))
    address = f"{found.place}/messages/{index}/read/{ticket}"
    assert hr.ask(address).status == 200
    rooms.command(
        console,
        "permit",
        "revoke",
        found.number,
        "--as",
        "managing-director",
        "--reason",
        "The matter is settled",
    )
    deadline = time.monotonic() + 20
    while (answer := hr.ask(address)).status == 200:
        assert time.monotonic() < deadline, "the room still reads"
        time.sleep(0.2)
    assert answer.status == 403 and SECRET not in answer.text
    assert "The matter is settled" in hr.ask(f"{found.place}/unlock").text
    assert hr.send(f"{found.place}/unlock", "/rooms", words=found.words).status == 403
    assert "See why" in hr.ask("/rooms").text
