"""The invented people of an example organisation, and one generated password they all sign in with.

1. When the register is empty, they are imported into it, as any file of people is.
2. Whoever of them is here gets an account with the password, which is written to HOME/sheets/EXAMPLE-sign-in.txt.
3. While that file is there and every account is, nothing is changed; so it is safe to repeat.

A real organisation has neither: `make_example_accounts` refuses it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.contrib.auth.hashers import make_password

from muniment.people.account import Account
from muniment.people.example_people import EXAMPLE_PEOPLE, SHEET, people_file
from muniment.people.models import Person
from muniment.people.register import addresses_of, at, import_people
from muniment.people.sign_in import open_account
from muniment.policy.errors import BadInput, Refused
from muniment.policy.policyfile import PolicyFile
from muniment.record.disk import Disk
from muniment.record.home import Home

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def make_example_accounts(home: Home, policy: PolicyFile, moment: datetime) -> None:
    """Make the people and accounts of an example home, and the sheet with their password.

    Raises: Refused for a real organisation; BadInput when the register does not take them.
    """
    if not policy.example:
        raise Refused(
            "a real organisation gets no invented people: import your own, then invite them", clause="R-1.S-b"
        )
    if not Person.objects.exists():
        plan = import_people(people_file(policy, moment), moment=moment, example=True)
        if plan.mistakes:
            raise BadInput(f"the example's people do not fit this policy file: {plan.mistakes[0]}")
    sheet = home.path / "sheets" / SHEET
    ids = [person.id for person in EXAMPLE_PEOPLE]
    people = [
        each for each in Person.objects.filter(at(moment), external_id__in=ids) if addresses_of(each, moment)
    ]
    known = set(Account.objects.filter(person__in=people).values_list("person_id", flat=True))
    if people and (not sheet.exists() or {each.pk for each in people} - known):
        password = draw_password()
        accounts = [open_account(person, moment) for person in people]
        _give(accounts, password)
        Disk().write_durable(sheet, "\n".join(_sheet(accounts, password)).encode(), mode=0o600)


def draw_password() -> str:
    """Return a new password of four groups of four, 79 bits, without letters that look alike."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def _give(accounts: Sequence[Account], password: str) -> None:
    """Give all the one password; it is hashed once, because that is meant to be slow."""
    hashed = make_password(password)
    for account in accounts:
        account.password = hashed
        account.save(update_fields=["password"])


def _sheet(accounts: Sequence[Account], password: str) -> Iterator[str]:
    yield "EXAMPLE   EXAMPLE   EXAMPLE   EXAMPLE"
    yield ""
    yield "Every invented person of this example signs in at the console with their address and this password:"
    yield ""
    yield f"    {password}"
    yield ""
    for account in accounts:
        yield f"    {account.email:32} {account.person.name}"
    yield ""
    yield "A real organisation has no such sheet: muniment people invite ID makes a link for one person."
    yield ""
