"""Init asks twelve questions at most, says why each, and takes no answer that would make a bad policy file."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.cli import draft, questions, sheets
from muniment.cli.questions import QUESTIONS
from muniment.policy.errors import BadInput, Missing
from muniment.policy.policyfile import parse
from tests.cli.answers import ANSWERS, answers_file
from tests.organisation import public_key_base64, signing_key_base64

TODAY = date(2026, 11, 24)


def accept(answers: Mapping[str, str]) -> None:
    questions.check(answers, TODAY, example=False)


def ask(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Answer with lines; return the answers and everything that was said."""
    said: list[str] = []
    typed = iter(lines)
    return questions.ask(TODAY, said.append, lambda: next(typed) + "\n", accept), said


def typed(**changes: str | list[str]) -> list[str]:
    """Return the lines of a person who answers well, but for `changes`."""
    lines: list[str] = []
    for key, value in ANSWERS.items():
        change = changes.get(key, value)
        lines += change if isinstance(change, list) else [change]
    return lines


def test_there_are_at_most_twelve_questions():
    assert len(QUESTIONS) <= questions.MOST == 12
    assert [question.key for question in QUESTIONS] == list(ANSWERS)


def test_each_question_is_asked_once_and_says_why_with_its_clause():
    answers, said = ask(typed())
    assert answers == ANSWERS
    assert len(said) == 1 + len(QUESTIONS)
    assert all("clause" in question.why for question in QUESTIONS)


def test_every_line_of_a_question_fits_a_terminal():
    _, said = ask(typed())
    assert all(len(line) <= 76 for text in said for line in text.split("\n"))


@pytest.mark.parametrize(
    ("key", "wrong", "told"),
    [
        ("name", "", "needs an answer"),
        ("company_number", "123", "expected eight digits"),
        ("part_of_uk", "Scotland", "Correct whichever of the two is wrong"),
        ("registered_office", "1 Street", "has no postcode"),
        ("domains", "not_a_domain", "is not a domain name"),
        ("managing_director", "Morgan", "expected a name and an address"),
        ("managing_director", "-", "expected a name and an address"),
        ("office_manager", "Olive <olive>", "expected a name and an address"),
        ("alternate", "-", "has no alternate"),
        ("outbound_hop", "smtp.provider.example", "is not host:port"),
        ("review_due", "soon", "expected a day"),
        ("review_due", "2020-01-01", "is not after policy.revised"),
        ("anchor_dir", "usb/anchor", "is not an absolute path"),
    ],
)
def test_a_wrong_answer_is_told_and_asked_again(key: str, wrong: str, told: str):
    answers, said = ask(typed(**{key: [wrong, ANSWERS[key]]}))
    assert answers == ANSWERS
    assert len(said) == 1 + len(QUESTIONS) + 2  # what was wrong, and the question again
    assert any(told in text for text in said)


def test_an_empty_line_takes_the_default():
    answers, said = ask(typed(part_of_uk="", outbound_hop="", review_due=""))
    assert answers["part_of_uk"] == "England and Wales"
    assert answers["outbound_hop"] == ""
    assert answers["review_due"] == "2027-11-24"
    assert any("[2027-11-24]" in text for text in said)


def test_the_part_of_the_uk_follows_from_the_number():
    answers, _ = ask(typed(company_number="SC123456", part_of_uk=""))
    assert answers["part_of_uk"] == "Scotland"


def test_one_can_go_back():
    answers, _ = ask(["Wrong Ltd", "<", *typed()])
    assert answers == ANSWERS


def test_going_back_from_the_first_question_stays_there():
    assert ask(["<", "<", *typed()])[0] == ANSWERS


def test_an_ended_input_says_at_which_question():
    lines = iter([f"{ANSWERS['name']}\n", ""])
    with pytest.raises(BadInput, match="question 2"):
        questions.ask(TODAY, lambda text: None, lambda: next(lines), accept)


def test_there_may_be_no_office_manager_and_three_alternates():
    several = "Chris <c@chair.example>; Kim <k@chair.example>; Ali <a@chair.example>"
    answers, _ = ask(typed(office_manager="-", alternate=several))
    named = draft.named_officers(answers)
    assert [officer.id for officer in named] == [
        "managing-director",
        "alternate",
        "alternate-2",
        "alternate-3",
    ]


@given(st.text(max_size=60), st.sampled_from([question.key for question in QUESTIONS]))
def test_any_answer_holds_or_is_bad_input(text: str, key: str):
    try:
        questions.check({**ANSWERS, key: text}, TODAY, example=False)
    except BadInput:
        return
    composed = compose({**ANSWERS, key: text})
    assert parse(composed.encode()).organisation.domains


def compose(answers: Mapping[str, str], *, example: bool = False) -> str:
    owners = [officer.id for officer in draft.named_officers(answers)] + ["recovery"]
    public = {owner: public_key_base64(owner) for owner in owners}
    signing = {owner: signing_key_base64(owner) for owner in owners}
    return draft.compose(answers, public, signing, TODAY, example=example)


