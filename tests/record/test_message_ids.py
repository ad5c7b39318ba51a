"""The same Message-ID with other text is noticed; the same text by another way is not. R-2.1-b, decision 0016."""

from __future__ import annotations

import json
import sqlite3

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import Unavailable
from muniment.policy.policyfile import load
from muniment.record import line
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Entry, Kind, Retention, Stream
from muniment.record.home import Home
from muniment.record.keeper import QUARTER_MS
from muniment.record.open_entries import read_open
from muniment.record.opening import origin_of
from muniment.record.rebuild import rebuild
from muniment.record.sameness.reuse import MOST_COMPARED
from muniment.record.sameness.text import text_of
from tests.record.recording import SECRET, START_MS, Clock, check_record, mail, make_home, message, recording

LETTER = message(7)


def entry(content: bytes, sent: bytes | None = None, **changes: object) -> Entry:
    text = text_of(content)
    texts = (text.digest,) if sent is None else (text.digest, text_of(sent).digest)
    made = mail(content=content, sent=sent)
    return msgspec.structs.replace(made, message_id=text.message_id, texts=texts, **changes)


def alarms(home: Home) -> list[tuple[str, str]]:
    tables = [json.loads(e.plain) for e in read_open(home, Stream.HEALTH) if e.kind == Kind.FACT]
    assert all(set(table) == {"format", "alarm", "entry", "earlier", "indexes"} for table in tables)
    return [(table["earlier"], table["entry"]) for table in tables]


def test_what_servers_add_on_the_way_does_not_make_another_text():
    head, _, body = LETTER.partition(b"\r\n\r\n")
    added = b"Received: from a\r\n\tby b; today\r\nX-Spam: no\r\nDKIM-Signature: v=1\r\nList-Id: <x>\r\n"
    fields = head.split(b"\r\n")
    same = [
        added + LETTER,
        LETTER.replace(b"\r\n", b"\n"),
        LETTER + b"\r\n\r\n",
        b"\r\n".join(reversed(fields)) + b"\r\n\r\n" + body,
        LETTER.replace(b"Subject: Register 7", b"subject:  Register\r\n 7"),
    ]
    assert {text_of(each) for each in same} == {text_of(LETTER)}
    assert text_of(LETTER).message_id == b"7@training.example"
    others = [
        LETTER.replace(b"Tuesday", b"Monday"),
        LETTER.replace(b"Register 7", b"Register 8"),
        b"Cc: a@b\r\n" + LETTER,
    ]
    digests = {text_of(each).digest for each in others} | {text_of(LETTER).digest}
    assert len(digests) == 4
    assert {text_of(each).message_id for each in others} == {b"7@training.example"}


def test_a_large_body_is_read_whole_and_its_line_ends_count_as_one():
    lines = (b"x" * 1021 + b"\r\n") * 3000
    large = b"Message-ID: <a@b>\r\n\r\n" + lines
    assert text_of(large) == text_of(large.replace(b"\r\n", b"\n")) == text_of(large + b"\r\n" * 2_000_000)
    assert text_of(large) != text_of(large[:2_000_000] + b"y" + large[2_000_001:])
    assert text_of(large + b"\r\n" * 2_000_000 + b"z") != text_of(large + b"\r\nz")


@given(st.binary(max_size=2000), st.binary(max_size=200))
def test_any_bytes_have_a_text(content, more):
    text = text_of(content + b"\r\n\r\n" + more)
    assert len(text.digest) == 32 and len(text.message_id) <= 998
    assert text_of(b"Message-ID: " + more.replace(b"\n", b"") + b"\r\n\r\n").message_id is not None


