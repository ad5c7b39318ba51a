"""The navigation of each role: at most five pages on a phone, only what the role opens, nothing out of reach."""

from __future__ import annotations

import pytest

from muniment.people.role import Role
from tests.people.database import set_up

set_up()

from muniment.site.navigation import initials, navigation_of, role_in_words  # noqa: E402

BARS = {
    Role.OFFICE_MANAGER: ["Today", "Permits", "Rooms", "Looks", "My record"],
    Role.MANAGING_DIRECTOR: ["Today", "Permits", "Rooms", "Looks", "My record"],
    Role.DATA_PROTECTION_OFFICER: ["Today", "Permits", "Rooms", "Looks", "My record"],
    Role.IT_SUPPORT: ["Health", "Permits", "Rooms", "My record"],
    Role.HR: ["Permits", "Rooms", "My record"],
    Role.AUDITOR: ["Health", "Permits", "Looks", "My record"],
    Role.UNION_REPRESENTATIVE: ["Looks", "My record"],
    Role.STAFF: ["My record", "What is kept", "The record", "Closed sites", "Outside world"],
    Role.STUDENT: ["My record", "What is kept", "The record", "Outside world"],
}


@pytest.mark.parametrize("role", BARS)
def test_the_bar_holds_the_work_of_a_role(role: Role) -> None:
    found = navigation_of(frozenset({role}), "/today", is_example=True)
    assert [item.label for item in found.main] == BARS[role]
    assert found.label == role.label


@pytest.mark.parametrize("role", Role)
def test_five_at_most_and_everybody_reaches_their_own_record_and_the_register(role: Role) -> None:
    found = navigation_of(frozenset({role}), "/", is_example=False)
    labels = [item.label for item in (*found.main, *found.later)]
    assert len(found.main) <= 5
    assert {"My record", "What is kept", "The record"} <= set(labels)
    assert "Outside world" not in labels
    assert len(set(labels)) == len(labels)


def test_the_page_one_is_on_is_marked_and_the_one_above_it_too() -> None:
    roles = frozenset({Role.OFFICE_MANAGER})
    marked = {
        path: [
            (item.label, item.current)
            for item in navigation_of(roles, path, is_example=True).main
            if item.current
        ]
        for path in ("/permits", "/permits/2026-001", "/permitsomething")
    }
    assert marked == {
        "/permits": [("Permits", "page")],
        "/permits/2026-001": [("Permits", "true")],
        "/permitsomething": [],
    }


def test_who_has_several_roles_is_named_by_the_one_that_bears_most() -> None:
    assert role_in_words({Role.STAFF, Role.LINE_MANAGER, Role.OFFICE_MANAGER}) == "Office manager"
    assert role_in_words(set()) == "Signed in"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Tomás Tutor", "TT"),
        ("Olive", "O"),
        ("Ana de la Cruz", "AC"),
        ("  ", ""),
        ("<b> x", "X"),
        ("محمد علي", "مع"),
    ],
)
def test_initials_are_those_of_the_first_and_last_name(name: str, letters: str) -> None:
    assert initials(name) == letters
