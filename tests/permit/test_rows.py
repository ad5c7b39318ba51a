"""Rows repeat the record on both engines, are made again from it, and are refused what they must not hold."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from muniment.permit.acts import refuse, revoke, withdraw
from muniment.permit.delays import delay_notice
from muniment.permit.models import DelayOrder, Permit, PermitSubject
from muniment.permit.rows import check_rows, mend_new, rebuild
from tests.permit.desk import OUTSIDE, TOMAS, Desk


@pytest.mark.usefixtures("database")
def test_the_migrations_make_what_the_models_say() -> None:
    call_command("makemigrations", "permit", check=True, dry_run=True, verbosity=0)
    tables = connection.introspection.table_names()
    assert {"permit_permit", "permit_permitsubject", "permit_delayorder"} <= set(tables)


@pytest.mark.usefixtures("database")
def test_the_migrations_can_be_taken_back_and_made_again() -> None:
    call_command("migrate", "permit", "zero", verbosity=0)
    assert "permit_permit" not in connection.introspection.table_names()
    call_command("migrate", verbosity=0)
    assert "permit_permit" in connection.introspection.table_names()


def test_rows_are_made_again_from_the_record(desk_on_each: Desk) -> None:
    desk = desk_on_each
    desk.mail(TOMAS, OUTSIDE)
    numbers = [desk.ask().permit.number for _ in range(4)]
    ida = str(desk.person("ida").pk)
    desk.approve(numbers[0])
    until_ms = desk.clock() + 86_400_000
    delay_notice(desk.office, numbers[0], "managing-director", until_ms, "prejudice", "He would be warned.")
    refuse(desk.office, numbers[1], 1, "office-manager", "Ask the supplier.")
    withdraw(desk.office, numbers[2], ida, "Found otherwise.")
    revoke(desk.office, numbers[0], ida, "Done.")
    before = dump()
    assert [row["state"] for row in before[0]] == ["revoked", "refused", "withdrawn", "asked"]
    assert check_rows(desk.home) == []
    Permit.objects.all().delete()
    assert len(check_rows(desk.home)) == 4
    assert rebuild(desk.home) == 4
    assert dump() == before and check_rows(desk.home) == []


def dump() -> tuple[list[dict[str, Any]], ...]:
    permits = [{**row, "id": 0} for row in Permit.objects.order_by("number").values()]
    subjects = list(
        PermitSubject.objects.order_by("permit__number").values("permit__number", "person", "name")
    )
    delays = list(
        DelayOrder.objects.values("permit__number", "until", "ground", "reason", "ordered", "ended")
    )
    return permits, subjects, delays


def test_the_row_of_an_act_that_was_cut_off_is_made_soon(desk_on_each: Desk) -> None:
    """Killed between the record and the row: the record counts."""
    desk = desk_on_each
    desk.mail(TOMAS, OUTSIDE)
    number = desk.ask().permit.number
    Permit.objects.all().delete()
    assert mend_new(desk.home, desk.clock()) == [number]
    assert check_rows(desk.home) == [] and mend_new(desk.home, desk.clock()) == []
    desk.approve(number)
    Permit.objects.update(state="asked")
    assert mend_new(desk.home, desk.clock()) == [number]
    Permit.objects.update(state="asked")
    desk.clock.advance(days=1)
    assert mend_new(desk.home, desk.clock()) == []
    assert check_rows(desk.home) != []


def test_a_row_knows_no_state_but_those_of_a_permit(desk_on_each: Desk) -> None:
    desk_on_each.mail(TOMAS, OUTSIDE)
    desk_on_each.ask()
    with pytest.raises(IntegrityError), transaction.atomic():
        Permit.objects.update(state="granted")


def test_two_who_ask_at_once_get_two_numbers(desk_on_each: Desk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    from muniment.permit.acts import ask
    from muniment.permit.office import Office
    from muniment.record.client import Recorder

    desk = desk_on_each
    desk.mail(TOMAS, OUTSIDE)
    asking = desk.asking()

    def once(_: int) -> str:
        try:
            with Recorder(desk.home.socket) as recorder:
                office = Office(desk.home, desk.office.policy, recorder, desk.clock)
                return ask(office, asking).permit.number
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(pool.map(once, range(8)))
    assert numbers == [f"2026-{n:03}" for n in range(1, 9)]
    assert check_rows(desk.home) == []


def test_two_officers_who_approve_at_once_approve_once(desk_on_each: Desk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    from muniment.permit.acts import approve
    from muniment.permit.office import Office
    from muniment.policy.errors import Conflict
    from muniment.record.client import Recorder

    desk = desk_on_each
    desk.mail(TOMAS, OUTSIDE)
    number = desk.ask().permit.number
    signed = [desk.sign(number, officer) for officer in ("morgan", "olive", "morgan", "olive")]

    def once(document: bytes) -> str:
        try:
            with Recorder(desk.home.socket) as recorder:
                office = Office(desk.home, desk.office.policy, recorder, desk.clock)
                return approve(office, document).state
        except Conflict:
            return "conflict"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(once, signed)) == ["approved", "conflict", "conflict", "conflict"]
    assert [event.act.act.value for event in desk.standing(number).events] == ["ask", "approve"]
    assert check_rows(desk.home) == []
