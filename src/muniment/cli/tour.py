"""`muniment tour`: plays the story on real messages, step by step, with the clause each step serves."""

from __future__ import annotations

import argparse
import json
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from muniment.cli.stage import Stage
from muniment.cli.story import PROVING, RESTARTED, RUNNING, STEPS, Broken, Step
from muniment.cli.story_looking import LOOKING
from muniment.policy.errors import Conflict, MunimentError
from muniment.record.home import Home

BROKEN = 1


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "tour",
        help="play the story on real messages, step by step",
        description="Plays on an example home of its own, with real processes on free ports of this machine. "
        "Nothing leaves the machine. Exit code 1 when a step did not do what it says.",
    )
    parser.add_argument(
        "--home", type=Path, help="play here and leave the home standing (default: a folder that goes)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Play every step; stop at the first that is broken."""
    told: list[dict[str, Any]] = []
    with _place(args.home) as path:
        stage = Stage(Home(path))
        broken = ""
        try:
            for step in _played(stage):
                told.append(_tell(step, stage, len(told) + 1, quiet=args.json))
        except (Broken, MunimentError) as error:
            broken = str(error)
    if args.json:
        print(json.dumps({"example": True, "steps": told, "broken": broken}, ensure_ascii=False))
    elif broken:
        print(f"\nBROKEN: {broken}")
    else:
        print(f"\nAll {len(told)} steps did what they say.")
    return BROKEN if broken else 0


def _played(stage: Stage) -> Iterator[Step]:
    """Yield the steps in order, with what must run around them running."""
    yield from STEPS
    for steps in (RUNNING, (*RESTARTED, *LOOKING)):
        with stage.running():
            yield from steps
    yield from PROVING


def _tell(step: Step, stage: Stage, number: int, *, quiet: bool) -> dict[str, Any]:
    """Play one step; print its title before and what came of it after."""
    if not quiet:
        print(f"\n{number}. {step.title}  [{step.clause}]", flush=True)
    stage.ran.clear()
    facts = list(step.play(stage))
    commands = [ran.typed.replace(str(stage.home.path), "HOME") for ran in stage.ran]
    if not quiet:
        for command in commands:
            print(f"   $ {command}")
        for fact in facts:
            print(textwrap.fill(fact, 100, initial_indent="   ", subsequent_indent="   "), flush=True)
    return {
        "number": number,
        "clause": step.clause,
        "title": step.title,
        "commands": commands,
        "facts": facts,
    }


@contextmanager
def _place(home: Path | None) -> Iterator[Path]:
    """Yield where to play: `home`, or a folder that goes when the tour is over.

    Raises:
        Conflict: `home` is there already.
    """
    if home is not None:
        if home.exists():
            raise Conflict(
                f"{home} is there already; the tour makes its own home: name a new folder, or none"
            )
        yield home.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="muniment-tour-") as folder:
        yield Path(folder) / "home"
