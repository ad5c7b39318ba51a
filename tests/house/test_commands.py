"""The help of every command is the one that is written down; spaces and line ends apart, where Pythons differ."""

from __future__ import annotations

import re

import pytest

from tests.house.commands import FOLDER, PAGE, file_of, helps, page

WITHOUT_HOME = {  # on an officer's own machine, and on that of somebody outside, no home is
    "muniment approve",
    "muniment retention sign",
    "muniment keys new-key",
    *(f"muniment witness {act}" for act in ("init", "trust", "run", "show")),
}
MEND = "run `python -m tests.house.commands`, and look at what changed"


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return helps()


def test_each_command_helps_as_its_golden_file_says(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        assert file_of(name).exists(), MEND
        assert text.split() == file_of(name).read_text().split(), f"{name}: {MEND}"


def test_there_is_no_golden_file_of_a_command_that_is_gone(texts: dict[str, str]) -> None:
    assert {path.name for path in FOLDER.iterdir()} == {file_of(name).name for name in texts}


def test_the_page_of_commands_is_made_from_the_parser(texts: dict[str, str]) -> None:
    assert PAGE.read_text().split() == page(texts).split(), MEND


def test_every_command_takes_a_home_and_speaks_json(texts: dict[str, str]) -> None:
    leaves = [name for name in texts if not any(other.startswith(f"{name} ") for other in texts)]
    assert len(leaves) > 10
    for name in leaves:
        expected = {"--json"} if name in WITHOUT_HOME else {"--json", "--home"}
        assert expected <= set(re.findall(r"--\w+", texts[name])), name


def test_every_sub_command_says_in_the_list_what_it_does(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        listed = re.search(r"\n {4}\{?(\S+)\n(?! {9,}\S)", text)  # a long name has its help on the next line
        assert listed is None, f"{name}: {listed} has no help"
