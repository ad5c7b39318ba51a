"""What the project says: nothing of the machine it was made on, no invented requirement, no sentence of the policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from muniment.policy.clauses import clauses
from tests.house.tree import ROOT, SHARED, name_of, pages, python_files, source_files

POLICY = SHARED / "policy" / "source-policy-2022.txt"
_TEXT = {".py", ".toml", ".md", ".html", ".css", ".txt", ".svg", ".csv", ".cfg"}
_MACHINE = re.compile(
    r"/work/|/tmp/|/root/|\bpypi\b|pythonhosted|\bclaude\b|anthropic|\bopenai\b|language model|"
    r"helper agent|co-authored",
    re.IGNORECASE,
)
_ID = re.compile(r"(?<![\w-])R-(?:\d\.[0-9A-Z]|A1)-[a-z]\d?(?![\w-])")
_RUN_WORDS = 8


def told() -> list[Path]:
    """Return every text file that is shipped or read."""
    shipped = [path for path in source_files() if path.suffix in _TEXT]
    beside = [
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
        ROOT / "tests" / "install-servers",
        ROOT / ".ci" / "run",
    ]
    return [*shipped, *pages(), *beside]


@pytest.mark.parametrize("path", told(), ids=name_of)
def test_no_word_tells_of_the_machine_it_was_made_on(path: Path) -> None:
    found = [match.group() for match in _MACHINE.finditer(path.read_text(encoding="utf-8"))]
    assert found == []


def test_every_requirement_that_is_cited_is_one() -> None:
    cited = {}
    for path in [*told(), *python_files("tests", "benchmarks")]:
        if path.parent.name != "policy" or "tests" not in path.parts:  # those try ids that are none
            for id in _ID.findall(path.read_text(encoding="utf-8")):
                cited.setdefault(id, name_of(path))
    assert len(cited) > 100
    assert {id: path for id, path in cited.items() if id not in clauses()} == {}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower().replace("\u2019", "'"))


def runs(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[at : at + _RUN_WORDS]) for at in range(len(found) - _RUN_WORDS + 1)}


def test_a_run_of_words_is_found_whatever_stands_between_them() -> None:
    assert runs("One, two three\nfour - five six; seven EIGHT.") == {
        ("one", "two", "three", "four", "five", "six", "seven", "eight")
    }


def policies() -> list[str]:
    """Return the source policy when it lies beside the project, and a text of our own that says nothing we say."""
    beside = [POLICY.read_text(encoding="utf-8", errors="replace")] if POLICY.exists() else []
    return [*beside, "Geese that graze on the far bank of the river must not be fed stale bread on Sundays."]


@pytest.mark.parametrize("policy", policies(), ids=lambda policy: f"{len(policy.split())} words")
def test_no_sentence_of_the_source_policy_is_repeated(policy: str) -> None:
    theirs = runs(policy)
    repeated = {name_of(path): theirs & runs(path.read_text(encoding="utf-8")) for path in told()}
    assert theirs
    assert {name: found for name, found in repeated.items() if found} == {}
