"""Any word of Muniment's is explained, and an unknown one leads to the nearest known."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.clauses import clauses
from muniment.policy.errors import Missing
from muniment.policy.explanation import Explanation, explain, known_words
from muniment.policy.rules import rules
from muniment.policy.trace import PACKAGE


def labels(found: Explanation) -> list[str]:
    return [label for label, _ in found.parts]


@pytest.mark.parametrize("word", known_words())
def test_every_known_word_is_explained(word: str) -> None:
    found = explain(word)
    assert found.subject
    assert all(label and text for label, text in found.parts)


@pytest.mark.parametrize("word", ["R-2.2-b", "r-2.2-B", "  R-2.2-b "])
def test_a_requirement_is_explained_with_its_code_and_who_can_change_it(word: str) -> None:
    found = explain(word)
    assert found.subject.startswith("R-2.2-b: Company particulars")
    assert dict(found.parts)["Findings"] == "L1"
    assert "Managing Director" in dict(found.parts)["Can be changed by"]
    assert labels(found)[:2] == ["Asks", "Law"]


def test_a_requirement_nothing_meets_yet_says_so() -> None:
    found = explain("R-5.2-a")
    assert dict(found.parts)["Met by"].startswith("not yet. ")
    assert "Code" not in labels(found)


@pytest.mark.parametrize("word", ["5.1", "clause 5.1", "Section 5.1."])
def test_a_clause_number_lists_its_requirements(word: str) -> None:
    assert labels(explain(word)) == [f"R-5.1-{letter}" for letter in "abcdef"]


@pytest.mark.parametrize(
    ("word", "code"), [("bad input", 2), ("BadInput", 2), ("refused", 3), ("TAMPERED", 6)]
)
def test_an_error_kind_says_its_exit_code_and_what_to_do(word: str, code: int) -> None:
    found = explain(word)
    assert f"exit code {code}," in dict(found.parts)["Shown as"]
    assert "What to do" in labels(found)


def test_a_finding_offers_its_wording() -> None:
    assert "£17.5 million" in dict(explain("l3").parts)["Wording that would do"]


@pytest.mark.parametrize(
    ("word", "near"),
    [("R-5.1-z", "r-5.1-"), ("refusd", "refused"), ("zzzz", "Try R-2.2-b"), ("\x1b[0m", "'\\x1b[0m'")],
)
def test_an_unknown_word_is_missing_and_leads_to_a_known_one(word: str, near: str) -> None:
    with pytest.raises(Missing) as caught:
        explain(word)
    assert near in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.text(max_size=80))
def test_any_text_is_explained_or_missing(text: str) -> None:
    try:
        assert explain(text).parts
    except Missing as error:
        assert str(error).isprintable()


def test_a_rule_leads_to_its_clause() -> None:
    found = explain("mail.footer")
    assert dict(found.parts)["Clause"].startswith("R-2.2-b, ")


def test_every_rule_the_guard_names_is_explained_under_the_clause_it_cites() -> None:
    cited = set()
    for module in (PACKAGE / "guard").rglob("*.py"):
        cited |= set(re.findall(r'"((?:mail|web)\.[a-z_]+)"', module.read_text()))
    assert cited == set(rules())
    assert {rule.clause for rule in rules().values()} <= set(clauses())
