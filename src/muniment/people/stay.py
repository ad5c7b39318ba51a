"""Whether somebody in the file is new, here, back again or gone, and from when until when. Pure.

What is recorded of the past is not moved by an import: a contradiction is a mistake, not a correction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from muniment.people.fact import Known
from muniment.people.mistake import Mistake
from muniment.people.moment import in_words
from muniment.people.people_csv import Row
from muniment.people.span import Span


class Standing(Enum):
    """How the register knows a person at the moment of the import."""

    NEW = auto()
    HERE = auto()
    BACK = auto()
    GONE = auto()


@dataclass(frozen=True)
class Stay:
    """The stay that holds after the import; what begins with the import begins at `begin`."""

    standing: Standing
    span: Span
    begin: datetime


def stay_of(row: Row, known: Known | None, moment: datetime) -> Stay | Mistake:
    """Return the stay a row states of a person the register knows as `known`."""
    if known is None:
        return _newly(row, Standing.NEW, moment)
    if not known.span.is_over_at(moment):
        return _here(row, known, moment)
    if row.end is not None and row.end <= moment:
        return _gone(row, known)
    return _back(row, known, moment)


def _newly(row: Row, standing: Standing, moment: datetime) -> Stay | Mistake:
    start = row.start or moment
    if row.end is not None and row.end <= start:
        return _mistake(row, "until", row.end, f"which is not after {in_words(start)}", "Mend from or until.")
    return Stay(standing, Span(start, row.end), start)


def _here(row: Row, known: Known, moment: datetime) -> Stay | Mistake:
    start = known.span.start
    if row.start not in (None, start):
        return _moved(row, "from", row.start, start)
    if row.end is not None and row.end <= start:
        return _mistake(row, "until", row.end, f"which is not after {in_words(start)}", "Mend until.")
    return Stay(Standing.HERE, Span(start, row.end), max(start, moment))


def _gone(row: Row, known: Known) -> Stay | Mistake:
    if row.start not in (None, known.span.start):
        return _moved(row, "from", row.start, known.span.start)
    if row.end != known.span.end:
        return _moved(row, "until", row.end, known.span.end)
    return Stay(Standing.GONE, known.span, known.span.start)


def _back(row: Row, known: Known, moment: datetime) -> Stay | Mistake:
    left = known.span.end
    if row.start is not None and left is not None and row.start < left:
        mend = "Write the day they came back, or leave from empty."
        return _mistake(row, "from", row.start, f"which is before they left on {in_words(left)}", mend)
    return _newly(row, Standing.BACK, moment)


def _moved(row: Row, column: str, found: datetime | None, recorded: datetime | None) -> Mistake:
    there = in_words(recorded) if recorded else "open"
    mend = f"An import does not move the past: leave {column} empty or as recorded."
    return _mistake(row, column, found, f"but {there} is recorded", mend)


def _mistake(row: Row, column: str, found: datetime | None, wrong: str, mend: str) -> Mistake:
    return Mistake(row.number, column, in_words(found) if found else "", wrong, mend)
