"""The tables refuse what must not be, on both engines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muniment.people.models import Address, LineManagement, Person, RoleAssignment

from .files import FRIDAY, MONDAY, TUESDAY

pytestmark = pytest.mark.usefixtures("database")


def person(external_id: str = "tomas", **values: Any) -> Person:
    return Person.objects.create(external_id=external_id, name=external_id, started=MONDAY, **values)


def refused(make: Any) -> bool:
    try:
        with transaction.atomic():
            make()
    except IntegrityError:
        return True
    return False


def test_the_migrations_make_what_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    assert {model._meta.db_table for model in apps.get_app_config("people").get_models()} <= set(
        connection.introspection.table_names()
    )


def test_the_migrations_can_be_taken_back_and_made_again() -> None:
    call_command("migrate", "people", "zero", verbosity=0)
    assert "people_person" not in connection.introspection.table_names()
    call_command("migrate", verbosity=0)
    tomas = person()
    Address.objects.create(person=tomas, folded="t@training.example", started=MONDAY)
    assert refused(lambda: Address.objects.create(person=tomas, folded="t@training.example", started=TUESDAY))


@pytest.mark.parametrize("ended", [MONDAY, MONDAY - timedelta(seconds=1)])
def test_no_row_ends_before_it_has_lasted(ended: object) -> None:
    assert refused(lambda: person("nobody", ended=ended))
    one, two = person("one"), person("two")
    span = {"started": MONDAY, "ended": ended}
    assert refused(lambda: RoleAssignment.objects.create(person=one, role="staff", **span))
    assert refused(lambda: LineManagement.objects.create(person=one, manager=two, **span))
    assert refused(lambda: Address.objects.create(person=one, folded="a@training.example", **span))


def test_an_external_id_names_one_person() -> None:
    person("tomas")
    assert refused(lambda: person("tomas"))


def test_only_known_roles_are_taken() -> None:
    tomas = person()
    assert refused(lambda: RoleAssignment.objects.create(person=tomas, role="wizard", started=MONDAY))


def test_nobody_is_their_own_line_manager() -> None:
    tomas = person()
    assert refused(lambda: LineManagement.objects.create(person=tomas, manager=tomas, started=MONDAY))


def test_a_person_of_whom_something_is_recorded_cannot_be_deleted() -> None:
    tomas = person()
    RoleAssignment.objects.create(person=tomas, role="staff", started=MONDAY)
    with pytest.raises(ProtectedError):
        tomas.delete()


def test_two_line_managers_at_once_are_refused() -> None:
    tomas, olive, morgan = person("tomas"), person("olive"), person("morgan")
    LineManagement.objects.create(person=tomas, manager=olive, started=MONDAY)
    assert refused(lambda: LineManagement.objects.create(person=tomas, manager=morgan, started=FRIDAY))


def test_one_role_twice_at_once_is_refused_and_two_roles_are_not() -> None:
    tomas = person()
    RoleAssignment.objects.create(person=tomas, role="staff", started=MONDAY)
    RoleAssignment.objects.create(person=tomas, role="hr", started=MONDAY)
    assert refused(lambda: RoleAssignment.objects.create(person=tomas, role="staff", started=FRIDAY))


def test_an_end_that_is_moved_into_another_row_is_refused() -> None:
    tomas, olive = person("tomas"), person("olive")
    first = Address.objects.create(person=tomas, folded="t@training.example", started=MONDAY, ended=TUESDAY)
    Address.objects.create(person=olive, folded="t@training.example", started=TUESDAY)
    assert refused(lambda: Address.objects.filter(pk=first.pk).update(ended=FRIDAY))
    assert Address.objects.filter(pk=first.pk).update(ended=MONDAY + timedelta(hours=1)) == 1


HOURS = st.integers(0, 6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOURS, st.none() | st.integers(1, 6), HOURS, st.none() | st.integers(1, 6))
def test_two_rows_are_refused_exactly_when_they_share_a_moment(
    start: int, length: int | None, other_start: int, other_length: int | None
) -> None:
    def span(start: int, length: int | None) -> dict[str, Any]:
        started = MONDAY + timedelta(hours=start)
        return {"started": started, "ended": None if length is None else started + timedelta(hours=length)}

    Address.objects.all().delete()
    Person.objects.all().delete()
    one, two = person("one"), person("two")
    Address.objects.create(person=one, folded="a@training.example", **span(start, length))
    end = start + (length or 1000)
    other_end = other_start + (other_length or 1000)
    shares = start < other_end and other_start < end
    assert (
        refused(
            lambda: Address.objects.create(
                person=two, folded="a@training.example", **span(other_start, other_length)
            )
        )
        is shares
    )
