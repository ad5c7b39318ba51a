"""Files of people as the tests write them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from muniment.people.people_csv import COLUMNS

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 3, 9, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 6, 9, tzinfo=UTC)


def row(
    external_id: str,
    name: str = "",
    roles: str = "staff",
    line_manager: str = "",
    addresses: str = "",
    start: str = "",
    until: str = "",
) -> tuple[str, ...]:
    """Return the cells of one person, called by their id unless they have a name."""
    return (external_id, name or external_id.capitalize(), roles, line_manager, addresses, start, until)


def people_file(*rows: tuple[str, ...]) -> bytes:
    """Return a file of people with these rows."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *rows])
    return text.getvalue().encode()


MORGAN = row("morgan", roles="managing_director", addresses="morgan@training.example")
OLIVE = row(
    "olive",
    roles="office_manager; hr",
    line_manager="morgan",
    addresses="olive@training.example; office@training.example",
)
TOMAS = row("tomas", line_manager="olive", addresses="tomas@training.example")
STELLA = row("stella", roles="student", addresses="stella@training.example")
EVERYBODY = (MORGAN, OLIVE, TOMAS, STELLA)
