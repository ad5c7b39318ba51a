"""`muniment backup`: one run of the backup, or a check of what lies there."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from muniment.cli.asking import machine_secret
from muniment.cli.options import common, emit, progress
from muniment.policy.errors import BadInput, Unavailable
from muniment.policy.policyfile import PolicyFile, load
from muniment.record.backup.checking import Checked, check
from muniment.record.backup.noted import Noted, words_of
from muniment.record.backup.run import Done, Run
from muniment.record.backup.sealing import Seals, root_of
from muniment.record.backup.socket import RunningRecord
from muniment.record.backup.standing import Source, StoppedRecord
from muniment.record.backup.target import Directory, target_of
from muniment.record.home import Home
from muniment.record.opening import open_record
from muniment.site.console_copy import console_copy

TAMPERED = 6


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "backup",
        help="back the record up, sealed, or check a backup",
        description="Copies what is new since the last run, sealed under a key of the machine secret, and takes out of "
        "the backup what the record has forgotten.",
    )
    parser.add_argument(
        "act",
        nargs="?",
        choices=("run", "check"),
        default="run",
        help="check reads and proves all of it instead",
    )
    common(parser)
    parser.add_argument(
        "--to", metavar="DIR", help="the backup's folder (default: backup.to of the policy file)"
    )
    parser.add_argument(
        "--anew", action="store_true", help="pass over what lies there, also another record's, and replace it"
    )
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Back up, or check."""
    home = Home(args.home.absolute())
    policy = load(home.policy_file)
    place = args.to or policy.backup.to
    if not place:
        raise BadInput(
            "no place for the backup: name a folder with --to, or write [backup] to = … in the policy file"
        )
    target = target_of(place, home)
    return _check(args, home, target) if args.act == "check" else _back_up(args, home, policy, target)


def _back_up(args: argparse.Namespace, home: Home, policy: PolicyFile, target: Directory) -> int:
    with _source(home) as source, console_copy(home, policy) as extras, progress("Bytes read") as bar:
        done = Run(home, source, target, anew=args.anew, progress=bar.advance).go(extras)
    emit(args, _as_dict(done, target), _lines(done, target))
    return 0


@contextmanager
def _source(home: Home) -> Iterator[Source]:
    """Yield whoever has the record open: the recorder, else this process, with the machine secret."""
    if running := _running(home):
        yield running
        return
    with open_record(home, machine_secret(home)) as opened:
        yield StoppedRecord(opened)


def _running(home: Home) -> RunningRecord | None:
    with suppress(Unavailable):
        return RunningRecord(home)
    return None


def _as_dict(done: Done, target: Directory) -> dict[str, object]:
    made = done.manifest
    return {
        "where": target.place,
        "run": made.run,
        "time_ms": made.time_ms,
        "size": made.size,
        "generation": made.generation,
        "bytes": made.bytes,
        "files": len(made.files),
        "stored": done.stored,
        "stored_bytes": done.stored_bytes,
        "removed": done.removed,
        "noted": done.is_noted,
        "warnings": done.warnings,
    }


def _lines(done: Done, target: Directory) -> Iterator[str]:
    made = done.manifest
    yield f"Backed up to {target.place}: {made.size:,} entries, {made.bytes:,} bytes in {len(made.files)} files"
    yield f"New in it: {done.stored_bytes:,} bytes in {done.stored} objects; taken out: {done.removed} objects"
    yield from (f"Warning: {warning}" for warning in done.warnings)


def _check(args: argparse.Namespace, home: Home, target: Directory) -> int:
    running = _running(home)
    root = running.standing().root if running else root_of(machine_secret(home))
    begun = datetime.now(UTC)
    with progress("Bytes proved") as bar:
        checked = check(target, Seals(root), bar.advance)
    if running is not None and checked.is_whole:
        running.note(_noted(checked, target, begun))
    emit(args, _checked_dict(checked, target), _checked_lines(checked, target))
    return 0 if checked.is_whole else TAMPERED


def _noted(checked: Checked, target: Directory, begun: datetime) -> Noted:
    found = checked.manifest
    return Noted(
        act="checked",
        where=target.place,
        run=found.run,
        time_ms=int(begun.timestamp() * 1000),
        size=found.size,
        generation=found.generation,
        bytes=found.bytes,
    )


def _checked_dict(checked: Checked, target: Directory) -> dict[str, object]:
    found = checked.manifest
    return {
        "where": target.place,
        "run": found.run,
        "time_ms": found.time_ms,
        "size": found.size,
        "bytes": found.bytes,
        "objects": checked.objects,
        "whole": checked.is_whole,
        "wrong": checked.wrong,
    }


def _checked_lines(checked: Checked, target: Directory) -> Iterator[str]:
    found = checked.manifest
    yield f"The backup of {words_of(found.time_ms)} at {target.place}: {found.size:,} entries, {found.bytes:,} bytes"
    if checked.is_whole:
        yield f"It is whole: {checked.objects:,} objects read, opened and compared"
        return
    yield f"{len(checked.wrong)} of its {checked.objects:,} objects are not as they must be:"
    yield from (f"  {wrong}" for wrong in checked.wrong)
    yield "Make it again with `muniment backup --anew`, on a disk that is whole"
