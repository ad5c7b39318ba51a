"""`muniment status`: the state of the record, and what each seal covers."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from muniment.cli.options import common, emit
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.seals import SEALED_FIELDS
from muniment.record.witnessed.words import NOT_YET, witnessed_words


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("status", help="say how the record stands and what each seal covers")
    common(parser)
    parser.add_argument("--seals", action="store_true", help="print which field is under which seal")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the state of the record."""
    if args.seals:
        rows = [{"field": f, "seal": s, "opened_by": by} for f, s, by in SEALED_FIELDS]
        emit(args, {"seals": rows}, (f"{r['seal']:7} {r['field']:42} {r['opened_by']}" for r in rows))
        return 0
    with Recorder(Home(args.home.absolute()).socket) as recorder:
        state = recorder.status()
    emit(args, state, _lines(state))
    return 0 if not state["problems"] else 7


def _lines(state: dict[str, Any]) -> Iterator[str]:
    if state["example"]:
        yield "EXAMPLE"
    yield f"{state['origin']}: {state['size']:,} entries, {state['stored_bytes']:,} bytes sealed"
    when = datetime.fromtimestamp(state["checkpoint_time_ms"] / 1000, UTC)
    yield f"Last checkpoint {when:%d %B %Y %H:%M:%S} UTC over {state['published']:,} entries; " + (
        witnessed_words(state, time.time_ns() // 1_000_000) or NOT_YET
    )
    for stream in state["streams"]:
        last = datetime.fromtimestamp(stream["last_ms"] / 1000, UTC)
        yield f"  {stream['name']:14} {stream['sequence']:>10,}  last {last:%d %b %Y %H:%M:%S} UTC"
    gaps = state["gaps"]
    yield f"{gaps} gap{'s' if gaps > 1 else ''} on record" if gaps else "No gap on record"
    yield from (f"Problem: {problem}" for problem in state["problems"])
