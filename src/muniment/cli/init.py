"""`muniment init`: makes a home from at most twelve answers, and prints one sheet per officer and one for the safe.

Without `--example` no secret is written to a disk in the clear: the sheets go to the terminal or the printer only.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TextIO

from muniment.cli import questions
from muniment.cli.asking import require_no_disk
from muniment.cli.founding import (
    KEY_FOLDER,
    SHEET_FOLDER,
    Founded,
    found_home,
    require_fresh_anchor,
    require_vacant,
)
from muniment.cli.options import common, emit
from muniment.cli.sheets import Sheet
from muniment.policy.errors import BadInput, Unavailable
from muniment.record.disk import Disk

_CLEAR = "\x1b[H\x1b[2J\x1b[3J"  # the screen and what was scrolled off it


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "init",
        help="make a home: at most twelve questions, one sheet per officer and one for the safe",
        description="Makes a home: policy file, officers' keys, an empty record. Prints each key's sheet once.",
    )
    parser.add_argument("where", nargs="?", type=Path, metavar="HOME", help="the folder to make; else --home")
    common(parser)
    parser.add_argument("--example", action="store_true", help="an invented organisation, stamped EXAMPLE")
    parser.add_argument(
        "--answers", type=Path, metavar="FILE", help="a TOML file with the answers; see the guide"
    )
    parser.add_argument(
        "--sheets",
        type=Path,
        metavar="DIR",
        help="with --example: where the sheets are written (HOME/sheets)",
    )
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Make the home, or nothing at all."""
    home = (args.where or args.home).absolute().resolve()
    today = date.today()  # noqa: DTZ011 - the day on the wall beside the person answering
    if args.sheets and not args.example:
        raise BadInput(
            "--sheets would write the secrets of a real organisation to a disk; it goes with --example only. "
            "Leave it out: the sheets come to the terminal, or to a printer with `| lp`"
        )
    stream = sys.stderr if args.json else sys.stdout
    if not args.example:
        require_no_disk(stream)
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    require_vacant(home)
    answers = _answers(args, home, today)
    written = args.sheets.absolute() if args.sheets else home / SHEET_FOLDER
    hand_over = _writer(home, written) if args.example else _printer(stream)
    founded = found_home(home, answers, today, hand_over, example=args.example)
    emit(args, _as_dict(founded, written), _lines(founded, written))
    return 0


def _answers(args: argparse.Namespace, home: Path, today: date) -> dict[str, str]:
    if args.answers:
        return questions.read_answers(args.answers, today, example=args.example)
    if args.example:
        return questions.example_answers(today)
    if not sys.stdin.isatty():
        raise BadInput(
            "there is nobody to ask: start at a terminal, name a file with --answers, or make an invented "
            "organisation with --example"
        )

    def accept(answers: Mapping[str, str]) -> None:
        questions.check(answers, today, example=False)
        require_fresh_anchor(home, answers.get("anchor_dir", ""))

    return questions.ask(today, lambda text: print(text, file=sys.stderr), sys.stdin.readline, accept)


def _printer(stream: TextIO) -> Callable[[Path, Sequence[Sheet]], None]:
    """Return what shows the sheets: one at a time at a terminal, else one a page."""
    is_watched = sys.stdin.isatty() and stream.isatty()

    def show(_: Path, made: Sequence[Sheet]) -> None:
        try:
            for sheet in made:
                stream.write(f"{_CLEAR}{sheet.text}" if is_watched else f"{sheet.text}\f")
                stream.flush()
                if is_watched:
                    _wait(stream, sheet)
        except OSError as error:
            raise Unavailable(
                f"the sheets could not be printed: {error.strerror}. Nothing was made; start again"
            ) from None

    return show


def _wait(stream: TextIO, sheet: Sheet) -> None:
    stream.write(f"\nPrint or copy this now, for {sheet.reader}. It is not shown again. Then press Enter. ")
    stream.flush()
    try:
        line = sys.stdin.readline()
    finally:
        stream.write(_CLEAR)
        stream.flush()
    if not line.endswith("\n"):
        raise Unavailable(
            "the terminal was closed before the last sheet was copied. Nothing was made; start again"
        )


def _writer(home: Path, folder: Path) -> Callable[[Path, Sequence[Sheet]], None]:
    """Return what writes an example's sheets to files, by default in the home that is being made."""

    def write(half_made: Path, made: Sequence[Sheet]) -> None:
        place = half_made / folder.relative_to(home) if folder.is_relative_to(home) else folder
        for sheet in made:
            Disk().write_durable(place / f"{sheet.name}.txt", sheet.text.encode(), mode=0o600)

    return write


def _as_dict(founded: Founded, written: Path) -> dict[str, object]:
    officers = {owner: key_id.hex() for owner, key_id in founded.key_ids.items() if owner != "recovery"}
    return {
        "home": str(founded.home),
        "organisation": founded.organisation,
        "example": founded.example,
        "vkey": founded.vkey,
        "officers": officers,
        "recovery": founded.key_ids["recovery"].hex(),
        "sheets": str(written) if founded.example else None,
    }


def _lines(founded: Founded, written: Path) -> list[str]:
    stamp = "EXAMPLE. " if founded.example else ""
    sheets = f"  sheets     {written}, in the clear because this is an example" if founded.example else ""
    lines = [
        f"{stamp}{founded.home} is ready for {founded.organisation}.",
        "  policy     muniment.toml (muniment policy check)",
        f"  key files  {KEY_FOLDER}/: give each officer a copy",
        sheets,
        f"Start it:  muniment up --home {founded.home}",
    ]
    return [line for line in lines if line]
