"""The invented people of an example organisation, and one generated password they all sign in with.

1. When the register is empty, they are imported into it, as any file of people is.
2. Whoever of them is here gets an account with the password, which is written to HOME/sheets/EXAMPLE-sign-in.txt.
3. While that file is there and every account is, nothing is changed; so it is safe to repeat.

A real organisation has neither: `make_example_accounts` refuses it.
"""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.hashers import make_password

from muniment.people.account import Account
from muniment.people.models import Person
from muniment.people.people_csv import COLUMNS
from muniment.people.register import at, import_people
from muniment.people.sign_in import addresses_of, open_account
from muniment.policy.errors import BadInput, Refused
from muniment.policy.officer import OfficerRole
from muniment.policy.policyfile import PolicyFile
from muniment.record.disk import Disk
from muniment.record.home import Home

SHEET = "EXAMPLE-sign-in.txt"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class ExamplePerson:
    """One invented person: the id and the roles as a file of people states them, and who they answer to."""

    id: str
    name: str
    roles: str
    address: str
    manager: str = ""


EXAMPLE_PEOPLE: Sequence[ExamplePerson] = (
    ExamplePerson("md", "Morgan Example", "managing_director; line_manager", "morgan@training.example"),
    ExamplePerson("om", "Olive Example", "office_manager; line_manager", "olive@training.example", "md"),
    ExamplePerson("chair", "Chris Example", "alternate; governor", "chris@chair.example"),
    ExamplePerson("it", "Ida Byte", "it_support", "ida@training.example", "om"),
    ExamplePerson("dpo", "Dana Shield", "data_protection_officer", "dana@training.example"),
    ExamplePerson("hr", "Hari Hughes", "hr; line_manager", "hari@training.example", "md"),
    ExamplePerson("auditor", "Audrey Page", "auditor", "audrey@training.example"),
    ExamplePerson("safeguarding", "Sasha Guard", "staff; safeguarding_lead", "sasha@training.example", "md"),
    ExamplePerson("union", "Una Voice", "staff; union_representative", "una@training.example", "om"),
    ExamplePerson("tomas", "Tomás Tutor", "staff", "tomas@training.example", "om"),
    ExamplePerson("tara", "Tara Tutor", "staff", "tara@training.example", "om"),
    ExamplePerson("stella", "Stella Student", "student", "stella@training.example"),
    ExamplePerson("sam", "Sam Student", "student", "sam@training.example"),
)
_OFFICES = {
    OfficerRole.MANAGING_DIRECTOR: "md",
    OfficerRole.OFFICE_MANAGER: "om",
    OfficerRole.ALTERNATE: "chair",
}


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


def people_file(policy: PolicyFile, moment: datetime) -> bytes:
    """Return the people as a CSV file: officers under the policy file's names and addresses, all since last year."""
    since = date(moment.year - 1, 1, 1)
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for each in people_of(policy):
        rows.writerow((each.id, each.name, each.roles, each.manager, each.address, since, ""))
    return text.getvalue().encode()


def people_of(policy: PolicyFile) -> Iterator[ExamplePerson]:
    """Yield the people as they are in this example: its officers have its officers' names and addresses."""
    officers = {_OFFICES[officer.role]: officer for officer in reversed(policy.officers)}
    domain = sorted(policy.organisation.domains)[0]
    there = {each.id for each in EXAMPLE_PEOPLE if each.id not in _OFFICES.values() or each.id in officers}
    for each in EXAMPLE_PEOPLE:
        if each.id not in there:
            continue
        officer = officers.get(each.id)
        name, address = (officer.name, officer.address) if officer else (each.name, each.address)
        if officer is None:
            address = address.replace("training.example", domain)
        yield ExamplePerson(each.id, name, each.roles, address, each.manager if each.manager in there else "")


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
