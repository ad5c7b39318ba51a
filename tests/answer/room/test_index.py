"""The index finds what the words mean, newest first; what is added is found after a commit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from muniment.answer.index import Indexed, RoomIndex, Wanted, week_of
from muniment.answer.query import parse
from muniment.policy.errors import BadInput

TOMAS, STELLA, OLIVE = "tomas@training.example", "stella@outside.example", "olive@training.example"
LETTERS = [
    Indexed(0, 1000, "Grievance", f"Tomás <{TOMAS}>", STELLA, [TOMAS], "the red old door"),
    Indexed(1, 2000, "Re: Grievance", STELLA, TOMAS, [STELLA], "the door, so very old, is red"),
    Indexed(
        2, 3000, "Rota", TOMAS, "all@training.example", [TOMAS], "investigators do", "annex with a zebra"
    ),
    Indexed(3, 3000, "Lunch", OLIVE, TOMAS, [OLIVE], "Soup of the day: Crème fraîche"),
]


@pytest.fixture(scope="module")
def index() -> RoomIndex:
    found = RoomIndex()
    for letter in LETTERS:
        found.add(letter)
    found.commit()
    return found


def places(index: RoomIndex, words: str, field: str = "any", **wanted: object) -> list[int]:
    query = index.compile(parse(words, field, index.tokens), Wanted(**wanted))
    count, found = index.newest(query, 0, 50)
    assert min(count, 50) == len(found)
    return found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("grievance", {0, 1}),
        ("grievance door", {0, 1}),
        ('"red old"', {0}),
        ('"old red"', set()),
        ('"old red"~3', {0, 1}),
        ('"red door"~1', {0}),
        ('"door red"~4', {0, 1}),
        ('"door red"~3', {0}),
        ("rota OR lunch", {2, 3}),
        ("-door", {2, 3}),
        ("grievance -re", {0}),
        ("investigat*", {2}),
        ("zebra investigators", {2}),
        ("attachment:zebra", {2}),
        ("body:zebra", set()),
        ("subject:lunch", {3}),
        ("from:olive", {3}),
        ("creme fraiche", {3}),
        ("CRÈME", {3}),
        ("tomas@training.example", {0, 1, 2, 3}),
        ("nowhere", set()),
        ("", {0, 1, 2, 3}),
    ],
)
def test_words_find(index, words, expected):
    assert set(places(index, words)) == expected


def test_the_newest_come_first(index):
    assert places(index, "")[2:] == [1, 0]


def test_filters_narrow(index):
    assert places(index, "", from_ms=2000)[-1] == 1
    assert places(index, "", from_ms=1000, until_ms=2000) == [0]
    assert places(index, "", who=["stella@outside.example"]) == [1]
    assert places(index, "", places=[0, 3]) == [3, 0]
    assert places(index, "", places=[]) == []


def test_weeks_begin_on_monday():
    assert week_of(1_793_534_400_000) == 1_792_972_800_000  # 1 November 2026 was a Sunday
    assert week_of(0) == -3 * 86_400_000


def test_weeks_are_counted(index):
    query = index.compile(parse("", "any", index.tokens), Wanted())
    assert [(week.start_ms, week.count) for week in index.by_week(query)] == [(-3 * 86_400_000, 4)]


def test_an_entry_is_replaced_and_removed():
    index = RoomIndex()
    index.add(LETTERS[0])
    index.commit()
    index.remove(0)
    index.add(LETTERS[0]._replace(attachment="giraffe"))
    index.finish()
    assert places(index, "giraffe red") == [0]
    index.remove(0)
    index.commit()
    assert places(index, "") == []


def test_a_word_longer_than_the_index_keeps_is_said_to_be(index):
    assert places(index, "x" * 39) == []
    with pytest.raises(BadInput, match="not indexed"):
        places(index, "x" * 40)


def test_it_is_searched_while_it_grows():
    index = RoomIndex()

    def grow() -> None:
        for number in range(2000):
            index.add(Indexed(number, number, f"number {number}", "a", "b", [], "common words"))
            if number % 200 == 0:
                index.commit()
        index.finish()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(grow)
        seen = [0]
        while not done.done():
            seen.append(len(places(index, "common")) and index.size())
        done.result()
    assert seen == sorted(seen)
    assert index.size() == 2000
