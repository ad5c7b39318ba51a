"""`muniment status`: the state of the record, and what each seal covers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from muniment.cli.options import common, emit
from muniment.record.backup.noted import words_of
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.seals import SEALED_FIELDS


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
        "witnessed" if state["witnessed"] else "not yet witnessed"
    )
    for stream in state["streams"]:
        last = datetime.fromtimestamp(stream["last_ms"] / 1000, UTC)
        yield f"  {stream['name']:14} {stream['sequence']:>10,}  last {last:%d %b %Y %H:%M:%S} UTC"
    yield f"Sealing {state['sealing']}"
    gaps = state["gaps"]
    yield f"{gaps} gap{'s' if gaps > 1 else ''} on record" if gaps else "No gap on record"
    yield from _backup_lines(state["backup"])
    yield from (f"Problem: {problem}" for problem in state["problems"])


def _backup_lines(backup: dict[str, Any]) -> Iterator[str]:
    copied, checked = backup["copied"], backup["checked"]
    if copied is None:
        yield "Not backed up yet: muniment backup --to DIR"
        return
    yield f"Backed up {words_of(copied['time_ms'])} at {copied['where']}, {copied['size']:,} entries"
    if checked is not None:
        yield f"Checked {words_of(checked['time_ms'])} at {checked['where']}, the backup of {checked['size']:,} entries"
    if backup["must_forget"]:
        yield "The backup still holds keys of what was forgotten since, until its next run"
