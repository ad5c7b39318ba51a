"""`muniment restore`: a backup becomes a home again, on an empty machine, and is proved."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from muniment.cli.asking import machine_secret
from muniment.cli.options import common, emit, progress
from muniment.policy.policyfile import load
from muniment.record.backup.manifest import CONSOLE_DUMP
from muniment.record.backup.noted import words_of
from muniment.record.backup.restoring import Restore, RestoredHome
from muniment.record.backup.target import Directory, target_of
from muniment.record.home import Home

TAMPERED = 6


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "restore",
        help="make a home from a backup, and prove it",
        description="Makes a home from a backup in an empty folder. Needs the 24 words of the sheet in the safe. "
        "Broken off, it goes on where it was when it is started again.",
    )
    parser.add_argument("where", nargs="?", type=Path, metavar="HOME", help="the folder to make; else --home")
    common(parser)
    parser.add_argument("--from", dest="source", required=True, metavar="DIR", help="the backup's folder")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="the newest checkpoint kept elsewhere: an older backup is then refused",
    )
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="restore although the checkpoint is newer; the record then says what is gone",
    )
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Restore and prove; exit with 6 when what came out is not whole."""
    home = Home((args.where or args.home).absolute().resolve())
    target = target_of(args.source, home)
    secret = machine_secret(home)
    with progress("Bytes restored") as bar:
        found = Restore(target, secret, home, progress=bar.advance).go(
            args.checkpoint, accept_loss=args.accept_loss
        )
    emit(args, _as_dict(found, home, target), _lines(found, home, target, args.checkpoint))
    return 0 if found.report.is_whole else TAMPERED


def _as_dict(found: RestoredHome, home: Home, target: Directory) -> dict[str, object]:
    manifest = found.manifest
    return {
        "home": str(home.path),
        "where": target.place,
        "run": manifest.run,
        "time_ms": manifest.time_ms,
        "size": manifest.size,
        "entries": found.rebuilt.entries,
        "segments": found.rebuilt.segments,
        "erased": found.rebuilt.unread,
        "lost_entries": found.lost_entries,
        "whole": found.report.is_whole,
        "findings": [vars(finding) for finding in found.report.findings],
    }


def _lines(found: RestoredHome, home: Home, target: Directory, checkpoint: Path | None) -> Iterator[str]:
    manifest, report = found.manifest, found.report
    yield f"{home.path} is made from the backup of {words_of(manifest.time_ms)} at {target.place}"
    yield f"  rebuilt    {found.rebuilt.entries:,} entries in {found.rebuilt.segments} segments"
    if not report.is_whole:
        yield f"  verify     {len(report.findings)} things are not as they must be; do not start this home:"
        yield from (f"    {finding}" for finding in report.findings)
        return
    yield f"  verify     the record is whole: {report.leaves:,} entries, proved again"
    if found.lost_entries:
        yield f"  lost       {found.lost_entries:,} entries that were signed later; keep the checkpoint {checkpoint}"
    elif checkpoint is None:
        yield "  not known  whether this is the newest backup: only a checkpoint kept elsewhere (--checkpoint) tells"
    yield f"What came in after {words_of(manifest.time_ms)} is not in it; the next start records that."
    database = load(home.policy_file).console.database
    if (home.path / CONSOLE_DUMP).exists():
        yield f"Put the console's rows back:  pg_restore --no-owner --dbname='{database}' {home.path / CONSOLE_DUMP}"
    yield f"Start it:  muniment up --home {home.path}"
