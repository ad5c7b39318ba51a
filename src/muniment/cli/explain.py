"""`muniment explain WORD`: what a clause asks, how it is met, by which code, and who can change it."""

from __future__ import annotations

import argparse

from muniment.cli.options import common, emit
from muniment.policy.explanation import explain


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `explain`."""
    parser = subparsers.add_parser(
        "explain", help="say in plain words what a requirement, clause, finding, rule, error or outcome means"
    )
    common(parser)
    parser.add_argument(
        "word",
        nargs="+",
        metavar="WORD",
        help="R-2.2-b, 5.1, L1, mail.footer, an error kind such as refused, or an outcome",
    )
    parser.set_defaults(handler=say)


def say(args: argparse.Namespace) -> int:
    """Print the explanation of one word."""
    found = explain(" ".join(args.word))
    lines = [found.subject, *(f"   {label}: {text}" for label, text in found.parts)]
    emit(args, {"parts": dict(found.parts), "subject": found.subject}, lines)
    return 0
