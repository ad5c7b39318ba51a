"""A permit in words: whose, when, how many, and nothing that a text typed by somebody could hide."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from muniment.people.moment import LONDON
from muniment.permit import words
from muniment.permit.purposes import ALLOWANCES
from muniment.permit.state import State
from muniment.policy.purpose import PURPOSES
from muniment.record.permit_text import PermitRequest, PermitWindow, Subject
from tests.permit.vectors import request

ASKED = request()


def changed(**members: object) -> PermitRequest:
    return msgspec.structs.replace(ASKED, **members)


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=LONDON).timestamp() * 1000)  # type: ignore[misc, arg-type]


def test_the_last_day_is_the_one_before_the_end() -> None:
    month = changed(from_ms=ms(2026, 9, 1), until_ms=ms(2026, 10, 1))
    assert words.period(month) == "1 September 2026 to 30 September 2026"
    assert words.period(changed(from_ms=ms(2026, 9, 1), until_ms=ms(2026, 9, 2))) == "1 September 2026"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "the mail of Tomás Tutor"),
        ({"depth": "envelope"}, "the envelopes of the mail of Tomás Tutor"),
        ({"kind": "shielded"}, "what is marked private in the mail of Tomás Tutor"),
        ({"kind": "exemption", "sites": ("a.example", "b.example")}, "a.example and b.example"),
        ({"subjects": (), "windows": ()}, "the mail of nobody"),
    ],
)
def test_what_is_asked_for(members: dict[str, object], said: str) -> None:
    assert words.what(changed(**members)) == said


def test_addresses_that_nobody_holds_are_named_after_the_people() -> None:
    windows = tuple(
        PermitWindow(address=address, start_ms=0, end_ms=None, person=person)
        for address, person in (("tomas@training.example", "t"), ("old@training.example", ""))
    )
    subjects = (Subject(id="t", name="Tomás Tutor"), Subject(id="s", name="Stella Student"))
    asked = changed(windows=windows, subjects=subjects)
    assert words.whose(asked) == "Tomás Tutor, Stella Student and old@training.example"


def test_who_asks_hears_bands() -> None:
    asked = changed(entries=1_234, shielded=3)
    assert words.counts(asked, exactly=True) == ("1,234", "3")
    assert words.counts(asked, exactly=False) == ("1,000–4,999", "1–9")


def test_how_long_it_waits() -> None:
    now = ms(2026, 11, 25, 9, 20)
    assert words.waiting(ms(2026, 11, 25, 8, 41), now) == "New, 8.41 am"
    assert words.waiting(ms(2026, 11, 20, 17, 0), now) == "Waiting since Friday"
    assert words.waiting(ms(2026, 11, 2, 9, 0), now) == "Waiting since 2 Nov"


def test_every_purpose_and_state_has_words() -> None:
    codes = {purpose.code for purpose in PURPOSES}
    assert set(words.PURPOSE_WORDS) == codes == set(ALLOWANCES)
    assert len(words.purpose_choices(tuple(codes))) == len(PURPOSES)
    assert all(each.cited.title and each.allows for each in words.purpose_choices(tuple(codes)))
    assert all(words.state_words(state)[0] for state in State)


def test_a_clause_that_is_not_known_is_cited_by_its_number() -> None:
    assert words.cite("R-5.3-i").number == "5.3"
    unknown = "-".join(("R", "9.9", "z"))
    assert words.cite(unknown) == words.Cited(unknown, "9.9-z", "", "")


def test_what_could_turn_the_writing_round_is_shown_as_a_question_mark() -> None:
    assert words.plain("a\u202eb\r\nc\x07") == "a?b\nc?"
