"""The help of every command, and docs/reference/commands.md, made from the parser itself.

Run `python -m tests.house.commands` after a command has changed; test_commands.py compares.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from muniment.cli.main import build_parser
from tests.house.tree import DOCS

FOLDER = Path(__file__).parent / "help"
PAGE = DOCS / "reference" / "commands.md"
_HEAD = """\
# Commands

Made from the parser by `python -m tests.house.commands`; a test compares them.

Each command has `--home` (else `$MUNIMENT_HOME`, else `./home`) and `--json`. Facts go to standard output, talk and
progress to standard error. Exit codes: 0 done, 2 bad input, 3 refused (the message names the clause), 4 missing,
5 conflict, 6 tampered, 7 unavailable; `muniment explain tampered` says what to do. `muniment-verify` has a page of its
own: [exported entry](../formats/exported-entry.md).
"""


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and those of all its sub-commands, in their order."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


def helps() -> dict[str, str]:
    """Return the help text of each command by its name."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        return {each.prog: each.format_help() for each in parsers(build_parser())}
    finally:
        os.environ.pop("COLUMNS")
        os.environ |= {"COLUMNS": before} if before else {}


def file_of(name: str) -> Path:
    """Return the golden file of a command."""
    return FOLDER / f"{name.replace(' ', '-')}.txt"


def page(texts: dict[str, str]) -> str:
    """Return the page of all commands."""
    parts = [f"\n## {name}\n\n```text\n{text.rstrip()}\n```\n" for name, text in texts.items()]
    return _HEAD + "".join(parts)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    PAGE.parent.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    made = helps()
    for command, text in made.items():
        file_of(command).write_text(text)
    PAGE.write_text(page(made))
