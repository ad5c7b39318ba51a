"""What is typed into a room's forms: read once, what is wrong said at its field."""

from __future__ import annotations

from datetime import date

import pytest

from tests.people.database import set_up

set_up()

from muniment.answer.forms import NoteForm, PackForm, ScanForm, SearchForm, UnlockForm  # noqa: E402


def test_a_search_becomes_an_enquiry() -> None:
    form = SearchForm(
        {"words": "a", "since": "2026-09-07", "field": "subject", "reason": "Who asked", "fold": "on"}
    )
    assert form.is_valid(), form.errors
    found = form.enquiry()
    assert (found.words, found.since, found.field, found.fold, found.clears) == (
        "a",
        date(2026, 9, 7),
        "subject",
        True,
        False,
    )


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"reason": ""}, "reason", "before anything is shown"),
        ({"reason": "who", "since": "yesterday"}, "since", "for instance"),
        ({"reason": "who", "since": "2026-09-20", "until": "2026-09-10"}, "until", "earlier day first"),
        ({"reason": "who", "field": "password"}, "field", "valid"),
        ({"reason": "who", "words": "x" * 501}, "words", "500"),
        ({"reason": "x" * 501}, "reason", "500"),
    ],
)
def test_what_is_wrong_with_a_search_is_said_at_its_field(
    typed: dict[str, str], field: str, said: str
) -> None:
    form = SearchForm(typed)
    assert not form.is_valid()
    assert said in form.errors[field][0]


def test_tags_are_each_once_with_the_bearing_and_the_pack_before_them() -> None:
    form = NoteForm({"bearing": "away", "tags": " marks,  unit  4 ,away,,pack", "chosen": "on"})
    assert form.is_valid()
    assert form.all_tags() == ["away", "pack", "marks", "unit 4"]


@pytest.mark.parametrize("key", ["", "age1qyqszqgpqyqszqgp", "ssh-ed25519 AAAA someone"])
def test_a_pack_takes_an_age_or_ssh_key_or_none(key: str) -> None:
    assert PackForm({"title": "t", "recipient": "r", "reason": "why", "age_recipient": key}).is_valid()


@pytest.mark.parametrize("key", ["AGE-SECRET-KEY-1QQ", "-----BEGIN PGP", "someone@out.example"])
def test_a_pack_refuses_what_is_no_public_key(key: str) -> None:
    form = PackForm({"title": "t", "recipient": "r", "reason": "why", "age_recipient": key})
    assert not form.is_valid()
    assert "age1" in form.errors["age_recipient"][0]


def test_terms_are_lines_each_once() -> None:
    form = ScanForm({"terms": " Tomás  Tutor\n\nTomás Tutor\r\nUnit 4", "reason": "what names him"})
    assert form.is_valid()
    assert form.cleaned_data["terms"] == ["Tomás Tutor", "Unit 4"]
    assert not ScanForm({"terms": "\n \n", "reason": "why"}).is_valid()
    assert not ScanForm({"terms": "\n".join(map(str, range(501))), "reason": "why"}).is_valid()


def test_the_words_of_a_room_are_asked_for() -> None:
    assert "six words" in UnlockForm({"words": " "}).errors["words"][0]
