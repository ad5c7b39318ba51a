"""A permit "from now on" is drafted anew each week, and an officer decides each time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muniment.permit.acts import revoke
from muniment.permit.renewal import renew_due
from muniment.policy.errors import Missing, MunimentError
from tests.permit.desk import NOW, OUTSIDE, TOMAS, Desk


def due(desk: Desk) -> list[str]:
    problems: list[MunimentError] = []
    found = [permit.number for permit in renew_due(desk.office, lambda _, error: problems.append(error))]
    assert problems == []
    return found


def from_now_on(desk: Desk, days_ahead: int = 20) -> tuple[str, str]:
    desk.mail(TOMAS, OUTSIDE, text="First week")
    asked = desk.ask(until=NOW + timedelta(days=days_ahead), days=31)
    desk.approve(asked.permit.number)
    return asked.permit.number, asked.words


def test_a_renewal_covers_what_was_recorded_since_and_opens_with_the_same_words(desk: Desk) -> None:
    number, words = from_now_on(desk)
    later = desk.mail(TOMAS, OUTSIDE, text="Second week")
    with desk.room(number, words) as room, pytest.raises(Missing):
        room.open(later)
    assert due(desk) == []
    desk.clock.advance(days=7)
    (renewed,) = due(desk)
    assert due(desk) == []  # once
    standing = desk.standing(renewed)
    assert (standing.state, standing.request.parent, standing.request.entries) == ("asked", number, 2)
    with pytest.raises(Missing), desk.room(renewed, words):
        pass  # an officer has to decide first
    desk.approve(renewed)
    with desk.room(renewed, words) as room:
        assert b"Second week" in room.open(later).content


def test_renewals_follow_each_other_until_the_time_asked_for_is_over(desk: Desk) -> None:
    from_now_on(desk, days_ahead=10)
    desk.clock.advance(days=7)
    (second,) = due(desk)
    desk.approve(second)
    desk.clock.advance(days=3)
    (third,) = due(desk)
    desk.approve(third)
    desk.clock.advance(days=30)
    assert due(desk) == []


def test_what_was_revoked_or_never_approved_is_not_renewed(desk: Desk) -> None:
    number, _ = from_now_on(desk)
    revoke(desk.office, number, "managing-director", "Enough.")
    desk.ask(until=NOW + timedelta(days=20))
    desk.clock.advance(days=7)
    assert due(desk) == []


def test_a_permit_of_the_past_is_not_renewed(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    asked = desk.ask(until=NOW)
    desk.approve(asked.permit.number)
    desk.clock.advance(days=7)
    assert due(desk) == []


def test_who_has_left_is_not_asked_for_again(desk: Desk) -> None:
    from_now_on(desk)
    person = desk.person("ida")
    person.ended = NOW + timedelta(days=1)
    person.save()
    desk.clock.advance(days=7)
    problems: list[str] = []
    assert renew_due(desk.office, lambda number, error: problems.append(f"{number} {error}")) == []
    assert "is not with the organisation now" in problems[0]


def test_a_second_reason_for_what_is_private_does_not_stand_in_for_the_renewal(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE, shielded="subject")
    number, _ = from_now_on(desk)
    desk.ask(kind="shielded", parent=number)
    desk.clock.advance(days=7)
    assert len(due(desk)) == 1
