"""`muniment rebuild`: makes catalogue and tiles again from the sealed segments."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from muniment.cli.asking import machine_secret
from muniment.cli.options import common, emit, progress
from muniment.policy.policyfile import load
from muniment.record.home import Home
from muniment.record.opening import origin_of
from muniment.record.rebuild import rebuild


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("rebuild", help="make the catalogue and the tiles again from the segments")
    common(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Rebuild, with the recorder stopped."""
    home = Home(args.home.absolute())
    secret = machine_secret(home)
    with progress("Rebuilt") as bar:
        made = rebuild(home, origin_of(load(home.policy_file)), secret, progress=bar.advance)
    lines = [f"Catalogue and tiles made again from {made.segments} segments: {made.entries:,} entries"]
    if made.unread:
        lines.append(f"{made.unread:,} entries were erased by order; only their leaves are known")
    emit(args, asdict(made), lines)
    return 0
