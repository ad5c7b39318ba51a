"""What is installed is pinned and hashed, and no file says where it was fetched from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT

RUN, DEV = ROOT / "requirements" / "run.txt", ROOT / "requirements" / "dev.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(path: Path) -> dict[str, tuple[str, int]]:
    """Return version and number of hashes of each package."""
    text = re.sub(r"\\\n", " ", path.read_text())
    found = {}
    for line in filter(str.strip, text.splitlines()):
        match = re.match(r"([\w.-]+)==(\S+)", line)
        assert match, f"{path.name}: no pin: {line[:80]}"
        found[canonicalize_name(match[1])] = (match[2], line.count("--hash=sha256:"))
    return found


@pytest.mark.parametrize("path", [RUN, DEV], ids=lambda path: path.name)
def test_every_package_is_pinned_with_hashes(path: Path) -> None:
    assert [name for name, (_, hashes) in pins(path).items() if not hashes] == []


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").iterdir()), ids=lambda path: path.name)
def test_no_requirement_names_a_place_to_fetch_from(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"https?:|index-url|find-links|trusted-host|@ file", text)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (RUN, PROJECT["dependencies"]),
        (DEV, [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]),
        (DEV, PROJECT["optional-dependencies"]["postgresql"]),
    ],
    ids=["run", "dev", "postgresql"],
)
def test_every_dependency_of_the_project_is_pinned_as_it_asks(path: Path, wanted: list[str]) -> None:
    found = pins(path)
    for requirement in map(Requirement, wanted):
        version, _ = found[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}: pinned is {version}"


def test_the_tests_run_on_what_is_shipped() -> None:
    run, dev = pins(RUN), pins(DEV)
    assert {name: dev.get(name) for name in run} == run
