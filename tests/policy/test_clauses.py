"""Every requirement is there, none is invented, and no sentence of the policy is copied."""

from __future__ import annotations

import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

from muniment.policy.clauses import DEFAULT_CHANGER, Clause, How, clauses
from muniment.policy.purpose import PURPOSES

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared"
RUN = 8


def listed_ids() -> list[tuple[str, set[str]]]:
    """The requirement ids as committed and, where the checkout has it beside it, as the requirements have them."""
    lists = [("committed", set((HERE / "requirement_ids.txt").read_text().split()))]
    requirements = SHARED / "requirements.md"
    if requirements.exists():
        rows = re.findall(r"^\| (R-\S+) \|", requirements.read_text(), re.MULTILINE)
        lists.append(("requirements", set(rows)))
    return lists


def source_policies() -> list[str]:
    """Policies that must not be copied: one we wrote for this test, and the real one where the checkout has it."""
    ours = "No word of this sentence, which nobody else has written down before, may turn up in a paraphrase."
    source = SHARED / "policy" / "source-policy-2022.txt"
    return [ours, source.read_text(errors="replace")] if source.exists() else [ours]


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}


def words_of(clause: Clause) -> str:
    return " . ".join((clause.title, clause.asks, clause.met, clause.lacks, clause.evidence))


@pytest.mark.parametrize(("name", "ids"), listed_ids())
def test_the_ids_are_those_of_the_requirements(name: str, ids: set[str]) -> None:
    assert set(clauses()) == ids


@pytest.mark.parametrize("policy", source_policies())
def test_no_paraphrase_shares_eight_words_in_a_row_with_the_policy(policy: str) -> None:
    copied = {clause.id: runs(words_of(clause)) & runs(policy) for clause in clauses().values()}
    assert {id: found for id, found in copied.items() if found} == {}


def test_a_copied_sentence_would_be_noticed() -> None:
    (ours, *_) = source_policies()
    assert runs("Say: no word of this sentence, which nobody else has, please") & runs(ours)


@pytest.mark.parametrize("clause", clauses().values(), ids=lambda clause: clause.id)
def test_a_clause_says_all_a_reader_asks(clause: Clause) -> None:
    assert re.fullmatch(r"R-(\d\.[0-9A-Z]|A1)-[a-z]\d?", clause.id)
    assert clause.title and clause.title[0].isupper() and not clause.title.endswith(".")
    for text in (clause.asks, clause.met):
        assert re.fullmatch(r"[A-Z0-9].{15,}\.", text), text
    assert clause.evidence and clause.changed_by
    assert clause.how is How.CONTROL or not (clause.control or clause.lacks)


def test_the_number_of_a_clause_agrees_with_its_id() -> None:
    for clause in clauses().values():
        chapter, section = ("Annex", "1") if "A1" in clause.id else clause.id[2:].split("-")[0].split(".")
        assert clause.clause.startswith(chapter)
        assert section.isalpha() or section == "0" or section in clause.clause


def test_the_order_is_that_of_the_policy() -> None:
    ids = list(clauses())
    chapters = [id[2] for id in ids]
    assert chapters == sorted(chapters)
    assert all(first != second for first, second in pairwise(ids))


def test_a_control_names_modules_that_exist() -> None:
    for clause in clauses().values():
        assert (clause.how is How.CONTROL) == bool(clause.control)
        for module in clause.control:
            assert find_spec(module) is not None, f"{clause.id}: {module}"


def test_the_standing_says_when_a_control_is_only_part_of_it() -> None:
    assert clauses()["R-1.P-a"].standing == "control, in part"
    assert clauses()["R-A1-q"].standing == "people"
    assert clauses()["R-1.P-a"].changed_by == DEFAULT_CHANGER


def test_each_purpose_rests_on_a_clause() -> None:
    assert {purpose.clause for purpose in PURPOSES} <= set(clauses())


def test_every_clause_named_by_a_key_of_the_policy_file_exists() -> None:
    cited = set()
    for module in (HERE.parents[1] / "src" / "muniment" / "policy").glob("*.py"):
        cited |= set(re.findall(r"R-(?:\d\.[0-9A-Z]|A1)-[a-z]\d?", module.read_text()))
    assert len(cited) > 10
    assert cited <= set(clauses())
