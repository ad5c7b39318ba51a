"""Whoever edits the catalogue shows the officer another number and opens nothing more. R-5.2-f."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from muniment.policy.errors import Missing, MunimentError, Refused, Tampered
from muniment.record import line
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.opening import OpenRecord
from muniment.record.permit_selection import parse_selection
from muniment.record.selection import Query, Window
from tests.record.asking import TOMAS, permitted, query, release, room
from tests.record.recording import Clock, check_record, mail, make_home, message, recording
from tests.record.test_selection import PEOPLE, letter


@pytest.fixture
def record(tmp_path: Path) -> Iterator[OpenRecord]:
    """Tomás' mail, then two of Stella's letters; one of his is shielded, one came twice."""
    clock = Clock()
    with recording(make_home(tmp_path, clock), clock) as opened:
        opened.append([mail(1), msgspec.structs.replace(mail(2), shielded="union")])
        opened.append(
            [msgspec.structs.replace(mail(n), addresses=("stella@training.example",)) for n in (3, 4)]
        )
        opened.append([mail(3), msgspec.structs.replace(mail(6), kind=Kind.OUTCOME)])
        opened.append([msgspec.structs.replace(mail(7), stream=Stream.MAIL_JOURNAL)])
        yield opened


def edit(record: OpenRecord, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(record.home.database)) as database, database:
        assert database.execute(statement, values).rowcount > 0


def index_of(record: OpenRecord, number: int) -> int:
    """Return the ledger index of the fixture's n-th entry."""
    rows = record.record.parts.catalogue.rows("retention = 2 AND stream IN (16, 17)")
    return rows[number - 1].idx


def test_an_address_put_to_another_s_letter_opens_nothing(record: OpenRecord):
    token = line.token(record.record.parts.keeper.token_key, TOMAS)
    edit(record, "INSERT INTO mention VALUES (?, ?)", token, index_of(record, 4))
    permit = permitted(record)
    assert index_of(record, 4) in {item.idx for item in parse_selection(permit.selection)}
    with pytest.raises(Tampered, match="the catalogue was edited"):
        release(record, permit)


@pytest.mark.parametrize(
    ("column", "value", "number", "asked"),
    [
        ("shielded", 0, 2, query()),
        ("dated_ms", 5, 1, query(until_ms=6)),
        ("captured_ms", 5, 1, query(until_ms=6)),
        ("kind", Kind.RECORD, 6, query()),
        ("stream", Stream.MAIL_JOURNAL, 2, query(streams=("mail-journal",), is_shielded=True)),
    ],
)
def test_a_row_that_says_something_else_than_the_entry_opens_nothing(
    record: OpenRecord, column: str, value: int, number: int, asked: Query
):
    index = index_of(record, number)
    edit(record, f"UPDATE entry SET {column} = ? WHERE idx = ?", value, index)
    permit = permitted(record, asked)
    assert index in {item.idx for item in parse_selection(permit.selection)}
    with pytest.raises(Tampered, match="the catalogue was edited"):
        release(record, permit)


def test_a_copy_pointed_at_another_s_letter_opens_nothing(record: OpenRecord):
    edit(record, "UPDATE entry SET about = ? WHERE idx = ?", index_of(record, 4), index_of(record, 5))
    permit = permitted(record)
    assert index_of(record, 4) in {item.idx for item in parse_selection(permit.selection)}
    with pytest.raises(Tampered, match="the catalogue was edited"):
        release(record, permit)


@pytest.mark.parametrize(
    ("column", "kind", "told"),
    [
        ("position", Refused, "the words of the request do not cover"),
        ("epoch", Refused, "the words of the request do not cover"),
        ("retention", Refused, "the words of the request do not cover"),
        ("at", Tampered, "does not open"),
        ("number", Missing, "is not there"),
        ("length", Tampered, "the catalogue was edited"),
    ],
)
def test_a_row_pointed_elsewhere_after_the_approval_opens_nothing(
    record: OpenRecord, column: str, kind: type[MunimentError], told: str
):
    permit = permitted(record)
    other = record.record.parts.catalogue.row(index_of(record, 3))
    value = {"length": 9, "at": other.at, "position": other.position + 1000}.get(
        column, getattr(other, column) + 1
    )
    edit(record, f"UPDATE entry SET {column} = ? WHERE idx = ?", value, index_of(record, 1))
    with pytest.raises(kind, match=told):
        release(record, permit)


def test_a_record_of_every_kind_is_borne_out_by_its_own_lines(tmp_path: Path):
    clock, chance = Clock(), random.Random(3)
    home = make_home(tmp_path, clock)
    with recording(home, clock) as record:
        for day in range(6):
            record.append([letter(chance, 20 * day + at) for at in range(20)])
            clock.advance(days=1)
        crowd = Entry(
            **(msgspec.structs.asdict(mail(7)) | {"addresses": tuple(f"{n}@x.example" for n in range(200))})
        )
        record.append([msgspec.structs.replace(crowd, addresses=(*crowd.addresses, PEOPLE[0]))])
        asked = query(
            windows=tuple(Window(person, 0, 2**41) for person in PEOPLE),
            streams=("mail-gateway", "mail-journal", "mail-import"),
        )
        for is_shielded in (False, True):
            changed = msgspec.structs.replace(asked, is_shielded=is_shielded)
            permit = permitted(record, changed, number=f"2026-00{1 + is_shielded}")
            expected = [item.idx for item in parse_selection(permit.selection)]
            assert len(expected) > 15
            view = room(record, permit)
            assert [item.idx for item in view.items()] == expected
            for item in view.items():
                if not item.is_bytes_only:
                    assert view.open(item.idx).content.startswith(b"From: ")
    check_record(home)


def test_bytes_of_a_copy_whose_key_was_destroyed_are_not_released(record: OpenRecord):
    permit = permitted(record)
    [holder] = [item.idx for item in parse_selection(permit.selection) if item.is_bytes_only]
    assert holder == index_of(record, 3)
    row = record.record.parts.catalogue.row(index_of(record, 5))
    record.record.parts.keeper.cover((row.retention, row.epoch)).puncture(row.position)
    assert holder not in {item.idx for item in release(record, permit)}
    assert room(record, permit).open_faces(index_of(record, 1))[0] == message(1)
