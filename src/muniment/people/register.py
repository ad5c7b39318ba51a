"""The register of people in the database: questions of a moment, and the import of a file.

Only the console's process and the commands call this; data planes read the snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Model, Q

from muniment.people import people_csv
from muniment.people.address import fold_or_none
from muniment.people.fact import About, Fact, Known
from muniment.people.models import Address, LineManagement, Person, RoleAssignment
from muniment.people.plan import Plan, make_plan
from muniment.people.role import Role
from muniment.people.span import Span
from muniment.policy.errors import BadInput, Conflict


def at(moment: datetime) -> Q:
    """Return the condition of rows that hold at `moment`."""
    return Q(started__lte=moment) & (Q(ended__isnull=True) | Q(ended__gt=moment))


def who_had(address: str, moment: datetime) -> Person | None:
    """Return who held a mail address at a moment, None when nobody did or it is no address."""
    folded = fold_or_none(address)
    held = Address.objects.filter(at(moment), kind="mail", folded=folded).select_related("person").first()
    return held.person if held else None


def addresses_of(person: Person, moment: datetime) -> tuple[str, ...]:
    """Return the folded mail addresses a person holds at a moment, in the order they got them."""
    held = Address.objects.filter(at(moment), person=person, kind="mail").order_by("started", "folded")
    return tuple(held.values_list("folded", flat=True))


def line_above(person: Person, moment: datetime) -> list[Person]:
    """Return a person's line manager at a moment, that one's line manager, and so on to the top."""
    above: list[Person] = []
    seen = {person.pk}
    link = LineManagement.objects.filter(at(moment)).select_related("manager")
    found = link.filter(person=person).first()
    while found is not None and found.manager_id not in seen:
        seen.add(found.manager_id)
        above.append(found.manager)
        found = link.filter(person=found.manager).first()
    return above


def roles_of(person: Person, moment: datetime) -> frozenset[Role]:
    """Return the roles of a person at a moment."""
    held = RoleAssignment.objects.filter(at(moment), person=person).values_list("role", flat=True)
    return frozenset(map(Role, held))


def import_people(
    data: bytes, *, moment: datetime, example: bool, complete: bool = False, dry_run: bool = False
) -> Plan:
    """Bring the register in line with a CSV file and return what was done, or with `dry_run` what would be.

    All of the file is written or, when the plan holds mistakes, nothing.

    Raises: BadInput when the bytes are no file of people; Conflict when the register changed meanwhile.
    """
    rows, mistakes = people_csv.read(data, example=example)
    if not rows and not mistakes:
        raise BadInput("the file names nobody; expected a row for each person below the heading")
    try:
        with transaction.atomic():
            _wait_for_other_imports()
            plan = make_plan(rows, known_people(), moment, complete=complete)
            plan.mistakes = sorted([*mistakes, *plan.mistakes])
            if not plan.mistakes and not dry_run:
                _write(plan)
    except IntegrityError as error:
        message = (
            "the register of people was changed by somebody else meanwhile; nothing was written; try again"
        )
        raise Conflict(message) from error
    return plan


def _wait_for_other_imports() -> None:
    """Hold the register for oneself until the transaction ends; SQLite does so by itself when it begins one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {Person._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def known_people() -> dict[str, Known]:
    """Return everybody in the register with every fact recorded of them, by external id."""
    external: dict[Any, str] = dict(Person.objects.values_list("pk", "external_id"))
    facts: dict[str, list[Fact]] = defaultdict(list)
    for about, (model, column) in _TABLES.items():
        rows = model._default_manager.order_by("pk").values_list(
            "pk", "person_id", column, "started", "ended"
        )
        for row, person, value, started, ended in rows:
            stated = external[value] if about is About.MANAGER else value
            holder = external[person]
            facts[holder].append(Fact(about, holder, stated, Span(started, ended), row))
    return {
        person.external_id: Known(
            person.external_id,
            person.name,
            Span(person.started, person.ended),
            tuple(facts[person.external_id]),
        )
        for person in Person.objects.order_by("external_id")
    }


_TABLES: dict[About, tuple[type[Model], str]] = {
    About.ROLE: (RoleAssignment, "role"),
    About.MANAGER: (LineManagement, "manager_id"),
    About.ADDRESS: (Address, "folded"),
}


def _write(plan: Plan) -> None:
    """Write a plan without mistakes: first people, then what ends, then what starts."""
    for external_id, (name, span) in plan.persons.items():
        values = {"name": name, "started": span.start, "ended": span.end}
        Person.objects.update_or_create(external_id=external_id, defaults=values)
    for fact in plan.difference.withdrawn:
        _TABLES[fact.about][0]._default_manager.filter(pk=fact.row).delete()
    for _, fact in plan.difference.ends:
        _TABLES[fact.about][0]._default_manager.filter(pk=fact.row).update(ended=fact.span.end)
    keys: dict[str, Any] = dict(Person.objects.values_list("external_id", "pk"))
    for about, (model, column) in _TABLES.items():
        model._default_manager.bulk_create(
            model(
                **{
                    "person_id": keys[fact.person],
                    column: keys[fact.value] if about is About.MANAGER else fact.value,
                    "started": fact.span.start,
                    "ended": fact.span.end,
                }
            )
            for fact in plan.difference.starts
            if fact.about is about
        )
