"""`muniment tour`: plays the story on real messages."""

from __future__ import annotations

import argparse

from muniment.cli.options import common


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("tour", help="play the story on real messages, step by step")
    common(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Play it."""
    return 7