def test_what_was_answered_stands_in_the_policy_file():
    policy = parse(compose(ANSWERS).encode())
    assert policy.organisation.name == "Example Training Ltd"
    assert policy.organisation.short_name == "Example Training"
    assert [officer.name for officer in policy.officers] == [
        "Morgan Example",
        "Olive Example",
        "Chris Example",
    ]
    assert policy.gateway.outbound_hop == "127.0.0.1:2580"
    assert policy.policy.review_due == date(2031, 11, 1)
    assert policy.retention["mail"].years == 5
    assert not policy.example and policy.sink is None


def test_a_name_with_quotes_and_accents_survives():
    policy = parse(compose({**ANSWERS, "name": 'Siân\'s "Best" \\ Training'}).encode())
    assert policy.organisation.name == 'Siân\'s "Best" \\ Training'


def test_a_port_without_a_next_hop_stays_closed():
    policy = parse(compose({**ANSWERS, "outbound_hop": "", "inbound_hop": ""}).encode())
    assert (policy.gateway.inside, policy.gateway.outside) == ("", "")
    assert policy.gateway.journal


def test_an_answers_file_may_leave_out_what_has_a_default(tmp_path: Path):
    path = answers_file(tmp_path)
    kept = [
        line
        for line in path.read_text().splitlines()
        if not line.startswith(("review_due", "anchor", "part"))
    ]
    path.write_text("\n".join(kept))
    answers = questions.read_answers(path, TODAY, example=False)
    assert answers == {**ANSWERS, "review_due": "2027-11-24"}


def test_an_answers_file_may_use_lists_and_days(tmp_path: Path):
    text = answers_file(tmp_path, review_due="X", domains="X", alternate="X").read_text()
    text = text.replace('review_due = "X"', "review_due = 2031-11-01")
    text = text.replace('domains = "X"', 'domains = ["training.example", "second.example"]')
    text = text.replace('alternate = "X"', 'alternate = ["Chris <c@chair.example>", "Kim <k@chair.example>"]')
    (tmp_path / "answers.toml").write_text(text)
    answers = questions.read_answers(tmp_path / "answers.toml", TODAY, example=False)
    assert draft.domains_of(answers) == ["training.example", "second.example"]
    assert len(draft.named_officers(answers)) == 4
    assert answers["review_due"] == "2031-11-01"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nam = 'x'", "Did you mean name?"),
        ("zzz = 'x'", "Known: name"),
        ("name = 5", "name is a int"),
        ("name = [1]", "name is a list"),
        ("review_due = 2027-01-01T00:00:00Z\nname = ''", "is a datetime|is missing"),
        ("name = ", "is not TOML"),
        ("name = 'x'", "company_number is missing"),
    ],
)
def test_a_wrong_answers_file_is_bad_input_that_names_it(tmp_path: Path, text: str, told: str):
    (tmp_path / "answers.toml").write_text(text)
    with pytest.raises(BadInput, match=told) as caught:
        questions.read_answers(tmp_path / "answers.toml", TODAY, example=False)
    assert "answers.toml" in str(caught.value)


def test_an_answers_file_that_is_not_utf8_is_bad_input(tmp_path: Path):
    (tmp_path / "answers.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(BadInput):
        questions.read_answers(tmp_path / "answers.toml", TODAY, example=False)


def test_an_answers_file_that_is_not_there_is_missing(tmp_path: Path):
    with pytest.raises(Missing):
        questions.read_answers(tmp_path / "answers.toml", TODAY, example=False)


def test_the_example_is_a_valid_policy():
    assert parse(compose(questions.example_answers(TODAY), example=True).encode()).example


@pytest.mark.parametrize("example", [True, False])
@pytest.mark.parametrize("name", ["Ex", "An Organisation with a Name of Which Nobody Knows the End " * 3])
def test_sheets_are_at_most_72_columns_wide(example: bool, name: str):
    head = sheets.Letterhead(name, TODAY, 4, example)
    key = sheets.OfficerKey(
        "alternate",
        name,
        "alternate officer",
        "x" * 60 + "@chair.example",
        bytes(8),
        "-".join(["abstract"] * 6),
    )
    safe = sheets.SafeKeys(
        " ".join(["abstract"] * 24), bytes(8), " ".join(["abstract"] * 24), "long.example/record+" + "A" * 200
    )
    for sheet in (sheets.officer_sheet(head, 1, key), sheets.safe_sheet(head, safe)):
        lines = sheet.text.split("\n")
        assert max(map(len, lines)) <= sheets.WIDTH == 72
        assert len(lines) <= 66  # one page
        assert all(line == line.rstrip() for line in lines)
        assert ("EXAMPLE" in sheet.text) is example


def test_an_officers_sheet_says_what_it_is_for_and_what_to_do_when_lost():
    head = sheets.Letterhead("Example Training Ltd", TODAY, 4, example=False)
    key = sheets.OfficerKey(
        "chair", "Chris Example", "alternate officer", "c@chair.example", bytes(8), "a-b-c-d-e-f"
    )
    text = textwrap.dedent(sheets.officer_sheet(head, 3, key).text)
    for told in (
        "Sheet 3 of 4",
        "Chris Example",
        "clause 5.2",
        "officer-keys/chair.json",
        "IF YOU LOSE IT",
        "no other copy",
    ):
        assert told in text
