"""The pages that describe the policy say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from muniment.policy.clauses import clauses
from muniment.policy.policyfile import parse
from muniment.policy.trace import markdown
from tests.policy.key_table import PAGE, with_table

CLAUSES_PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "clauses.md"


def test_the_page_of_the_policy_file_lists_every_key_as_it_is_declared() -> None:
    page = PAGE.read_text()
    assert page == with_table(page), "run `python -m tests.policy.key_table`"


def test_the_example_on_the_page_is_a_valid_policy_file() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert parse(example.encode()).organisation.name == "Example Training Ltd"


def test_the_page_of_clauses_is_what_the_command_prints() -> None:
    made = markdown(list(clauses().values()))
    assert CLAUSES_PAGE.read_text() == made, (
        "run `muniment policy trace --markdown > docs/reference/clauses.md`"
    )


def test_the_page_of_clauses_has_each_clause_once() -> None:
    headings = re.findall(r"^### (\S+)", CLAUSES_PAGE.read_text(), re.MULTILINE)
    assert headings == list(clauses())
