"""`muniment reconcile`: compares the mail server's log with the record, and has the record state what came out."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from muniment.cli.options import common, emit, progress
from muniment.cli.reconcile_words import lines
from muniment.observe.log_file import ReadLog
from muniment.observe.mail_log import MailLog, Place
from muniment.observe.reconciliation import TOLERANCE_MS, begins_ms, compare, numbers_in
from muniment.policy.errors import BadInput, Missing, Unavailable
from muniment.policy.gateway import Gateway, split_address
from muniment.policy.policyfile import load
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.note import parse_note
from muniment.record.statement.reconciliation import LogFile, Reconciliation

_PLACE = "HOST:PORT"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "reconcile",
        help="compare the mail server's log with the record",
        description="Says how many messages the mail server handed on, how many are recorded, and which are not.",
        epilog="Exit codes: 0 all tallies, 4 something is missing, 7 something could not be read or judged.",
    )
    common(parser)
    parser.add_argument(
        "logs", type=Path, nargs="+", metavar="LOGFILE", help="Postfix's log, also rotated and compressed"
    )
    parser.add_argument(
        "--since", metavar="TIME", help="only what was delivered from then on, as 2026-11-24T18:00"
    )
    parser.add_argument("--until", metavar="TIME", help="only what was delivered before then")
    parser.add_argument("--zone", help="the time zone of times without one (default: this machine's)")
    parser.add_argument(
        "--gateway",
        action="append",
        default=[],
        metavar=_PLACE,
        help="the gateway as the mail server calls it, where that is not its address in the policy file",
    )
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar=_PLACE,
        help="a content filter that hands what it is given back to a server of these logs",
    )
    parser.add_argument(
        "--other-senders",
        action="store_true",
        help="servers without a log here hand in too: entries that no line names are no difference",
    )
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Compare, state, print; 4 when log and record differ, 7 when not everything could be read or judged."""
    home = Home(args.home.absolute())
    zone = _zone(args.zone)
    log = MailLog(
        [*doors(load(home.policy_file).gateway), *map(_place, args.gateway)],
        [_place(text) for text in args.filter],
        _moment_ms(args.since, zone, 0),
        _moment_ms(args.until, zone, 1 << 62),
    )
    files = _read(args.logs, log, zone)
    if not log.span.last_ms:
        raise BadInput(
            "no line of these files has a time that was asked about; name the log of the mail server, often "
            "/var/log/mail.log, and look at --since and --until"
        )
    with Recorder(home.socket) as recorder:
        found = compare(
            log,
            files,
            recorder.present(numbers_in(log)),
            recorder.passing(begins_ms(log), log.span.last_ms + TOLERANCE_MS),
            other_senders=args.other_senders,
        )
        receipt, checkpoint = recorder.state(found)
    size = parse_checkpoint(parse_note(checkpoint.encode()).text).size
    value = {
        **msgspec.to_builtins(found),
        "is_whole": found.is_whole,
        "tallies": found.tallies,
        "statement": receipt.number,
        "checkpoint": checkpoint,
    }
    emit(args, value, lines(found, receipt.number, size))
    return exit_code(found)


def exit_code(found: Reconciliation) -> int:
    """Return how the command ends."""
    if not found.tallies:
        return Missing.exit_code
    return 0 if found.is_whole else Unavailable.exit_code


def doors(gateway: Gateway) -> list[Place]:
    """Return where the gateway listens, by the policy file."""
    return [_place(text) for text in (gateway.inside, gateway.outside, gateway.journal) if text]


def _read(paths: list[Path], log: MailLog, zone: tzinfo | None) -> list[LogFile]:
    files = []
    with progress("lines read") as bar:
        for path in paths:
            read = ReadLog(path, zone)
            for event in read.events():
                log.take(event)
                bar.advance()
            files.append(read.told())
    return files


def _place(text: str) -> Place:
    found = split_address(text)
    if found is None:
        raise BadInput(f"{text!r} is not host:port; write, for instance, 127.0.0.1:2525")
    return Place(*found)


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"{name!r} is no time zone; write, for instance, Europe/London or UTC") from None


def _moment_ms(text: str | None, zone: tzinfo | None, default: int) -> int:
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text!r} is no time; write, for instance, 2026-11-24T18:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone) if zone else moment.astimezone()
    return round(moment.astimezone(UTC).timestamp() * 1000)
