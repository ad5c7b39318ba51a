"""`muniment import mail`: takes mail of the past into the record, exactly as stored."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from muniment.cli.options import common, emit, progress
from muniment.observe.journal import Journal
from muniment.observe.mail import MailImport, Report, journal_path
from muniment.observe.sources import Shape
from muniment.people.moment import LONDON
from muniment.policy.errors import Missing, Unavailable
from muniment.policy.policyfile import load
from muniment.policy.shield import Shielding
from muniment.policy.streams import require_row
from muniment.record.client import Recorder
from muniment.record.entry import Retention
from muniment.record.home import Home


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("import", help="take records of the past into the record")
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    mail = kinds.add_parser(
        "mail",
        help="mbox files, Maildirs and folders of messages",
        description="Records every message below PATH exactly as stored. Stopped half way, the same command goes on.",
    )
    common(mail)
    mail.add_argument("path", type=Path, metavar="PATH", help="a file, or a folder with everything below it")
    mail.add_argument(
        "--format",
        choices=[shape.value for shape in Shape],
        default=Shape.AUTO.value,
        help="what each file is taken as (default: told from the files)",
    )
    mail.add_argument(
        "--retention",
        choices=[Retention.MAIL.name.lower(), Retention.REFUSED.name.lower()],
        default=Retention.MAIL.name.lower(),
        help="the retention class, fixed for good (default: mail)",
    )
    mail.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Import and report; 7 when a file could not be read."""
    if not args.path.exists():
        raise Missing(f"{args.path} is not there; name a file or a folder with mail")
    home = Home(args.home.absolute())
    shape, retention = Shape(args.format), Retention[args.retention.upper()]
    policy = load(home.policy_file)
    require_row(policy.streams, "mail-import", datetime.now(LONDON).date())
    work = MailImport(
        args.path, shape, retention, frozenset(policy.organisation.domains), Shielding(policy.shield.names())
    )
    path = journal_path(home.path, args.path, shape, retention)
    with Recorder(home.socket) as recorder, Journal(path) as journal, progress("messages recorded") as bar:
        bar.advance(journal.counts["messages"])
        for count in work.run(recorder, journal):
            bar.advance(count)
    emit(args, as_json(work.report), lines(work.report))
    return Unavailable.exit_code if work.report.failures else 0


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as one object."""
    return {
        "found": report.found,
        "recorded": report.recorded,
        "refused": 0,
        "lost": max(0, report.found - report.recorded),
        "counts": dict(report.counts),
        "checked": report.checked,
        "defects": dict(report.defects),
        "unreadable": [{"path": _shown(each.path), "why": each.why} for each in report.failures],
        "passed_over": [
            {"path": _shown(each.path), "why": each.why} for each in report.skipped if not each.is_failure
        ],
    }


def lines(report: Report) -> Iterator[str]:
    """Yield the report in sentences."""
    counts = report.counts
    yield f"{counts['messages']:,} messages, {counts['bytes']:,} bytes"
    for name, meaning in (("eml", "one message a file"), ("mbox", "mbox"), ("maildir", "Maildir")):
        if counts[f"as {name}"]:
            yield f"  {counts[f'as {name}']:,} taken as {meaning}"
    if counts["duplicates"]:
        yield f"  {counts['duplicates']:,} had been recorded before and are kept as observations of the same bytes"
    if report.defects:
        yield f"Defects in {report.checked:,} messages looked at (all are recorded as they are):"
        yield from (f"  {count:>9,}  {name}" for name, count in report.defects.most_common())
    for each in report.skipped:
        yield f"{'Could not be read' if each.is_failure else 'Passed over'}: {_shown(each.path)}: {each.why}"
    lost = max(0, report.found - report.recorded)
    yield f"{report.recorded:,} of {report.found:,} recorded, 0 refused, {lost:,} lost"


def _shown(path: Path) -> str:
    """Return a path that can be printed whatever bytes it has."""
    return str(path).encode("utf-8", "backslashreplace").decode()
