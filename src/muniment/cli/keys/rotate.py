"""`muniment keys rotate`: the keeper's ring is written under a fresh wrapping key; copies made before are useless."""

from __future__ import annotations

import argparse

from muniment.cli.options import common, emit
from muniment.record.client import Recorder
from muniment.record.home import Home


def add(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the act to `muniment keys`."""
    parser = acts.add_parser(
        "rotate",
        help="turn the keeper's ring: copies of it made before are useless",
        description="Done by the running recorder; nothing stops meanwhile. The record states the turn.",
    )
    common(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Have the recorder turn the ring and say what that means."""
    with Recorder(Home(args.home.absolute()).socket) as recorder:
        told = recorder.do("turn-ring")
    lines = [
        f"The ring is turned; it is number {told['generation']}, and the record states it.",
        "Copies of ring.* made before open nothing any more. Make a new backup of record/keeper now.",
        "Who copied the whole folder before and has the machine secret still has what the machine opened until then.",
    ]
    emit(args, told, lines)
    return 0
