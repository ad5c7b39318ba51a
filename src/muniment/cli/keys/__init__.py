"""`muniment keys`: who can open what, and what to do when an officer changes, leaves, loses the words or dies."""

from __future__ import annotations

import argparse
from functools import partial

from muniment.cli.keys import new_key, replace_officer, rotate


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its acts."""
    parser = subparsers.add_parser(
        "keys",
        help="say who can open what; turn, replace, recover and drill keys",
        formatter_class=partial(argparse.HelpFormatter, max_help_position=28),
    )
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    for module in (rotate, new_key, replace_officer):
        module.add(acts)