def test_the_same_message_id_with_other_text_is_an_alarm_that_names_both(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        record.append([entry(LETTER)])
        record.append([entry(LETTER.replace(b"Tuesday", b"Monday"))])
        record.tick()
        assert alarms(home) == [("mail-gateway/1", "mail-gateway/2")]
        record.append([entry(LETTER.replace(b"Tuesday", b"Monday")), entry(LETTER)])  # known by now
        record.tick()
        assert len(alarms(home)) == 1
    check_record(home)


def test_two_in_one_batch_are_compared_too(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([entry(LETTER), entry(LETTER.replace(b"Tuesday", b"Monday"))])
        record.tick()
    assert alarms(home) == [("mail-gateway/1", "mail-gateway/2")]
    check_record(home)


def test_a_copy_of_what_left_with_the_particulars_is_no_alarm(tmp_path):
    home, stamped = make_home(tmp_path), LETTER + b"Training Ltd, registered in England\r\n"
    with recording(home) as record:
        record.append([entry(LETTER, stamped)])
        record.append([entry(b"Received: by x\r\n" + stamped, stream=Stream.MAIL_JOURNAL)])
        record.append([entry(LETTER, stream=Stream.MAIL_IMPORT)])
        record.tick()
    assert alarms(home) == []
    check_record(home)


def test_what_has_no_message_id_or_was_refused_is_not_compared(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        bare = LETTER.replace(b"Message-ID: <7@training.example>\r\n", b"")
        record.append([entry(bare), entry(bare.replace(b"Tuesday", b"Monday"))])
        for text in (LETTER, LETTER.replace(b"Tuesday", b"Monday")):
            record.append([entry(text, stream=Stream.MAIL_REFUSED, retention=Retention.REFUSED)])
        record.tick()
    assert alarms(home) == []
    check_record(home)


def test_one_quarter_is_compared_with_the_one_before_and_no_earlier(tmp_path):
    home, clock = make_home(tmp_path), Clock(START_MS // QUARTER_MS * QUARTER_MS + 1000)
    other = [LETTER.replace(b"Tuesday", day) for day in (b"Monday", b"Friday")]
    with recording(home, clock) as record:
        record.append([entry(LETTER), entry(message(8))])
        clock.now_ms += QUARTER_MS
        record.append([entry(LETTER)])
        record.append([entry(other[0])])
        record.tick()
        assert alarms(home) == [("mail-gateway/3", "mail-gateway/4")]
        clock.now_ms += QUARTER_MS
        record.append([entry(message(8, "Other text, half a year later."))])
        record.tick()
        assert len(alarms(home)) == 1
    check_record(home)


def test_a_message_id_that_everybody_uses_stops_being_told(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        for number in range(MOST_COMPARED + 5):
            record.append([entry(LETTER.replace(b"Tuesday", b"day %d" % number))])
        record.tick()
    assert len(alarms(home)) == MOST_COMPARED - 1
    check_record(home)


def test_entries_that_waited_for_room_in_the_catalogue_are_compared_when_they_get_it(tmp_path, monkeypatch):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([entry(LETTER)])
        catalogue = record.record.parts.catalogue
        with monkeypatch.context() as full:
            full.setattr(catalogue, "add", _no_room)
            with pytest.raises(Unavailable):
                record.append([entry(LETTER.replace(b"Tuesday", b"Monday"))])
        record.append([mail(2)])
        record.tick()
    assert alarms(home) == [("mail-gateway/1", "mail-gateway/2")]
    check_record(home)


def _no_room(*_: object) -> None:
    raise Unavailable("database or disk is full")


def test_rebuild_gives_the_same_names(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([entry(LETTER, LETTER + b"x\r\n"), mail(2)])
    catalogue = Catalogue(home.database)
    before = catalogue.rows()
    catalogue.close()
    assert [len(row.texts or b"") for row in before if row.message_id] == [32]
    rebuild(home, origin_of(load(home.policy_file)), SECRET)
    catalogue = Catalogue(home.database)
    assert catalogue.rows() == before
    catalogue.close()
    check_record(home)


def test_a_catalogue_and_a_line_of_version_1_are_read(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([mail(1)])
    db = sqlite3.connect(home.database)
    db.executescript(
        "DROP INDEX entry_message; ALTER TABLE entry DROP COLUMN texts; ALTER TABLE entry DROP COLUMN message_id; "
        "PRAGMA user_version = 1;"
    )
    db.close()
    with recording(home) as record:
        record.append([entry(LETTER), entry(LETTER.replace(b"Tuesday", b"Monday"))])
        record.tick()
    assert len(alarms(home)) == 1
    check_record(home)
    old = msgspec.msgpack.encode([1, 2, 3, 0, False, b"", b"", None, [], 5])
    assert line.decode(old) == line.Line(1, 2, 3, 0, False, b"", b"", None, (), 5)
