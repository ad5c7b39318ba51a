"""`muniment verify`: proves the record again from its bytes and names whatever is wrong."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from muniment.cli.options import common, emit, progress
from muniment.policy.errors import MunimentError
from muniment.policy.policyfile import load
from muniment.record import machine
from muniment.record.checks import check_anchor, check_checkpoint
from muniment.record.comparison import compare_catalogue
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.ledger.vkey import parse_vkey
from muniment.record.opening import VKEY_FILE, origin_of
from muniment.record.verify import Check, Report, verify

TAMPERED = 6


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("verify", help="prove the whole record again and name what is wrong")
    common(parser)
    parser.add_argument(
        "--checkpoint", type=Path, help="a checkpoint kept elsewhere, which the record must continue"
    )
    parser.add_argument(
        "--vkey", help="the ledger's key from the sheet in the safe; else the one in the home is used"
    )
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Check everything, print what was found, and exit with 6 when anything is wrong."""
    home = Home(args.home.absolute())
    with progress("Checked") as bar:
        report = prove(home, args.checkpoint, args.vkey, bar.advance)
    emit(args, _as_dict(report), _lines(report))
    return 0 if report.is_whole else TAMPERED


def prove(home: Home, checkpoint: Path | None, vkey: str | None, advance: Callable[[int], None]) -> Report:
    """Return the result of every check that can be made here."""
    policy = load(home.policy_file)
    origin = origin_of(policy)
    keys = [parse_vkey(vkey or (home.ledger / VKEY_FILE).read_text().strip())]
    checks: list[Check] = [check_checkpoint(origin, keys)]
    if policy.record.anchor_dir:
        anchor = Path(policy.record.anchor_dir) / "checkpoint"
        if anchor.exists():
            checks.append(check_anchor(anchor, origin, keys))
    if checkpoint is not None:
        checks.append(check_anchor(checkpoint, origin, keys))
    try:
        checks.append(
            compare_catalogue(home, Keeper.load(home, machine.find(home, os.environ, None), Disk()))
        )
    except MunimentError as error:
        print(f"The catalogue is not compared with the entries: {error}", file=sys.stderr)
    return verify(home, origin, checks, advance)


def _as_dict(report: Report) -> dict[str, object]:
    return {
        "whole": report.is_whole,
        "leaves": report.leaves,
        "segments": report.segments,
        "stored_bytes": report.stored_bytes,
        "seconds": round(report.seconds, 3),
        "findings": [vars(finding) for finding in report.findings],
        "notes": report.notes,
    }


def _lines(report: Report) -> Iterator[str]:
    if report.is_whole:
        yield f"The record is whole: {report.leaves:,} entries in {report.segments} segments, proved again"
    else:
        count = len(report.findings)
        yield "1 thing is not as it must be:" if count == 1 else f"{count} things are not as they must be:"
        yield from (f"  {finding}" for finding in report.findings)
    yield from report.notes
    rate = report.leaves / report.seconds if report.seconds else 0
    yield f"{report.stored_bytes:,} bytes in {report.seconds:.2f} s, {rate:,.0f} entries a second"
