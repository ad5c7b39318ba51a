"""`muniment people invite`: makes a link with which one person chooses a password or a passkey."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from muniment.cli.options import common, emit
from muniment.people.moment import in_words
from muniment.policy.console import address_of
from muniment.policy.policyfile import load
from muniment.record.home import Home
from muniment.site.attach import attached

if TYPE_CHECKING:
    from muniment.people.account_invitation import Invited


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action to `muniment people`."""
    parser = actions.add_parser(
        "invite",
        help="make a link with which one person chooses a password or a passkey",
        description="The link works once, for three days, and takes the place of earlier ones. Hand it over so that "
        "nobody else sees it: whoever opens it first signs in as that person.",
    )
    common(parser)
    parser.add_argument("id", metavar="ID", help="the person's external_id in the register of people")
    parser.add_argument(
        "--forget-second-factor",
        action="store_true",
        help="also take away their one-time codes, passkeys and recovery codes: for a phone that is lost",
    )
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Make the invitation and print its link."""
    home = Home(args.home.absolute())
    policy = load(home.policy_file)
    with attached(home):
        from muniment.people.account_invitation import invite
        from muniment.people.sign_in import person_called

        now = datetime.now(UTC)
        made = invite(person_called(args.id, now), now, forget_second_factor=args.forget_second_factor)
    link = f"{address_of(policy.console)}invitation/{made.secret}"
    emit(args, as_json(made, link), lines(made, link))
    return 0


def as_json(made: Invited, link: str) -> dict[str, Any]:
    """Return the invitation as one object."""
    return {
        "person": made.person.external_id,
        "name": made.person.name,
        "address": made.address,
        "link": link,
        "ends": made.ends.isoformat(),
    }


def lines(made: Invited, link: str) -> Iterator[str]:
    """Yield the invitation as a person reads it."""
    yield f"For {made.person.name}, who signs in as {made.address}:"
    yield f"  {link}"
    yield f"It works once, until {in_words(made.ends)}. Whoever opens it first signs in as {made.person.name}."
