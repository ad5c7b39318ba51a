"""Files and functions keep the size at which they are read in one go."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tests.house.tree import name_of, python_files

MOST_FILE_LINES, MOST_FUNCTION_LINES, MOST_MODULES = 400, 60, 50
# The verifier travels in every pack as one file that a stranger reads from top to bottom and needs nothing beside:
# signatures, proofs, commitments and the pack's own form cannot be told apart into files there.
LONGER = {"src/muniment_verify/__init__.py": 620}
FOLDERS = ("src", "tests", "benchmarks")


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in python_files(*FOLDERS)}
    assert len(lengths) > 100
    assert {name: lines for name, lines in lengths.items() if lines > LONGER.get(name, MOST_FILE_LINES)} == {}


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = {}
    for path in python_files(*FOLDERS):
        for function in functions(path):
            lines = (function.end_lineno or 0) - function.lineno + 1
            if lines > MOST_FUNCTION_LINES:
                long[f"{name_of(path)}:{function.name}"] = lines
    assert long == {}


def test_no_folder_holds_more_modules_than_a_reader_can_survey() -> None:
    counts = Counter(name_of(path.parent) for path in python_files(*FOLDERS))
    assert {name: count for name, count in counts.items() if count > MOST_MODULES} == {}
