"""A trace leads from a clause to its control, to the code that cites it, to the tests that cite it.

The citations are looked up in the source each time, so that the trace cannot promise what is no longer there.
Source: R-1.P-b.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from .clauses import Clause, How, clauses

PACKAGE = Path(__file__).resolve().parents[1]
# These name ids as examples or in lists, without meeting or trying any.
_EXAMPLES = (
    "muniment/cli/explain.py",
    "muniment/cli/policy.py",
    "muniment/policy/clauses/__init__.py",
    "muniment/policy/errors.py",
    "muniment/policy/explanation.py",
    "tests/clauses/test_completeness.py",
    "tests/policy/test_clauses.py",
    "tests/policy/test_explanation.py",
    "tests/policy/test_trace.py",
    "tests/policy/test_commands.py",
)
_ID = re.compile(r"(?<![\w-])R-(?:\d\.[0-9A-Z]|A1)-[a-z]\d?(?![\w-])")


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One clause with the files that cite it, as paths from the folder that holds `muniment` or `tests`."""

    clause: Clause
    code: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def control_code(self) -> tuple[str, ...]:
        """Return the citing files that belong to a module named as the clause's control."""
        stems = [module.replace(".", "/") for module in self.clause.control]
        return tuple(
            path for path in self.code if any(path == f"{s}.py" or path.startswith(f"{s}/") for s in stems)
        )


def folder_of_tests() -> Path | None:
    """Return the tests of the checkout this package runs from, or None when it is installed without one."""
    checkout = PACKAGE.parent.parent
    return checkout / "tests" if (checkout / "pyproject.toml").is_file() else None


def traces() -> Mapping[str, Trace]:
    """Return the trace of every clause, in the order of the policy."""
    code = citations(PACKAGE)
    folder = folder_of_tests()
    tests = citations(folder) if folder is not None else {}
    return {
        id: Trace(clause=clause, code=code.get(id, ()), tests=tests.get(id, ()))
        for id, clause in clauses().items()
    }


def citations(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Return by requirement id the Python files below `folder` that cite it, in the order of their paths."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder.parent).as_posix()
        if name in _EXAMPLES:
            continue
        for id in set(_ID.findall(path.read_text(encoding="utf-8"))):
            found[id].append(name)
    return {id: tuple(names) for id, names in found.items()}


def counts(found: Iterable[Clause]) -> dict[str, int]:
    """Return how many clauses stand in each way, ways without clauses left out."""
    standings = [clause.standing for clause in found]
    order = ("control", "control, in part", "people", "not yet")
    return {standing: standings.count(standing) for standing in order if standing in standings}


def markdown(found: Sequence[Clause]) -> str:
    """Return docs/reference/clauses.md. It names controls and not files, so that it changes when a clause does."""
    return "\n".join(_markdown_lines(found)) + "\n"


def _markdown_lines(found: Sequence[Clause]) -> Iterator[str]:
    """Yield the lines of the reference page."""
    numbers = ", ".join(f"{number} {standing}" for standing, number in counts(found).items())
    yield "# The policy's clauses and what meets them"
    yield ""
    yield "Made by `muniment policy trace --markdown`; a test compares them. `muniment policy trace ID` adds the code"
    yield "that cites a clause and the tests that cite it; `muniment explain ID` says it at more length."
    yield ""
    yield f"{len(found)} requirements: {numbers}."
    chapter = ""
    for clause in found:
        if clause.clause != chapter:
            chapter = clause.clause
            yield from ("", f"## {'Clause ' if chapter[0].isdigit() else ''}{chapter}")
        yield from _clause_lines(clause)


def _clause_lines(clause: Clause) -> Iterator[str]:
    """Yield one clause's part of the reference page."""
    yield from ("", f"### {clause.id} {clause.title}", "", clause.asks, "")
    yield f"- How: **{clause.standing}**. {clause.met}"
    if clause.lacks:
        yield f"- Not yet: {clause.lacks}"
    if clause.how is How.CONTROL:
        yield f"- Control: {', '.join(f'`{module}`' for module in clause.control)}"
    if clause.law:
        yield f"- Law: {law_words(clause.law, seen=clause.law_seen)}"
    yield f"- Evidence: {clause.evidence}"


def law_words(law: str, *, seen: bool) -> str:
    """Return the law, with a warning when nobody has read it at its source for us."""
    return law if seen else f"{law} (to be checked before you rely on it)"
