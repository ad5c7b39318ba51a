"""`muniment status`: the state of the record, and what each seal covers."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from muniment.cli.options import common, emit
from muniment.record.backup.noted import words_of
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
    return 7 if state["problems"] or state["silences"] else 0


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
    yield f"Sealing {state['sealing']}"
    gaps = state["gaps"]
    yield from _standing(state)
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


def _standing(state: dict[str, Any]) -> Iterator[str]:
    """Yield whether anything is left out: the last reconciliation, silent streams, alarms."""
    found = state["reconciliation"]
    if found is None:
        yield "The mail server's log has not been compared with the record"
    else:
        figures = (
            f"accepted {found['accepted']:,}, recorded {found['recorded']:,}, missing {found['missing']:,}"
        )
        judged = "" if found["is_whole"] else " so far as could be judged"
        verdict = "" if found["tallies"] else "; log and record differ"
        yield f"Reconciled {_time(found['at_ms'])} UTC ({found['number']}): {figures}{judged}{verdict}"
    for each in state["silences"]:
        yield f"Silent: {each['stream']} since {_time(each['since_ms'])} UTC, for more than {each['hours']} hours"
    alarms = state["alarms"]
    for each in alarms["newest"][:5]:
        yield f"One Message-ID, two texts: {each['entry']} and {each['earlier']}"
    if alarms["total"] > 5:
        yield f"  {alarms['total']:,} such alarms in all"


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%d %b %Y %H:%M:%S}"
