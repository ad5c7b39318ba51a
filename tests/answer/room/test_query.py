"""What a person writes is understood as the page of the room's socket says, or the message says what was not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.answer.query import FIELDS, WORD, Sought, fold, parse, pattern_of, tokens_of, words_of
from muniment.policy.errors import BadInput


def read(words: str, field: str = "any"):
    return parse(words, field, tokens_of)


def tokens(words: str) -> list[list[tuple[str, ...]]]:
    return [[choice.tokens for choice in part.choices] for part in read(words)]


def test_plain_words_are_all_sought():
    assert tokens("grievance  Meeting") == [[("grievance",)], [("meeting",)]]


def test_a_phrase_an_address_and_a_hyphen_stand_side_by_side():
    assert tokens('"the Meeting room"') == [[("the", "meeting", "room")]]
    assert tokens("tomas@training.example") == [[("tomas", "training", "example")]]
    assert tokens("e-mail") == [[("e", "mail")]]


def test_or_binds_closer_than_the_rest():
    assert tokens("a1 OR b1 c1 OR d1 OR e1") == [[("a1",), ("b1",)], [("c1",), ("d1",), ("e1",)]]


def test_a_minus_and_not_are_the_same():
    assert read("-draft") == read("NOT draft")
    assert read("-draft")[0].is_unwanted
    assert not read("well-drafted")[0].is_unwanted


def test_near_prefix_and_fields():
    assert read('"red door"~5')[0].choices[0].near == 5
    [part] = read("subject:investigat*")
    assert part.choices[0] == Sought(("investigat",), ("subject",), is_prefix=True)
    assert read("word", "body")[0].choices[0].fields == ("body",)
    assert read("word")[0].choices[0].fields == FIELDS


def test_small_letters_and_other_colons_are_words():
    assert tokens("cats or dogs") == [[("cats",)], [("or",)], [("dogs",)]]
    assert tokens("re:grievance http://x.example/") == [[("re", "grievance")], [("http", "x", "example")]]


def test_punctuation_alone_is_passed_over():
    assert tokens("budget & plans -") == [[("budget",)], [("plans",)]]
    assert read("  ") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('"not closed', "quotation mark"),
        ("a OR", "nothing follows OR"),
        ("OR a", "without a word before"),
        ("a OR OR b", "without a word before"),
        ("NOT", "nothing follows NOT"),
        ("a OR -b", "not wanted"),
        ("wo*rd", "end of a word"),
        ("w*", "two letters"),
        ("e-mail*", "single word"),
        ('"a wor*"', "within quotation marks"),
        ('""', "no word between"),
        ('"one"~3', "two or three words"),
        ('"a b c d"~3', "two or three words"),
        ('"a b"~999', "two or three words"),
        ('re:"a b"', "no field 're'"),
        ("x " * 1001, "characters"),
        ("x " * 60, "50 parts"),
    ],
)
def test_what_is_not_understood_is_said(words, said):
    with pytest.raises(BadInput, match=said):
        read(words)


def test_an_unknown_field_is_refused():
    with pytest.raises(BadInput, match="no field"):
        read("a", "bcc")


_PIECES = st.sampled_from(
    [
        '"',
        "~5",
        "OR",
        "NOT",
        "AND",
        "-",
        "*",
        ":",
        "subject:",
        "from:",
        " ",
        "wörd",
        "a",
        "b1",
        "(",
        "\0",
        "\ud800",
        "ß",
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=40).map("".join)))
def test_whatever_is_written_is_understood_or_bad_input(words):
    try:
        parts = read(words)
    except BadInput:
        return
    assert all(choice.tokens for part in parts for choice in part.choices)
    pattern_of(parts)


@given(st.text(max_size=200))
def test_folding_keeps_every_place(text):
    assert len(fold(text)) == len(text)


def test_accents_and_case_are_put_aside():
    assert tokens_of("Tomás SAID: Ångström!") == ["tomas", "said", "angstrom"]


def test_the_pattern_finds_what_was_sought_and_not_what_was_not_wanted():
    pattern = pattern_of(read("grievan* -draft meeting"))
    assert [found.group() for found in pattern.finditer("grievances, a draft, meetings, meeting")] == [
        "grievances",
        "meeting",
    ]


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=80))
def test_the_fast_way_to_words_is_the_same(text):
    assert words_of(text) == WORD.findall(text)
