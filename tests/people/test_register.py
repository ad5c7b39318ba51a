"""The register of people: what an import writes, and what was true at a moment. On both engines."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from muniment.cli.people import as_json
from muniment.people.fact import About
from muniment.people.models import Address, LineManagement, Person, RoleAssignment
from muniment.people.plan import Plan
from muniment.people.register import import_people, known_people, line_above, roles_of, who_had
from muniment.people.role import Role
from muniment.policy.errors import BadInput, Conflict

from .files import EVERYBODY, FRIDAY, MONDAY, MORGAN, OLIVE, STELLA, TOMAS, TUESDAY, people_file, row

pytestmark = pytest.mark.usefixtures("database")
HOUR = timedelta(hours=1)


def imported(*rows: tuple[str, ...], at: datetime = MONDAY, **options: Any) -> Plan:
    """Import these rows: first dry, then really; both say the same and only the second writes."""
    data, before = people_file(*rows), everything()
    dry = import_people(data, moment=at, example=True, dry_run=True, **options)
    assert everything() == before
    plan = import_people(data, moment=at, example=True, **options)
    assert as_json(dry, dry_run=True) | {"written": True} == as_json(plan, dry_run=False) | {"written": True}
    if plan.mistakes:
        assert everything() == before
    else:
        again = import_people(data, moment=at, example=True, dry_run=True, **options)
        assert (again.added, again.changed, again.ended) == ([], [], [])
    return plan


def everything() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Person, RoleAssignment, LineManagement, Address)
    ]


def mistakes(plan: Plan) -> list[str]:
    return [str(mistake) for mistake in plan.mistakes]


def words(changes: list[Any]) -> dict[str, tuple[str, ...]]:
    return {change.external_id: change.what for change in changes}


def who(address: str, at: datetime) -> str | None:
    found = who_had(address, at)
    return found.external_id if found else None


def above(external_id: str, at: datetime) -> list[str]:
    return [person.external_id for person in line_above(Person.objects.get(external_id=external_id), at)]


def roles(external_id: str, at: datetime) -> set[Role]:
    return set(roles_of(Person.objects.get(external_id=external_id), at))


def test_new_people_come_with_roles_line_and_addresses() -> None:
    plan = imported(*EVERYBODY)
    assert words(plan.added)["olive"] == (
        "here from 2 November 2026 at 9.00 am",
        "role HR",
        "role Office manager",
        "address office@training.example",
        "address olive@training.example",
        "answers to morgan",
    )
    assert len(plan.added) == 4
    assert roles("olive", MONDAY) == {Role.HR, Role.OFFICE_MANAGER}
    assert roles("olive", MONDAY - HOUR) == set()
    assert above("tomas", MONDAY) == ["olive", "morgan"]
    assert who("OFFICE@Training.Example", MONDAY) == "olive"
    assert who("nobody@training.example", MONDAY) is None
    assert who("no address", MONDAY) is None


def test_the_same_file_again_changes_nothing() -> None:
    imported(*EVERYBODY)
    plan = imported(*EVERYBODY, at=TUESDAY)
    assert (plan.unchanged, plan.added, plan.changed, plan.ended) == (4, [], [], [])


def test_a_change_ends_the_old_and_starts_the_new_at_the_moment_of_the_import() -> None:
    imported(*EVERYBODY)
    moved = row("tomas", "Tomás Tutor", "staff; union_representative", "morgan", "t@training.example")
    plan = imported(MORGAN, OLIVE, moved, STELLA, at=TUESDAY)
    assert words(plan.changed) == {
        "tomas": (
            "name from Tomas to Tomás Tutor",
            "answers to olive until 3 November 2026 at 9.00 am",
            "address tomas@training.example until 3 November 2026 at 9.00 am",
            "role Union representative from 3 November 2026 at 9.00 am",
            "address t@training.example from 3 November 2026 at 9.00 am",
            "answers to morgan from 3 November 2026 at 9.00 am",
        )
    }
    assert plan.unchanged == 3
    just_before = TUESDAY - timedelta(microseconds=1)
    assert who("tomas@training.example", just_before) == "tomas"
    assert who("tomas@training.example", TUESDAY) is None
    assert who("t@training.example", just_before) is None
    assert who("t@training.example", TUESDAY) == "tomas"
    assert above("tomas", just_before) == ["olive", "morgan"]
    assert above("tomas", TUESDAY) == ["morgan"]
    assert roles("tomas", TUESDAY) == {Role.STAFF, Role.UNION_REPRESENTATIVE}


def test_an_address_passes_from_one_to_another_and_history_knows_both() -> None:
    imported(row("a", addresses="head@training.example"), row("b"))
    imported(row("a"), row("b", addresses="head@training.example"), at=TUESDAY)
    assert [who("head@training.example", at) for at in (MONDAY, TUESDAY - HOUR, TUESDAY, FRIDAY)] == list(
        "aabb"
    )


def test_an_end_ends_everything_a_person_has_and_the_line_below_them() -> None:
    imported(*EVERYBODY)
    plan = imported(row("olive", roles="office_manager; hr", line_manager="morgan",
                        addresses="olive@training.example; office@training.example", until="2026-11-06"))  # fmt: skip
    leaves = datetime.fromisoformat("2026-11-06T00:00+00:00")
    assert set(words(plan.ended)) == {"olive"}
    assert words(plan.ended)["olive"][0] == "ends 6 November 2026"
    assert words(plan.changed) == {"tomas": ("answers to olive until 6 November 2026",)}
    assert who("olive@training.example", leaves - HOUR) == "olive"
    assert who("olive@training.example", leaves) is None
    assert (roles("olive", leaves), above("olive", leaves), above("tomas", leaves)) == (set(), [], [])


def test_a_complete_file_ends_whom_it_does_not_name() -> None:
    imported(*EVERYBODY)
    plan = imported(MORGAN, OLIVE, at=TUESDAY, complete=True)
    assert set(words(plan.ended)) == {"tomas", "stella"}
    assert who("tomas@training.example", TUESDAY) is None
    assert Person.objects.get(external_id="tomas").ended == TUESDAY
    assert imported(MORGAN, OLIVE, at=FRIDAY, complete=True).ended == []


def test_a_partial_file_leaves_the_others_alone() -> None:
    imported(*EVERYBODY)
    assert imported(MORGAN, at=TUESDAY).unchanged == 1
    assert who("tomas@training.example", FRIDAY) == "tomas"


def test_who_left_may_come_back_under_the_same_pseudonym() -> None:
    imported(MORGAN, OLIVE, TOMAS)
    before = Person.objects.get(external_id="tomas").pk
    imported(MORGAN, OLIVE, at=TUESDAY, complete=True)
    plan = imported(TOMAS, at=FRIDAY)
    assert words(plan.added)["tomas"][0] == "here again from 6 November 2026 at 9.00 am"
    assert Person.objects.get(external_id="tomas").pk == before
    address = "tomas@training.example"
    assert [who(address, at) for at in (MONDAY, TUESDAY, FRIDAY)] == ["tomas", None, "tomas"]


def test_somebody_may_be_known_before_they_come() -> None:
    imported(
        MORGAN, row("nina", line_manager="morgan", addresses="nina@training.example", start="2026-12-01")
    )
    december = datetime.fromisoformat("2026-12-01T00:00+00:00")
    assert who("nina@training.example", december - HOUR) is None
    assert who("nina@training.example", december) == "nina"
    plan = imported(MORGAN, row("nina", line_manager="morgan", start="2026-12-01"), at=TUESDAY)
    assert words(plan.changed) == {
        "nina": ("not address nina@training.example from 1 December 2026 after all",)
    }
    assert not Address.objects.filter(folded="nina@training.example").exists()


def test_an_end_may_be_put_off_and_taken_back() -> None:
    imported(row("a", addresses="a@training.example", until="2026-11-10"))
    put_off = imported(row("a", addresses="a@training.example", until="2026-12-01"))
    assert "ends 1 December 2026" in words(put_off.changed)["a"]
    assert "no longer ends" in words(imported(row("a", addresses="a@training.example")).changed)["a"]
    assert who("a@training.example", MONDAY + timedelta(days=400)) == "a"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([row("a"), row("a")], None, "row 3, column external_id: found “a”, which row 2 has already"),
        ([row("a", line_manager="x")], None, "column line_manager: found “x”, who is neither in the file nor known"),
        (
            [row("a", line_manager="b"), row("b", line_manager="c"), row("c", line_manager="a")],
            None,
            "so that the line is a circle: a answers to b answers to c answers to a",
        ),
        (
            [row("a", addresses="x@training.example"), row("b", addresses="X@training.example")],
            None,
            "row 3, column addresses: found “x@training.example”, which A (a, row 2) holds from 2 November 2026",
        ),
        ([row("a", start="2026-11-05", until="2026-11-05")], None, "which is not after 5 November 2026"),
        (
            [row("a", addresses="x@training.example")],
            [row("b", addresses="x@training.example")],
            "row 2, column addresses: found “x@training.example”, which A (a, the register) holds from",
        ),
        ([row("a"), row("b", line_manager="a")], [row("a", line_manager="b")], "a answers to b answers to a"),
        ([row("a")], [row("a", start="2026-11-01")], "found “1 November 2026”, but 2 November 2026 at 9.00 am is"),
        ([row("a", until="2026-11-03")], [row("a", start="2026-11-02", until="2026-11-09")], "is before they left"),
        ([row("a", until="2026-11-03")], [row("a", until="2026-11-02T17:00+00:00")], "but 3 November 2026 is recorded"),
        (
            [row("a", until="2026-11-03"), row("b")],
            [row("b", line_manager="a")],
            "found “a”, who is not here in that time",
        ),
    ],
)  # fmt: skip
def test_a_contradiction_writes_nothing_and_names_the_row(
    first: list[tuple[str, ...]], second: list[tuple[str, ...]] | None, expected: str
) -> None:
    if second is not None:
        assert mistakes(imported(*first)) == []
    found = mistakes(imported(*(second or first), at=FRIDAY if second else MONDAY))
    assert any(expected in mistake for mistake in found), found


def test_a_circle_whose_links_never_hold_together_is_none() -> None:
    imported(row("a"), row("b", line_manager="a"))
    imported(row("b"), row("a", line_manager="b"), at=TUESDAY)
    assert (above("b", MONDAY), above("a", MONDAY), above("b", TUESDAY), above("a", TUESDAY)) == (
        ["a"],
        [],
        [],
        ["b"],
    )


def test_line_above_ends_even_if_the_rows_hold_a_circle() -> None:
    imported(row("a"), row("b", line_manager="a"))
    a, b = (Person.objects.get(external_id=name) for name in "ab")
    LineManagement.objects.create(person=a, manager=b, started=MONDAY)
    assert above("b", MONDAY) == ["a"]


def test_a_file_that_names_nobody_is_refused() -> None:
    with pytest.raises(BadInput, match="names nobody"):
        import_people(people_file(), moment=MONDAY, example=True, complete=True)


def test_known_people_holds_every_fact_ever() -> None:
    imported(*EVERYBODY)
    imported(MORGAN, row("tomas", line_manager="morgan"), at=TUESDAY)
    facts = known_people()["tomas"].facts
    assert {(fact.about, fact.value, fact.span.end) for fact in facts} == {
        (About.ROLE, "staff", None),
        (About.MANAGER, "olive", TUESDAY),
        (About.MANAGER, "morgan", None),
        (About.ADDRESS, "tomas@training.example", TUESDAY),
    }


def test_of_two_imports_at_once_the_register_stays_whole() -> None:
    imported(MORGAN)
    start, outcomes = Barrier(2), []

    def run(name: str) -> None:
        data = people_file(row(name, line_manager="morgan", addresses="shared@training.example"))
        start.wait()
        try:
            outcomes.append(bool(import_people(data, moment=TUESDAY, example=True).mistakes))
        except Conflict:
            outcomes.append(True)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == [False, True]
    assert Address.objects.filter(folded="shared@training.example").count() == 1
    assert Person.objects.count() == 2
