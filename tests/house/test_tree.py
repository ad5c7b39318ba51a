"""The tree is the table of contents: known parts, in their order, each saying in a sentence what it is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.tree import PACKAGE, ROOT, SOURCE, name_of, python_files

# From the highest to the lowest; DESIGN, "The house". Parts on one line do not know each other.
LAYERS = [
    "cli", "serve", "site", "account", "answer | guard | observe", "admit", "permit", "people", "record", "policy",
]  # fmt: skip
PARTS = {part for layer in LAYERS for part in layer.split(" | ")}
FOLDERS_OF_FILES = {"static", "templates", "site"}  # of pages, not of modules


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def folders(root: Path) -> list[Path]:
    found = [path for path in root.rglob("*") if path.is_dir() and path.name != "__pycache__"]
    return [path for path in found if not any(part.endswith(".egg-info") for part in path.parts)]


def test_every_folder_of_the_package_is_one_of_the_parts() -> None:
    assert {path.relative_to(PACKAGE).parts[0] for path in folders(PACKAGE)} == PARTS
    assert {path.name for path in SOURCE.iterdir() if path.suffix != ".egg-info"} == {
        "muniment",
        "muniment_verify",
    }


def test_every_folder_of_modules_says_in_a_sentence_what_it_is() -> None:
    for folder in [PACKAGE, *folders(PACKAGE)]:
        if any(folder.glob("*.py")):
            first = docstring(folder / "__init__.py").split("\n")[0]
            assert re.fullmatch(r"[A-Z`].*\.", first), f"{name_of(folder)}/__init__.py begins: {first!r}"
            assert len(first.split()) > 2, name_of(folder)


def test_every_module_says_what_it_is() -> None:
    silent = [name_of(path) for path in python_files("src", "benchmarks") if not docstring(path)]
    assert silent == []


def test_the_package_lists_its_parts_from_the_highest_to_the_lowest() -> None:
    listed = re.findall(r"^    (\w+) {2,}", docstring(PACKAGE / "__init__.py"), re.MULTILINE)
    assert listed == [part for layer in LAYERS for part in layer.split(" | ")]


def test_the_contract_of_the_layers_is_exhaustive_and_in_this_order() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract for contract in contracts if contract["type"] == "layers"]
    assert layers["layers"] == LAYERS
    assert layers["exhaustive"] is True
    assert layers["containers"] == ["muniment"]


def test_no_part_imports_a_part_above_it() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout
