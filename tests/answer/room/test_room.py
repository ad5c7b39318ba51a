"""A room in its own process, over a running recorder: what it shows, to whom, and what it records first."""

from __future__ import annotations

import json
import time

import pytest

from muniment.answer.room_client import RoomClient
from muniment.answer.rooms import enter, is_running, load, rooms_of, start
from muniment.policy.errors import BadInput, Conflict, Missing, Refused, Unavailable
from muniment.record.entry import Stream
from muniment.record.open_entries import read_open
from tests.answer.room.granting import (
    HANNAH,
    READER,
    STRANGER,
    TOMAS,
    append,
    grant,
    letter,
    mark,
    recorded,
    revoke,
    wait_until_open,
)

OLIVE = "olive@training.example"
ATTACHED = (
    b"From: <tomas@training.example>\r\nTo: <stella@outside.example>\r\nSubject: With a file\r\n"
    b"Message-ID: <attached@training.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n"
    b"--b\r\nContent-Type: text/html; name=page.html\r\nContent-Disposition: attachment; filename=page.html\r\n\r\n"
    b"<p>The wombat report</p>\r\n"
    b"--b\r\nContent-Type: image/png; name=p.png\r\nContent-Disposition: attachment; filename=p.png\r\n\r\nPNG\r\n"
    b"--b--\r\n"
)
AT: list[int] = []  # the ledger index of each of LETTERS
MARKING, REPLY, LUNCH, FILE, TWICE, AGAIN, UNION, OTHER, BROKEN = range(9)
LETTERS = [
    letter(1, "Marking", "The marks were read from the wrong column."),
    letter(2, "Re: Marking", "Then read them again.", more="In-Reply-To: <1@training.example>\r\n"),
    letter(
        3,
        "Lunch",
        "Soup on Friday.",
        to="olive@training.example",
        rcpt_to=["olive@training.example", "x@y.example"],
    ),
    letter(4, "Attached", "", content=ATTACHED),
    letter(5, "Twice", "The same text twice."),
    letter(5, "Twice", "The same text twice.", more="X-Copy: 2\r\n"),
    letter(7, "Union", "Nobody may read this.", shielded="marked private"),
    letter(8, "Other", "Not about him.", sender="olive@training.example"),
    letter(9, "Broken", "", content=b"\xff\xfe\x00 no header at all"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with recorded(tmp_path_factory.mktemp("room"), ()) as found:
        AT[:] = append(found.home, LETTERS)
        yield found


@pytest.fixture(scope="module")
def granted(house):
    return grant(house.home)


@pytest.fixture(scope="module")
def room(granted):
    with granted.opened() as client:
        yield client


def looks(house) -> list[dict]:
    return [json.loads(entry.plain) for entry in read_open(house.home, Stream.LOOKS)]


def subjects(found) -> list[str | None]:
    return [hit.subject for hit in found.hits]


def test_a_locked_room_says_its_state_and_nothing_else(house):
    granted = grant(house.home, number="2026-100")
    with granted.entered() as client:
        assert client.state().state == "locked"
        assert client.state().entries == 7
        for ask in (client.counts, lambda: client.search("marks"), lambda: client.read(AT[0], "why")):
            with pytest.raises(Conflict, match="locked"):
                ask()
        with pytest.raises(BadInput, match="six words"):
            client.unlock("abandon ability able about above absent")
        assert client.state().state == "locked"
        assert client.unlock(granted.words.replace("-", " ").upper()).state in ("building", "open")


def test_only_the_requester_and_the_readers_are_answered(house, granted, room):
    with RoomClient(granted.place.socket, STRANGER) as stranger:
        for ask in (stranger.state, lambda: stranger.unlock(granted.words), lambda: stranger.search("marks")):
            with pytest.raises(Refused) as refused:
                ask()
            assert refused.value.clause == "R-5.3-k"
    with RoomClient(granted.place.socket, READER) as reader:
        assert reader.search("marks").found == 1
    assert looks(house)[-1]["by"] == READER.id


def test_a_search_finds_what_the_words_mean(room):
    assert subjects(room.search("marking")) == ["Re: Marking", "Marking"]
    assert subjects(room.search('"wrong column"')) == ["Marking"]
    assert subjects(room.search("wombat")) == ["With a file"]
    assert subjects(room.search("", person="x@y.example")) == ["Lunch"]
    assert room.search("", person="tomas").found == 7
    with pytest.raises(BadInput, match="neither a person"):
        room.search("", person="olive")
    with pytest.raises(BadInput, match="quotation mark"):
        room.search('"open')


def test_what_is_not_within_the_permit_is_not_found(room):
    assert room.search("nobody may read").found == 0
    assert room.search("not about him").found == 0
    assert room.search("marks").shielded == 1


def test_copies_are_folded_and_counted(room):
    found = room.search("twice")
    assert (found.found, len(found.hits), found.hits[0].copies) == (2, 1, 1)
    assert len(room.search("twice", fold=False).hits) == 2


def test_pages_follow_one_another(room):
    seen, first = [], 0
    while first is not None:
        page = room.search("", most=2, first=first)
        seen += [hit.index for hit in page.hits]
        first = page.next
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 6


def test_a_snippet_shows_what_was_sought(room):
    [hit] = room.search('"wrong column"').hits
    assert [hit.snippet[start:end] for start, end in hit.snippet_marks] == ["wrong", "column"]


def test_what_could_not_be_searched_is_listed(room):
    reasons = {reason.reason: reason.count for reason in room.search("marks").not_searched}
    assert reasons["attachment: picture"] == 1


def test_a_message_is_read_with_its_attachments(room):
    [hit] = room.search("wombat").hits
    message = room.read(hit.index, "To see the file.")
    assert message.text.strip() == "See the file."
    assert [(a.name, a.type) for a in message.attachments] == [
        ("page.html", "text/html"),
        ("p.png", "image/png"),
    ]
    page, picture = (room.attachment(hit.index, a.part, "To read it.") for a in message.attachments)
    assert page.text.strip() == "The wombat report"
    assert (picture.text, picture.problem) == ("", "picture")
    with pytest.raises(Missing):
        room.attachment(hit.index, "99", "why")
    with pytest.raises(BadInput, match="left as it was written"):
        room.read(hit.index, "why", face="sent")


def test_a_conversation_is_shown_oldest_first(room):
    [first] = room.search('"wrong column"').hits
    assert subjects(room.conversation(first.index)) == ["Marking", "Re: Marking"]


def test_an_entry_outside_is_missing_whichever_it_is(room):
    for index in (AT[UNION], AT[OTHER], 0, 10**9):
        with pytest.raises(Missing, match="not within the permit, or is sealed"):
            room.read(index, "why")
        with pytest.raises(Missing):
            room.conversation(index)
        with pytest.raises(Missing):
            room.note(index, "a note")


def test_each_look_is_recorded_with_what_it_showed(house, room):
    before = len(looks(house))
    found = room.search("marking", reason="To find it.")
    message = room.read(found.hits[0].index, "To read it.")
    room.attachment(room.search("wombat").hits[0].index, "2", "To read it.")
    room.counts()
    made = looks(house)[before:]
    assert [look["act"] for look in made] == ["search", "content", "search", "attachment", "count"]
    assert made[0]["entries"] == [hit.index for hit in found.hits]
    assert (made[0]["found"], made[0]["rung"], made[0]["permit"]) == (2, "content", "2026-001")
    assert made[1]["entries"] == [message.index]
    assert b"marking" not in b"".join(entry.plain for entry in read_open(house.home, Stream.LOOKS))
    assert message.record_number == f"looks/{before + 2}"


def test_the_words_of_a_search_are_sealed_in_the_record(house, room):
    from tests.record.recording import officer_view

    room.search("marking -soup", reason="For the hearing.", from_ms=0)
    with officer_view(house.home) as view:
        row = view.catalogue.rows("stream = ?", (Stream.LOOKS,))[-1]
        meta = view.open(row.idx).meta
    assert b"marking -soup [from_ms 0]" in meta
    assert b"For the hearing." in meta


def test_reasons_are_asked(room):
    for ask in (lambda: room.read(AT[0], " "), lambda: room.scan(["x"], "")):
        with pytest.raises(BadInput, match="reason"):
            ask()


def test_notes_stay_with_the_room_and_are_searched_by_tag(house, room, granted):
    [hit] = room.search("soup").hits
    room.note(hit.index, "Ask her about it.", ["pack"])
    assert [hit.subject for hit in room.search("", tag="pack").hits] == ["Lunch"]
    assert room.search("soup").hits[0].notes == 1
    assert b"Ask her" not in (granted.place.folder / "notes.sealed").read_bytes()


def test_a_scan_counts_apart_what_it_did_not_look_into(house, room):
    terms = ["wrong column", "SOUP", "wombat", "nothing of this"]
    state = room.scan(terms, "The list of the case.")
    deadline = time.monotonic() + 20
    while not state.is_done and time.monotonic() < deadline:
        state = room.scan(terms, "")
    assert {hit.index: hit.terms for hit in state.hits} == {AT[MARKING]: [0], AT[LUNCH]: [1]}
    assert (state.scanned, state.of) == (7, 7)
    assert [(r.reason, r.count) for r in state.not_scanned] == [("attachments of it", 2)]
    assert looks(house)[-1]["act"] == "scan"


def test_a_pack_is_made_and_disclosed(house, room, granted):
    [hit] = room.search("soup").hits
    made = room.pack([hit.index], "For the hearing", "The panel needs it.", "The panel")
    assert (granted.place.folder / made.path).read_bytes()[:2] == b"PK"
    [disclosed] = [json.loads(entry.plain) for entry in read_open(house.home, Stream.DISCLOSURES)]
    assert disclosed["manifest_sha256"] == made.manifest_sha256
    assert disclosed["entries"] == [hit.index]
    with pytest.raises(Missing):
        room.pack([AT[UNION]], "t", "r", "p")
    with pytest.raises(BadInput, match="age1"):
        room.pack([hit.index], "t", "r", "p", "no key")


def test_rungs_are_climbed_in_order_and_show_what_they_say(house):
    granted = grant(house.home, number="2026-101")
    with granted.opened("counts") as client:
        assert client.counts().entries == 7
        with pytest.raises(Refused):
            client.search("marking")
        with pytest.raises(Refused, match="in order"):
            client.climb("content", "At once.")
        with pytest.raises(BadInput, match="reason"):
            client.climb("envelope", "")
        with pytest.raises(BadInput, match="no rung"):
            client.climb("attic", "why")
        client.climb("envelope", "To see who wrote.")
        [hit, *_] = client.search("marking").hits
        assert (hit.subject, hit.snippet) == (None, None)
        client.climb("subject", "To see about what.")
        [hit, *_] = client.search("marking").hits
        assert (hit.subject, hit.snippet) == ("Re: Marking", None)
        with pytest.raises(Refused):
            client.read(hit.index, "why")
        client.climb("content", "To read.")
        assert client.read(hit.index, "why").hit.snippet


def test_a_permit_for_envelopes_has_no_content(house):
    granted = grant(house.home, number="2026-102", depth="envelope")
    with granted.opened("subject") as client:
        assert subjects(client.search("marking")) == ["Re: Marking", "Marking"]
        assert client.search("column").found == 0
        with pytest.raises(Refused) as refused:
            client.climb("content", "why")
        assert refused.value.clause == "R-5.3-e"


def test_a_mark_shields_the_whole_conversation_in_rooms_opened_afterwards(house, room):
    mark(house.home, AT[REPLY])
    try:
        assert room.search("marking").found == 2  # this room was open before
        granted = grant(house.home, number="2026-103")
        with granted.opened() as client:
            assert client.search("marking").found == 0
            assert client.search("soup").shielded == 3
            assert client.counts().entries == 5
            for index in (AT[MARKING], AT[REPLY]):
                with pytest.raises(Missing):
                    client.read(index, "why")
    finally:
        mark(house.home, AT[REPLY], "")
    with grant(house.home, number="2026-104").opened() as client:
        assert client.search("marking").found == 2


def test_a_revoked_permit_closes_the_room_that_is_open(house):
    granted = grant(house.home, number="2026-105")
    with granted.opened() as client:
        assert client.search("soup").found == 1
        revoke(granted)
        deadline = time.monotonic() + 15
        with pytest.raises((Refused, Unavailable)) as ended:
            while time.monotonic() < deadline:
                client.search("soup")
                time.sleep(0.2)
        assert "revoked" in str(ended.value) or "does not answer" in str(ended.value)
        while is_running(granted.place):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    with pytest.raises(Unavailable, match="revoked"):
        start(granted.place)


def test_a_permit_that_is_revoked_before_it_is_opened_gives_no_keys(house):
    granted = grant(house.home, number="2026-106")
    with granted.entered() as client:
        revoke(granted)
        with pytest.raises((Refused, Unavailable)):
            client.unlock(granted.words)


def test_after_a_restart_the_investigator_unlocks_again(house):
    granted = grant(house.home, number="2026-107")
    with granted.opened() as client:
        [hit] = client.search("soup").hits
        client.note(hit.index, "", ["kept"])
        made = granted.place.folder / client.pack([hit.index], "t", "r", "p").path
        assert made.exists()
        client.close_room()
    deadline = time.monotonic() + 10
    while is_running(granted.place):
        assert time.monotonic() < deadline
    with enter(granted.place, HANNAH) as client:
        assert client.state().state == "locked"
        client.unlock(granted.words)
        wait_until_open(client)
        client.climb("envelope", "again")
        assert client.search("", tag="kept").found == 1
        client.close_room()
    assert not made.exists()


def test_a_person_s_rooms_are_those_that_name_them(house, granted, room):
    now = time.time_ns() // 1_000_000
    assert "2026-001" in [found.request.number for found in rooms_of(house.home, HANNAH.id, now)]
    running = [
        found.is_running for found in rooms_of(house.home, READER.id, now) if found.place == granted.place
    ]
    assert running == [True]
    assert rooms_of(house.home, STRANGER.id, now) == []
    over = load(granted.place).ends_ms + 1
    assert granted.place not in [found.place for found in rooms_of(house.home, HANNAH.id, over)]
    assert rooms_of(house.home, "", now) == []


def test_nothing_is_shown_when_the_recorder_does_not_answer(tmp_path):
    with recorded(tmp_path, LETTERS) as house:
        granted = grant(house.home)
        with granted.opened() as client:
            [hit] = client.search("soup").hits
            house.processes.pop("recorder").stop()
            for ask in (
                client.counts,
                lambda: client.search("soup"),
                lambda: client.read(hit.index, "why"),
                lambda: client.scan(["soup"], "why"),
                lambda: client.climb("content", "why"),
            ):
                with pytest.raises(Unavailable):
                    ask()
            house.start("recorder")
            assert client.search("soup").found == 1


def test_tomas_is_the_one_looked_at(granted):
    assert [window.address for window in granted.request.windows] == [TOMAS]
