"""A trace finds the citations that are there and no others."""

from __future__ import annotations

from pathlib import Path

from muniment.policy.clauses import Clause, How, clauses
from muniment.policy.trace import Trace, citations, counts, folder_of_tests, law_words, markdown, traces

PARTLY = Clause(
    id="R-9.9-a",
    clause="9.9",
    title="Tea is served",
    asks="Tea is served at four.",
    law="Tea Act 1773",
    how=How.CONTROL,
    control=("muniment.kettle", "muniment.pot.lid"),
    met="The kettle boils at four.",
    lacks="Biscuits.",
    evidence="A warm pot",
)


def test_citations_are_found_as_whole_ids_in_python_files_below_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    (folder / "deep").mkdir(parents=True)
    (folder / "b.py").write_text('"""Serves R-2.2-b and R-5.1-a, R-2.2-b again."""')
    (folder / "deep" / "a.py").write_text("# R-A1-f1, but not R-5.1-abc, xR-5.1-b or R-5.1-c-d")
    (folder / "note.txt").write_text("R-4.0-a")
    assert citations(folder) == {
        "R-2.2-b": ("tests/b.py",),
        "R-5.1-a": ("tests/b.py",),
        "R-A1-f1": ("tests/deep/a.py",),
    }


def test_every_clause_has_a_trace_and_this_checkout_has_tests() -> None:
    folder = folder_of_tests()
    assert folder is not None and folder.samefile(Path(__file__).parents[1])
    found = traces()
    assert list(found) == list(clauses())
    assert "tests/policy/test_lint.py" in found["R-4.3-b"].tests
    assert "muniment/policy/lint.py" in found["R-4.3-b"].control_code


def test_control_code_is_the_citing_code_of_the_named_modules() -> None:
    code = ("muniment/kettle.py", "muniment/kettle_lid.py", "muniment/pot/lid/x.py", "muniment/pot/y.py")
    trace = Trace(clause=PARTLY, code=code, tests=())
    assert trace.control_code == ("muniment/kettle.py", "muniment/pot/lid/x.py")


def test_the_counts_add_up() -> None:
    found = counts(clauses().values())
    assert sum(found.values()) == len(clauses())
    assert counts([PARTLY]) == {"control, in part": 1}


def test_the_page_of_one_clause_says_what_is_not_yet_met() -> None:
    page = markdown([PARTLY])
    assert page.endswith(
        "## Clause 9.9\n\n### R-9.9-a Tea is served\n\nTea is served at four.\n\n"
        "- How: **control, in part**. The kettle boils at four.\n- Not yet: Biscuits.\n"
        "- Control: `muniment.kettle`, `muniment.pot.lid`\n"
        "- Law: Tea Act 1773 (to be checked before you rely on it)\n- Evidence: A warm pot\n"
    )


def test_a_law_that_was_read_at_its_source_carries_no_warning() -> None:
    assert law_words("Tea Act 1773", seen=True) == "Tea Act 1773"
