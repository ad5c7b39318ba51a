"""`muniment keys`: turn the ring, and what to do when an officer changes, leaves, loses the words or dies."""

from __future__ import annotations

import argparse

from muniment.cli.keys import new_key, replace_officer, rotate


class _Formatter(argparse.HelpFormatter):
    """Leaves room for the longest act beside its help, which argparse reckons two columns too short."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = len("    replace-officer")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its acts."""
    parser = subparsers.add_parser(
        "keys",
        help="turn the ring, make and replace keys",
        formatter_class=_Formatter,
    )
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    for module in (rotate, new_key, replace_officer):
        module.add(acts)
