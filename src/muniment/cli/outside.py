"""`muniment outside`: what an example organisation's outside world has received."""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path
from typing import Any

from muniment.cli.options import common, emit
from muniment.policy.errors import BadInput
from muniment.record.home import Home
from muniment.serve.json_line import ask_line
from muniment.serve.sink import SOCKET

_WHO = "the outside world of the example"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "outside", help="list or show what the example's outside world has received"
    )
    common(parser)
    parser.add_argument(
        "what", nargs="?", choices=("list", "show"), default="list", help="list (default) or show ID"
    )
    parser.add_argument("id", nargs="?", type=int, help="the number of the message to show")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """List the messages, or write one as it arrived."""
    socket = Home(args.home.absolute()).run / SOCKET
    return show(args, socket) if args.what == "show" else list_messages(args, socket)


def list_messages(args: argparse.Namespace, socket: Path) -> int:
    """Print one line a message, oldest first."""
    answer = ask_line(socket, {"op": "list"}, _WHO)
    lines = ["EXAMPLE. Nothing here was delivered to anybody.", *map(_line, answer["messages"])]
    emit(args, answer, lines if answer["messages"] else [*lines, "No message has arrived yet."])
    return 0


def show(args: argparse.Namespace, socket: Path) -> int:
    """Write one message to standard output byte for byte; with `--json` its base64.

    Raises: BadInput when no message is named.
    """
    if args.id is None:
        raise BadInput("which message? Write its number, for instance `muniment outside show 1`")
    answer = ask_line(socket, {"op": "show", "id": args.id}, _WHO)
    if args.json:
        emit(args, answer, ())
        return 0
    print(f"EXAMPLE. Message {answer['id']} as the {answer['listener']} server received it:", file=sys.stderr)
    sys.stdout.flush()
    sys.stdout.buffer.write(base64.b64decode(answer["raw_base64"]))
    sys.stdout.buffer.flush()
    return 0


def _line(message: dict[str, Any]) -> str:
    to = ", ".join(message["rcpt_to"][:3]) + (" and others" if len(message["rcpt_to"]) > 3 else "")
    return (
        f"{message['id']:>5}  {message['received_at'][:19]}  {message['listener']:7} {message['size']:>9,} bytes  "
        f"{message['mail_from'] or '<>'} -> {to}  {message['subject'][:60]}"
    )
