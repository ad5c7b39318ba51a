"""What a person is told of looks: counted from the record's looks, at five in the afternoon, after any order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.account.looked import due_ms, purpose_class, told_of
from muniment.permit.looked import Look, LookPlain
from muniment.permit.replay import Delay
from muniment.policy.purpose import PURPOSES

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


TEN = ms(2026, 11, 4, 10)
FIVE = ms(2026, 11, 4, 17)


def look(
    index: int, *entries: int, at_ms: int = TEN, act: str = "content", rung: str = "", role: str = "hr"
) -> Look:
    plain = LookPlain(
        format="muniment-look/1",
        permit="2026-001",
        revision=1,
        by="hana",
        role=role,
        act=act,
        rung=rung,
        entries=entries,
    )
    return Look(index, f"looks/{index}", at_ms, plain)


def delay(until_ms: int, ended_ms: int | None = None) -> Delay:
    return Delay(until_ms, "prejudice", "He would delete it.", "managing-director", TEN, ended_ms)


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (ms(2026, 11, 4, 10), ms(2026, 11, 4, 17)),
        (ms(2026, 11, 4, 17), ms(2026, 11, 4, 17)),
        (ms(2026, 11, 4, 17, 1), ms(2026, 11, 5, 17)),
        (ms(2026, 7, 1, 10), ms(2026, 7, 1, 16)),
        (ms(2026, 10, 24, 23, 30), ms(2026, 10, 25, 17)),
    ],
    ids=["morning", "at five", "after five", "in summer", "the night the clocks go back"],
)
def test_a_look_is_told_at_five_london_of_its_day_or_the_next(at: int, due: int) -> None:
    assert due_ms(at) == due


def test_nothing_is_told_before_five() -> None:
    assert told_of([look(9, 1)], None, [], FIVE - 1) is None
    assert told_of([look(9, 1)], None, [], FIVE) is not None


def test_an_entry_read_twice_counts_once_and_another_persons_not_at_all() -> None:
    told = told_of([look(9, 1), look(10, 1, 2), look(11, 7)], {1, 2}, [], FIVE)
    assert told is not None
    assert (told.entries, told.looks_below) == (2, 11)


def test_only_what_shows_content_counts() -> None:
    looks = [look(n, 1, act=act) for n, act in enumerate(["search", "envelope", "subject", "count", "pack"])]
    assert told_of([*looks, look(9, 1, act="climb", rung="content")], None, [], FIVE) is None
    assert told_of([look(9, 1, 2, act="search", rung="content")], None, [], FIVE) is not None
    assert told_of([look(9, 1, act="search", rung="subject")], None, [], FIVE) is None


def test_while_an_order_holds_nothing_is_told_and_afterwards_all_of_it_with_the_delay() -> None:
    order = delay(FIVE + 30 * DAY_MS)
    looks = [look(9, 1), look(10, 2, at_ms=TEN + DAY_MS)]
    assert told_of(looks, None, [order], FIVE + 29 * DAY_MS) is None
    told = told_of(looks, None, [order], order.until_ms)
    assert told is not None
    assert (told.entries, told.delayed_until_ms) == (2, order.until_ms)


def test_an_order_that_ended_early_delays_until_then_only() -> None:
    ended = FIVE + DAY_MS
    told = told_of([look(9, 1)], None, [delay(FIVE + 30 * DAY_MS, ended)], ended)
    assert told is not None and told.delayed_until_ms == ended


def test_an_order_that_was_over_before_the_look_is_not_mentioned() -> None:
    told = told_of([look(9, 1)], None, [delay(TEN - DAY_MS)], FIVE)
    assert told is not None and told.delayed_until_ms == 0


def test_every_purpose_has_a_class_and_no_class_names_a_case() -> None:
    assert {purpose_class(purpose.code) for purpose in PURPOSES} == {
        "answer",
        "systems",
        "conduct",
        "absence",
        "other",
        "order",
    }
    assert purpose_class("anything else") == "other"


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.lists(st.integers(0, 9), max_size=4), st.integers(0, 6 * DAY_MS)),
        max_size=12,
    ),
    st.sets(st.integers(0, 9)),
    st.integers(0, 9 * DAY_MS),
)
def test_what_is_told_is_what_was_shown_of_ones_own_and_due(
    seen: list[tuple[int, list[int], int]], mine: set[int], later: int
) -> None:
    looks = [look(index, *entries, at_ms=TEN + after) for index, entries, after in seen]
    due = [each for each in looks if due_ms(each.at_ms) <= TEN + later and mine & set(each.plain.entries)]
    told = told_of(looks, mine, [], TEN + later)
    if not due:
        assert told is None
    else:
        assert told is not None
        assert told.entries == len({entry for each in due for entry in each.plain.entries} & mine)
        assert told.looks_below == max(each.index for each in due) + 1
