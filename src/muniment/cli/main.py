"""The `muniment` command: each module of this part adds its own sub-command."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from muniment.policy.errors import MunimentError

COMMANDS = (
    "init",
    "up",
    "tour",
    "importing",
    "status",
    "verify",
    "rebuild",
    "policy",
    "people",
    "explain",
    "entry",
    "outside",
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="muniment",
        description="Makes an organisation's electronic-communications policy work.",
        epilog="Exit codes: 0 done, 2 bad input, 3 refused, 4 missing, 5 conflict, 6 tampered, 7 unavailable.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"muniment.cli.{name}").add(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = build_parser().parse_args(argv)
    try:
        return int(args.handler(args))
    except MunimentError as error:
        print(f"muniment: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("muniment: stopped at your request", file=sys.stderr)
        return 130
