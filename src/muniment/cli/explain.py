"""`muniment explain WORD`: what a clause asks and how it is met, or why an entry was decided as it was."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import msgspec

from muniment.cli.asking import machine_secret
from muniment.cli.options import common, emit
from muniment.policy.clauses import clauses
from muniment.policy.decision import Decision
from muniment.policy.explanation import Explanation, explain
from muniment.record.catalogue import Catalogue
from muniment.record.disk import Disk
from muniment.record.entry import Capture, Direction, Kind
from muniment.record.exporting import find_entry
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.reading import open_facts, read_frame
from muniment.record.row import Row

_ENTRY = re.compile(r"[a-z-]+/\d+")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `explain`."""
    parser = subparsers.add_parser(
        "explain", help="say in plain words what a clause, rule, finding, error, outcome or entry means"
    )
    common(parser)
    parser.add_argument(
        "word",
        nargs="+",
        metavar="WORD",
        help="R-2.2-b, 5.1, L1, mail.footer, an error kind such as refused, an outcome, or an entry: mail-gateway/42",
    )
    parser.set_defaults(handler=say)


def say(args: argparse.Namespace) -> int:
    """Print the explanation of one word."""
    word = " ".join(args.word)
    found = explain_entry(Home(args.home.absolute()), word) if _ENTRY.fullmatch(word) else explain(word)
    lines = [found.subject, *(f"   {label}: {text}" for label, text in found.parts)]
    emit(args, {"parts": dict(found.parts), "subject": found.subject}, lines)
    return 0


def explain_entry(home: Home, number: str) -> Explanation:
    """Return what the keeper's share tells of an entry: its catalogue line and its Decision, never its content.

    Raises:
        Missing: there is no such entry. Unavailable: the machine secret is not at hand.
    """
    keeper = Keeper.load(home, machine_secret(home), Disk())
    with closing(Catalogue(home.database)) as catalogue:
        row = find_entry(catalogue, number)
    parts = [*_line(row), *_facts(row, open_facts(read_frame(home, row), keeper))]
    return Explanation(subject=f"{number}: entry {row.idx} of the record", parts=tuple(parts))


def _line(row: Row) -> Iterator[tuple[str, str]]:
    when = datetime.fromtimestamp(row.captured_ms / 1000, UTC)
    yield "Kind", Kind(row.kind).name.lower().replace("_", " ")
    yield "Recorded", f"{when:%d %B %Y %H:%M:%S} UTC, {Capture(row.capture).name.lower()}"
    if row.direction:
        yield "Direction", Direction(row.direction).name.lower()
    if row.size:
        sent = f"; {row.sent_size:,} as sent" if row.sent_size else ""
        yield "Size", f"{row.size:,} bytes as written{sent}"
    if row.about is not None:
        yield "About", f"entry {row.about}"


def _facts(row: Row, facts: bytes) -> Iterator[tuple[str, str]]:
    if not facts:
        return
    if row.kind != Kind.RECORD:
        for name, value in msgspec.msgpack.decode(facts, type=dict[str, object]).items():
            if name != "format":
                yield name.capitalize(), str(value)
        return
    decision = Decision.from_facts(facts)
    yield "Decision", f"{decision.outcome} by {decision.rule}, version {decision.rule_version}"
    yield "Why", decision.reason
    if decision.changes:
        yield "Changed", ", ".join(decision.changes)
    clause = clauses().get(decision.clause)
    yield "Clause", f"{decision.clause}, {clause.title}" if clause else decision.clause
    yield "Settings", f"snapshot {decision.snapshot}"
