"""The invented people of an example organisation, as data and as a file of people. Free of Django."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from muniment.people.people_csv import COLUMNS
from muniment.policy.officer import OfficerRole
from muniment.policy.policyfile import PolicyFile

SHEET = "EXAMPLE-sign-in.txt"


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
