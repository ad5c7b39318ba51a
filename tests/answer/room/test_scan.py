"""A scan finds its terms as whole words, however many they are; a room too large for an index offers it alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.answer import room_open
from muniment.answer.query import tokens_of
from muniment.answer.room_arguments import Search
from muniment.answer.room_open import RoomFiles, unlock
from muniment.answer.room_scan import RunningScan
from muniment.answer.room_search import search
from muniment.answer.scan import Terms
from muniment.policy.errors import BadInput, Conflict
from tests.answer.room.granting import append, grant, letter, mark, recorded


def test_terms_are_found_as_words_without_case_and_accents():
    terms = Terms(["Tomás", "wrong column", "art"])
    assert terms.find("TOMAS read the wrong\n  Column; partly") == [0, 1]
    assert terms.find("the column was wrong") == []
    assert terms.find("art.") == [2]


def test_a_long_list_finds_the_same_as_a_short_one():
    wanted = ["grievance", "two words"]
    many = Terms([*wanted, *(f"filler{number}" for number in range(5000))])
    text = "A grievance in two words and filler12."
    assert Terms(wanted).find(text) == [0, 1]
    assert many.find(text) == [0, 1, 14]


@given(
    st.lists(st.text("ab cé", min_size=1, max_size=6).filter(tokens_of), min_size=1, max_size=80),
    st.text("ab cé.", max_size=60),
)
def test_it_agrees_with_the_plain_meaning(terms, text):
    words = f" {' '.join(tokens_of(text))} "
    expected = [at for at, term in enumerate(terms) if f" {' '.join(tokens_of(term))} " in words]
    assert Terms(terms).find(text) == expected


@pytest.mark.parametrize("terms", [[], ["..."], ["x"] * 10_001, [" ".join("abcdefghij" * 4)]])
def test_lists_that_cannot_be_looked_for_are_refused(terms):
    with pytest.raises(BadInput):
        Terms(terms)


def test_a_room_too_large_for_an_index_is_scanned(tmp_path, monkeypatch):
    monkeypatch.setattr(room_open, "INDEX_MOST", 3)
    letters = [letter(n, f"Letter {n}", f"It names the {'heron' if n % 2 else 'swan'}.") for n in range(6)]
    broken = letter(7, "", "", content=b"\xff\xfe no header")
    with recorded(tmp_path, ()) as house:
        indexes = append(house.home, [*letters, broken])
        mark(house.home, indexes[1])
        granted = grant(house.home)
        room = unlock(RoomFiles.read(granted.place), granted.words)
        with pytest.raises(Conflict, match="marked"):
            room.require_settled()
        room.builder.settle()
        room.require_settled()
        assert room.is_scan_room
        assert room.not_searched() == []
        with pytest.raises(Conflict, match="scan"):
            search(room, Search(words="heron"))
        running = RunningScan(room, ["heron"])
        running.run()
        state = running.state()
        assert [hit.index for hit in state.hits] == [indexes[5], indexes[3]]
        assert (state.scanned, state.of, state.is_done) == (6, 6, True)
