"""`muniment people lock`: closes one person's account at once, until they use a new invitation."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from muniment.cli.options import common, emit
from muniment.policy.policyfile import load
from muniment.record.home import Home
from muniment.site.attach import attached


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action to `muniment people`."""
    parser = actions.add_parser(
        "lock",
        help="close one person's account at once: for a password or a device in other hands",
        description="Ends their sessions, takes their password, codes and passkeys away, and voids open invitations. "
        "A new invitation opens the account again.",
    )
    common(parser)
    parser.add_argument("id", metavar="ID", help="the person's external_id in the register of people")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Close the account and say so."""
    home = Home(args.home.absolute())
    load(home.policy_file)
    with attached(home):
        from muniment.people.account_invitation import lock
        from muniment.people.sign_in import person_called

        now = datetime.now(UTC)
        person = person_called(args.id, now)
        lock(person, now)
    value = {"person": person.external_id, "name": person.name, "locked": True}
    emit(
        args,
        value,
        [f"{person.name} cannot sign in any more. Open it again: muniment people invite {args.id}"],
    )
    return 0
