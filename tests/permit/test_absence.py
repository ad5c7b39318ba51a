"""The alternate's turn comes when the others are away by their own word, never by the alternate's."""

from __future__ import annotations

import pytest

from muniment.permit.absence import note_absence
from muniment.permit.acts import approve
from muniment.policy.errors import BadInput, Refused
from tests.permit.desk import OUTSIDE, TOMAS, Desk

DAY_MS = 86_400_000


def away(desk: Desk, officer: str, by: str = "managing-director", days: int = 14) -> None:
    note_absence(desk.office, by, officer, desk.clock() + days * DAY_MS)


def test_the_alternate_decides_while_the_others_are_away(desk: Desk) -> None:
    """R-5.2-g"""
    desk.mail(TOMAS, OUTSIDE)
    number = desk.ask().permit.number
    away(desk, "managing-director")
    with pytest.raises(Refused, match="Olive Example can decide"):
        approve(desk.office, desk.sign(number, "chris"))
    away(desk, "office-manager", by="office-manager")
    approve(desk.office, desk.sign(number, "chris"))
    assert desk.standing(number).state == "approved"


def test_an_absence_ends_by_itself_or_when_the_officer_is_back(desk: Desk) -> None:
    away(desk, "managing-director", days=3)
    assert desk.office.history().away_at(desk.clock()) == {"managing-director"}
    away(desk, "managing-director", days=-1)
    assert desk.office.history().away_at(desk.clock()) == frozenset()
    away(desk, "office-manager", days=3)
    desk.clock.advance(days=3)
    assert desk.office.history().away_at(desk.clock()) == frozenset()


@pytest.mark.parametrize("by", ["chair", "ida", "nobody"])
def test_nobody_makes_a_turn_of_their_own(desk: Desk, by: str) -> None:
    with pytest.raises(Refused) as error:
        away(desk, "managing-director", by=by)
    assert error.value.clause == "R-5.2-g"


@pytest.mark.parametrize(("officer", "days"), [("chair", 3), ("ida", 3), ("managing-director", 63)])
def test_only_those_whom_an_alternate_stands_in_for_are_away_and_not_for_ever(
    desk: Desk, officer: str, days: int
) -> None:
    with pytest.raises(BadInput):
        away(desk, officer, days=days)
