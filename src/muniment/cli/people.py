"""`muniment people`: brings the register of people in line with a CSV file; invites a person to sign in."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muniment.cli import people_invite, people_lock
from muniment.cli.options import common, emit
from muniment.policy.errors import BadInput, Missing, Unavailable
from muniment.policy.policyfile import load
from muniment.record.home import Home
from muniment.site.attach import attached

if TYPE_CHECKING:
    from muniment.people.plan import Change, Plan


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("people", help="say who is who: roles, line managers, addresses")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    imports = actions.add_parser(
        "import",
        help="bring the register in line with a CSV file",
        description="Columns: external_id, name, roles, line_manager, addresses, from, until; several roles or "
        "addresses are parted by semicolons. Nothing is written when anything in the file is wrong.",
    )
    common(imports)
    imports.add_argument("file", type=Path, metavar="FILE", help="a CSV file in UTF-8, parted by commas")
    imports.add_argument("--dry-run", action="store_true", help="say what would be done and write nothing")
    imports.add_argument(
        "--complete", action="store_true", help="the file names everybody: end the stay of who is not in it"
    )
    imports.set_defaults(handler=run)
    people_invite.add(actions)
    people_lock.add(actions)


def run(args: argparse.Namespace) -> int:
    """Import, compile the snapshot, and report; 2 when the file holds mistakes."""
    data = _read(args.file)
    home = Home(args.home.absolute())
    policy = load(home.policy_file)
    with attached(home):
        from muniment.people.compiler import compile_snapshot
        from muniment.people.register import import_people

        plan = import_people(
            data,
            moment=datetime.now(UTC),
            example=policy.example,
            complete=args.complete,
            dry_run=args.dry_run,
        )
        if not plan.mistakes and not args.dry_run:
            compile_snapshot(policy, home)
    emit(args, as_json(plan, dry_run=args.dry_run), lines(plan, dry_run=args.dry_run))
    return BadInput.exit_code if plan.mistakes else 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise Missing(f"{path} is not there; name a CSV file of people") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error


def as_json(plan: Plan, *, dry_run: bool) -> dict[str, Any]:
    """Return the report as one object."""
    done = not plan.mistakes
    return {
        "written": done and not dry_run,
        "added": [vars(change) for change in plan.added] if done else [],
        "changed": [vars(change) for change in plan.changed] if done else [],
        "ended": [vars(change) for change in plan.ended] if done else [],
        "unchanged": plan.unchanged if done else 0,
        "mistakes": [mistake.as_dict() for mistake in plan.mistakes],
    }


def lines(plan: Plan, *, dry_run: bool) -> Iterator[str]:
    """Yield the report as a person reads it."""
    if plan.mistakes:
        count = len(plan.mistakes)
        yield f"{count} mistake{'s' if count > 1 else ''}; nothing was written:"
        yield from (f"  {mistake}" for mistake in plan.mistakes)
        return
    for label, changes in (("Added", plan.added), ("Changed", plan.changed), ("Ended", plan.ended)):
        yield f"{label}: {len(changes)}"
        yield from map(_line, changes)
    yield f"Unchanged: {plan.unchanged}"
    yield "This was a dry run: nothing was written." if dry_run else "Written."


def _line(change: Change) -> str:
    return f"  {change.external_id}, {change.name}: {'; '.join(change.what)}"
