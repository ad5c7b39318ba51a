"""The twelve findings follow from what the policy file says, never from habit (R-1.P-b, R-4.3-b)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from muniment.policy.clauses import clauses
from muniment.policy.finding import Finding, Standing, questions
from muniment.policy.lint import LOOKS, lint
from muniment.policy.policyfile import parse
from tests.organisation import policy_bytes

TODAY = date(2027, 1, 1)
STALE: dict[str, Any] = {
    "particulars_named": ["company_number", "registered_office"],
    "consent_claimed": True,
    "fine_named": "up to £500,000",
    "callers_told": False,
    "covert_needs_director": False,
    "phishing_advice": "delete",
    "criticism_banned": True,
    "disclosures_protected": False,
    "chat_right": "saved_only",
    "complaints_route": "",
    "private_mail": "as_all",
    "foi_regime": "unnamed",
}
MENDED: dict[str, Any] = {
    "particulars_named": ["name", "part_of_uk", "company_number", "registered_office"],
    "consent_claimed": False,
    "fine_named": "£17.5 million or 4%",
    "callers_told": True,
    "covert_needs_director": True,
    "phishing_advice": "report",
    "criticism_banned": True,
    "disclosures_protected": True,
    "chat_right": "all_held",
    "complaints_route": "the data protection officer",
    "private_mail": "apart",
    "foi_regime": "voluntary",
}
CODES = [f"L{number}" for number in range(1, 13)]


def findings(wording: dict[str, Any], today: date = TODAY, **overrides: object) -> list[Finding]:
    return lint(parse(policy_bytes(wording=wording, **overrides)), today)


def test_a_stale_policy_has_all_twelve_findings_when_its_review_is_overdue() -> None:
    found = findings(STALE, date(2028, 1, 1))
    assert [finding.code for finding in found] == CODES
    assert {finding.standing for finding in found} == {Standing.FOUND}


def test_a_mended_policy_has_none() -> None:
    assert findings(MENDED) == []


def test_a_file_that_says_nothing_of_its_wording_leaves_eleven_open() -> None:
    found = findings({})
    assert [finding.code for finding in found] == CODES[:11]
    assert {finding.standing for finding in found} == {Standing.NOT_SAID}
    assert all(f"set {finding.key}." in finding.wrong for finding in found)


@pytest.mark.parametrize(
    ("key", "code"), list(zip([k for k in STALE if k != "disclosures_protected"], CODES, strict=False))
)
def test_each_stale_wording_alone_gives_its_own_finding(key: str, code: str) -> None:
    wording = MENDED | {key: STALE[key]}
    if key == "criticism_banned":
        wording |= {"disclosures_protected": False}
    assert [finding.code for finding in findings(wording)] == [code]


@pytest.mark.parametrize(
    ("named", "is_stale"),
    [
        ("£500,000", True),
        ("£ 0.5m", True),
        ("up to £17.5 million or 4% of turnover", False),
        ("£17,500,000", False),
        ("from £500,000 to £17.5m", False),
        ("", False),
        ("a heavy fine", False),
    ],
)
def test_a_fine_below_the_one_in_force_is_stale(named: str, is_stale: bool) -> None:
    assert bool(findings(MENDED | {"fine_named": named})) is is_stale


def test_a_missing_particular_is_named() -> None:
    (finding,) = findings(MENDED | {"particulars_named": ["company_number", "registered_office"]})
    assert finding.wrong == "The text does not ask for: name, part of UK."


def test_a_ban_on_criticism_whose_exemption_is_not_said_is_open() -> None:
    wording = {key: value for key, value in MENDED.items() if key != "disclosures_protected"}
    assert [(finding.code, finding.standing) for finding in findings(wording)] == [("L7", Standing.NOT_SAID)]


def test_the_term_of_private_mail_is_the_one_in_the_schedule() -> None:
    (finding,) = findings(MENDED | {"private_mail": "as_all"}, retention__mail__years=7)
    assert "for 7 years" in finding.wrong


@pytest.mark.parametrize(
    ("today", "due", "words"),
    [
        (date(2027, 11, 1), date(2027, 11, 1), None),
        (date(2027, 11, 2), date(2027, 11, 1), "1 day ago"),
        (date(2027, 11, 5), date(2027, 11, 1), "4 days ago"),
        (TODAY, date(2028, 11, 1), None),
        (TODAY, date(2029, 1, 1), "more than two years"),
    ],
)
def test_a_review_that_is_overdue_or_years_away_is_found(today: date, due: date, words: str | None) -> None:
    found = findings(MENDED, today, policy__review_due=due)
    assert [finding.code for finding in found] == ([] if words is None else ["L12"])
    assert words is None or words in found[0].wrong


def test_each_finding_names_a_clause_that_exists_and_a_law_and_a_wording() -> None:
    for finding in findings({}) + findings(STALE, date(2028, 1, 1)):
        assert finding.clause in clauses()
        assert re.fullmatch(r"[A-Z].{10,}", finding.law)
        assert re.fullmatch(r"[A-Z].*[.)]", finding.suggestion)


def test_there_are_twelve_looks_each_with_its_code_in_its_docstring() -> None:
    assert [str(look.__doc__).split(":")[0] for look in LOOKS] == CODES


def test_the_questions_are_the_twelve_of_the_requirements() -> None:
    assert list(questions()) == CODES
    assert questions()["L1"].law_seen
    assert not questions()["L7"].law_seen
