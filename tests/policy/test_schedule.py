"""Retention terms end on the day the law and the calendar say."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.schedule import CLASSES, Term
from muniment.record.entry import Retention

FIVE_YEARS = Term(years=5, reason="r")
OURS = [
    ("2020-02-29", "2025-03-01"),
    ("2026-11-01", "2031-11-01"),
    ("2023-02-28", "2028-02-28"),
    ("2019-12-31", "2024-12-31"),
]


def shared_vectors() -> list[tuple[str, str]]:
    """The published retention rows of the clock vectors, where the checkout has them beside it."""
    path = Path(__file__).resolve().parents[2].parent / "shared" / "vectors" / "clock_vectors.csv"
    if not path.exists():
        return []
    with path.open(newline="") as lines:
        rows = csv.DictReader(lines)
        return [(row["received"], row["due"]) for row in rows if row["kind"] == "RETENTION_5Y"]


@pytest.mark.parametrize(("captured", "expires"), OURS + shared_vectors())
def test_five_years_end_on_the_same_day_or_the_first_of_march(captured: str, expires: str) -> None:
    assert FIVE_YEARS.expiry_day(date.fromisoformat(captured)) == date.fromisoformat(expires)


def test_ninety_days_are_counted_as_days() -> None:
    assert Term(days=90, reason="r").expiry_day(date(2026, 1, 1)) == date(2026, 4, 1)


def test_nought_years_means_as_long_as_the_record_lives() -> None:
    lasting = Term(years=0, reason="r")
    assert lasting.expiry_day(date(2026, 1, 1)) is None
    assert lasting.words == "as long as the record lives"


@pytest.mark.parametrize(("term", "words"), [(FIVE_YEARS, "5 years"), (Term(days=1, reason="r"), "1 day")])
def test_a_term_is_said_in_words(term: Term, words: str) -> None:
    assert term.words == words


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)), st.integers(1, 100))
def test_a_term_of_years_never_ends_early(captured: date, years: int) -> None:
    expires = Term(years=years, reason="r").expiry_day(captured)
    assert expires is not None
    leap_day = (captured.month, captured.day) == (2, 29)
    assert expires.year == captured.year + years
    assert (expires.month, expires.day) == (captured.month, captured.day) or (
        leap_day and (expires.month, expires.day) == (3, 1)
    )


def test_the_schedule_has_a_row_for_each_class_of_the_record() -> None:
    assert set(CLASSES) == {retention.name.lower() for retention in Retention}
