"""Reads a CSV file of people: bytes in, rows and mistakes out. Format: docs/formats/people-csv.md. Pure.

Every cell is text: what a spreadsheet would calculate (`=…`, `+…`, `@…`) is taken as written and never calculated.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from muniment.people.cells import Cells
from muniment.people.mistake import Mistake, shown
from muniment.policy.errors import BadInput

COLUMNS = ("external_id", "name", "roles", "line_manager", "addresses", "from", "until")
MOST_BYTES = 32 << 20
MOST_ROWS = 100_000
_SAVE_AS = 'Save it as "CSV UTF-8 (comma delimited)".'


@dataclass(frozen=True)
class Row:
    """One person as the file states them; values are folded, moments aware."""

    number: int
    external_id: str
    name: str
    roles: tuple[str, ...]
    line_manager: str
    addresses: tuple[str, ...]
    start: datetime | None
    end: datetime | None


def read(data: bytes, *, example: bool) -> tuple[list[Row], list[Mistake]]:
    """Return the rows of a file, and each mistake in a cell; `example` allows reserved domains only.

    Raises: BadInput, and nothing else, when the bytes are no such file.
    """
    records = _records(_text(data))
    heading = next(records, None)
    if heading is None:
        raise BadInput(f"the file is empty; expected a first row with {', '.join(COLUMNS)}")
    places = _places(heading)
    rows: list[Row] = []
    mistakes: list[Mistake] = []
    for number, record in enumerate(records, start=2):
        if number > MOST_ROWS:
            raise BadInput(f"the file has more than {MOST_ROWS} rows; split it")
        if any(cell.strip() for cell in record):
            row, wrong = _row(number, record, places, example=example)
            mistakes += wrong
            rows += [row] if row else []
    return rows, mistakes


def _text(data: bytes) -> str:
    """Return the file as text without a byte order mark."""
    if len(data) > MOST_BYTES:
        raise BadInput(
            f"the file has {len(data):,} bytes, expected at most {MOST_BYTES:,}; is it the right one?"
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput(f"the file is UTF-16, expected UTF-8. {_SAVE_AS}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"line {line} is not UTF-8 text. {_SAVE_AS}") from error
    if "\0" in text:
        raise BadInput(f"the file holds NUL bytes, so it is not a CSV file. {_SAVE_AS}")
    return text


def _records(text: str) -> Iterator[list[str]]:
    """Yield the records of the file, cells unchanged."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise BadInput(f"line {reader.line_num} is not CSV: {error}. Mend its quotation marks.") from error


def _places(heading: list[str]) -> dict[str, int]:
    """Return where each column stands."""
    names = [cell.strip().casefold().replace(" ", "_") for cell in heading]
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise BadInput(f"the cells are not parted by commas. {_SAVE_AS}")
    for name in names:
        if name not in COLUMNS:
            raise BadInput(
                f"row 1: found {shown(name)}, expected the columns {', '.join(COLUMNS)}. Rename it."
            )
        if names.count(name) > 1:
            raise BadInput(f"row 1: column {name} stands twice. Take one out.")
    for name in COLUMNS:
        if name not in names:
            raise BadInput(
                f"row 1: column {name} is missing. Add it; its cells may be empty where nothing applies."
            )
    return {name: names.index(name) for name in COLUMNS}


def _row(
    number: int, record: list[str], places: dict[str, int], *, example: bool
) -> tuple[Row | None, list[Mistake]]:
    """Return one person, or None with the mistakes that keep the row from being one."""
    if len(record) != len(places):
        wrong = f"expected {len(places)} cells, one a column"
        mend = "Put quotation marks around a cell that holds a comma."
        return None, [Mistake(number, "all", f"{len(record)} cells", wrong, mend)]
    cells = Cells(number, {name: record[place].strip() for name, place in places.items()})
    row = Row(
        number=number,
        external_id=cells.line("external_id", longest=100),
        name=cells.line("name", longest=200),
        roles=cells.roles(),
        line_manager=cells.line("line_manager", longest=100, required=False),
        addresses=cells.addresses(example=example),
        start=cells.moment("from"),
        end=cells.moment("until"),
    )
    if row.line_manager and row.line_manager == row.external_id:
        cells.wrong("line_manager", "which is the person themselves", "Name the person they answer to.")
    return (None, cells.mistakes) if cells.mistakes else (row, [])
