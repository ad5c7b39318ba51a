"""A file of people: what is read from good bytes, and what is said of bad ones."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from muniment.people.people_csv import COLUMNS, MOST_BYTES, MOST_ROWS, Row, read
from muniment.people.plan import make_plan
from muniment.people.role import Role, parse_role
from muniment.policy.errors import BadInput

from .files import EVERYBODY, MONDAY, people_file, row

HEADING = ",".join(COLUMNS)


def rows_of(data: bytes, *, example: bool = True) -> list[Row]:
    rows, mistakes = read(data, example=example)
    assert mistakes == []
    return rows


def mistakes_of(data: bytes, *, example: bool = True) -> list[str]:
    _, mistakes = read(data, example=example)
    return [str(mistake) for mistake in mistakes]


def said(data: bytes) -> str:
    with pytest.raises(BadInput) as error:
        read(data, example=True)
    return str(error.value)


def test_a_row_is_read_into_values() -> None:
    data = people_file(
        row(
            "t-1",
            " Tomás Tutor ",
            "Staff; IT Support;staff",
            "olive",
            "Tomas@Training.Example; t@training.example",
            "2026-07-01",
            "2026-12-31T17:00+00:00",
        )
    )
    assert rows_of(data) == [
        Row(
            number=2,
            external_id="t-1",
            name="Tomás Tutor",
            roles=("it_support", "staff"),
            line_manager="olive",
            addresses=("t@training.example", "tomas@training.example"),
            start=datetime(2026, 6, 30, 23, tzinfo=UTC),
            end=datetime(2026, 12, 31, 17, tzinfo=UTC),
        )
    ]


def test_a_spreadsheets_file_reads_as_ours() -> None:
    plain = people_file(*EVERYBODY)
    rows = rows_of(plain)
    assert len(rows) == 4
    assert rows_of(b"\xef\xbb\xbf" + plain) == rows
    assert rows_of(plain.replace(b"\r\n", b"\n")) == rows
    assert rows_of(plain.replace(b"external_id,name", b"External ID, Name ", 1)) == rows


def test_columns_may_stand_in_any_order_and_empty_rows_are_passed_over() -> None:
    data = (
        b"name,until,external_id,from,roles,addresses,line_manager\r\n,,,,,,\r\n\r\n"
        b"Tomas,,tomas,,staff,tomas@training.example,\r\n"
    )
    [found] = rows_of(data)
    assert (found.number, found.external_id, found.addresses) == (4, "tomas", ("tomas@training.example",))


def test_a_line_break_in_quotes_counts_as_one_row_and_is_a_mistake() -> None:
    [mistake] = mistakes_of(people_file(row("a", name="Two\nlines"), row("b")))
    assert mistake.startswith("row 2, column name: found 'Two\\nlines', which has a line break")


def test_formulas_are_taken_as_written() -> None:
    [found] = rows_of(people_file(row("=1+1", name="@SUM(A1)")))
    assert (found.external_id, found.name) == ("=1+1", "@SUM(A1)")


@pytest.mark.parametrize("written", ["Line Manager", "line-manager", "LINE_MANAGER", "  line   manager "])
def test_a_role_may_be_written_as_people_write(written: str) -> None:
    assert parse_role(written) is Role.LINE_MANAGER


def test_every_role_is_read_back_from_its_label() -> None:
    assert [parse_role(role.label) for role in Role] == list(Role)
    assert (Role.HR.label, Role.IT_SUPPORT.label, Role.STAFF.label) == ("HR", "IT support", "Staff")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (row("", name="A"), "row 2, column external_id: found nothing, expected some text"),
        (row("a" * 101), "column external_id: found “" + "a" * 60 + "…”, expected at most 100 characters"),
        (row("a", name="b" * 201), "column name: found “"),
        (row("a", name="te\u202exe"), "column name: found 'te\\u202exe', which has a line break, a tab or"),
        (row("a", roles="wizard"), "column roles: found “wizard”, which is not a role"),
        (row("a", roles=" ; "), "column roles: found “;”, expected at least one role"),
        (row("a", line_manager="a"), "column line_manager: found “a”, which is the person themselves"),
        (row("a", addresses="nobody"), "column addresses: found “nobody”, which is not a mail address"),
        (row("a", addresses="a b@training.example"), "which is not a mail address"),
        (row("a", addresses="a@bank.co.uk"), "found “a@bank.co.uk”, which could be somebody's real address"),
        (row("a", start="1 July"), "column from: found “1 July”, which is not a day"),
        (row("a", start="2026-02-30"), "column from: found “2026-02-30”, which is not a day"),
        (row("a", until="2026-07-01T09:00"), "column until: found “2026-07-01T09:00”, which is not a day"),
        (row("a", until="1066-10-14"), "column until: found “1066-10-14”, expected a year from 1900 to 2199"),
        (("a", "b"), "column all: found “2 cells”, expected 7 cells, one a column"),
    ],
)
def test_a_mistake_in_a_cell_names_row_column_and_mend(cells: tuple[str, ...], expected: str) -> None:
    [mistake] = mistakes_of(people_file(cells))
    assert expected in mistake
    assert mistake.startswith("row 2, ")
    assert mistake.endswith(".")


def test_a_real_organisation_may_have_real_addresses() -> None:
    assert rows_of(people_file(row("a", addresses="a@bank.co.uk")), example=False)[0].addresses == (
        "a@bank.co.uk",
    )


def test_all_mistakes_come_at_once() -> None:
    mistakes = mistakes_of(
        people_file(row("", name="A", roles="x"), row("fine"), row("b", addresses="y", until="z"))
    )
    assert [mistake.partition(":")[0] for mistake in mistakes] == [
        "row 2, column external_id",
        "row 2, column roles",
        "row 4, column addresses",
        "row 4, column until",
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "the file is empty"),
        (b"\xff\xfen\0", "the file is UTF-16, expected UTF-8"),
        (HEADING.encode() + b"\nJos\xe9,,,,,,\n", "line 2 is not UTF-8 text"),
        (HEADING.encode() + b"\n\0,,,,,,\n", "the file holds NUL bytes"),
        (HEADING.encode() + b'\n"a,,,,,,\n', "is not CSV"),
        (HEADING.encode() + b"\n" + b"a" * 200_000, "line 2 is not CSV"),
        (HEADING.replace(",", ";").encode(), "the cells are not parted by commas"),
        (HEADING.replace("roles", "rolls").encode(), "row 1: found “rolls”, expected the columns"),
        ((HEADING + ",name").encode(), "column name stands twice"),
        (HEADING.removesuffix(",until").encode(), "column until is missing"),
        (b"a" * (MOST_BYTES + 1), "the file has 33,554,433 bytes, expected at most 33,554,432"),
        (HEADING.encode() + b"\n" * (MOST_ROWS + 1), f"the file has more than {MOST_ROWS} rows"),
    ],
)
def test_bytes_that_are_no_file_of_people_are_refused_with_the_way_out(data: bytes, expected: str) -> None:
    assert expected in said(data)


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda data: HEADING.encode() + b"\n" + data))
@example(b"\xef\xbb\xbf")
def test_hostile_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    try:
        rows, mistakes = read(data, example=True)
    except BadInput as error:
        assert str(error)
    else:
        assert isinstance(rows, list) and isinstance(mistakes, list)


CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "", "a", "b", "staff", "staff; hr", "a@b.example", "a@B.example; c@d.example", "x@\u00fc.example",
            "x@" + "a" * 70 + ".example", "2026-11-01", "2026-11-01T00:00+14:00", "0001-01-01",
            "9999-12-31T23:59-14:00",
        ]
    ),
)  # fmt: skip


@given(st.lists(st.lists(CELL, min_size=7, max_size=7).map(tuple), max_size=5))
def test_hostile_cells_become_mistakes_or_values_a_plan_can_be_made_of(cells: list[tuple[str, ...]]) -> None:
    data = people_file(*cells).replace(b"\0", b"")
    try:
        rows, mistakes = read(data, example=True)
    except BadInput as error:
        assert "CSV" in str(error)
        return
    written = {
        number for number, each in enumerate(_records(data), 1) if number > 1 and any(map(str.strip, each))
    }
    assert {found.number for found in rows} | {mistake.row for mistake in mistakes} == written
    assert {found.number for found in rows}.isdisjoint(mistake.row for mistake in mistakes)
    plan = make_plan(rows, {}, MONDAY, complete=True)
    assert plan.mistakes or len(plan.added) == len(rows)


def _records(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))
