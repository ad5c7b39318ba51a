"""Whoever asks hears how many only roughly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.permit.band import band


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0"),
        (1, "1-9"),
        (9, "1-9"),
        (10, "10-49"),
        (49, "10-49"),
        (50, "50-199"),
        (199, "50-199"),
        (200, "200-999"),
        (999, "200-999"),
        (1000, "1,000-4,999"),
        (4999, "1,000-4,999"),
        (5000, "5,000 or more"),
        (2_000_000, "5,000 or more"),
    ],
)
def test_a_count_is_told_as_its_band(count: int, told: str) -> None:
    assert band(count) == told


@given(st.integers(0, 3_000_000))
def test_a_band_is_one_of_seven_and_holds_its_count(count: int) -> None:
    told = band(count).replace(",", "")
    low, _, high = told.removesuffix(" or more").partition("-")
    assert int(low) <= count <= (int(high) if high else max(count, 0) if "or more" in told else 0)
