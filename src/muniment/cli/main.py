"""The `muniment` command: each module of this part adds its own sub-command."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from muniment.policy.errors import MunimentError

COMMANDS = (
    "init",
    "up",
    "tour",
    "importing",
    "status",
    "verify",
    "rebuild",
    "backup",
    "restore",
    "reconcile",
    "policy",
    "people",
    "permit",
    "approve",
    "retention",
    "keys",
    "explain",
    "entry",
    "outside",
    "witness",
    "checkpoint",
)
_PIPE_CLOSED = 141  # 128 and the number of SIGPIPE, as a shell reports it


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="muniment",
        description="Makes an organisation's electronic-communications policy work.",
        epilog="Exit codes: 0 done, 2 bad input, 3 refused, 4 missing, 5 conflict, 6 tampered, 7 unavailable.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"muniment {version('muniment')}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND [ACT]", required=True)
    for name in COMMANDS:
        importlib.import_module(f"muniment.cli.{name}").add(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = build_parser().parse_args(argv)
    try:
        code = int(args.handler(args))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output, for instance `head`, has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except MunimentError as error:
        print(f"muniment: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("muniment: stopped at your request", file=sys.stderr)
        return 130
