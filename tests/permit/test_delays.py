"""People are told, unless a dated order says later; and the order ends by itself."""

from __future__ import annotations

import pytest

from muniment.permit.delays import delay_notice, end_delay, end_delays_due
from muniment.permit.state import Doing
from muniment.policy.errors import BadInput, Conflict, Refused
from tests.permit.desk import OUTSIDE, TOMAS, Desk

DAY_MS = 86_400_000


def approved(desk: Desk, about: str = "tomas") -> str:
    desk.mail(TOMAS, OUTSIDE)
    desk.mail("morgan@training.example", OUTSIDE)
    number = desk.ask(about=about).permit.number
    desk.approve(number, "chris" if about == "morgan" else "morgan")
    return number


def delay(desk: Desk, number: str, officer: str = "managing-director", days: int = 30, **parts: str) -> None:
    ground, reason = (
        parts.get("ground", "prejudice"),
        parts.get("reason", "He would delete what is on his phone."),
    )
    delay_notice(desk.office, number, officer, desk.clock() + days * DAY_MS, ground, reason)


def test_the_director_delays_a_notice_and_it_ends_by_itself(desk: Desk) -> None:
    """R-5.3-c"""
    number = approved(desk)
    delay(desk, number)
    assert desk.standing(number).delay_at(desk.clock()) is not None
    desk.clock.advance(days=30)
    assert desk.standing(number).delay_at(desk.clock()) is None
    assert len(end_delays_due(desk.office)) == 1
    assert end_delays_due(desk.office) == []
    last = desk.standing(number).events[-1].act
    assert (last.act, last.by) == (Doing.END_DELAY, "muniment")


def test_nobody_else_delays_a_notice(desk: Desk) -> None:
    number = approved(desk)
    for officer in ("office-manager", "chair", "ida"):
        with pytest.raises(Refused):
            delay(desk, number, officer)
    delay(desk, number, "office-manager", ground="police", reason="CR/123/26 asks for four weeks.")


def test_the_director_looked_at_does_not_delay_being_told(desk: Desk) -> None:
    number = approved(desk, about="morgan")
    with pytest.raises(Refused):
        delay(desk, number)
    delay(desk, number, "chair")


@pytest.mark.parametrize(
    ("days", "parts"),
    [(93, {}), (0, {}), (-1, {}), (30, {"ground": "convenience"}), (30, {"reason": "  "})],
)
def test_a_delay_has_a_ground_a_reason_and_three_months_at_most(
    desk: Desk, days: int, parts: dict[str, str]
) -> None:
    number = approved(desk)
    with pytest.raises(BadInput):
        delay(desk, number, days=days, **parts)


def test_a_later_order_replaces_the_one_before(desk: Desk) -> None:
    number = approved(desk)
    delay(desk, number, days=30)
    delay(desk, number, days=7)
    standing = desk.standing(number)
    assert [each.ended_ms is None for each in standing.delays] == [False, True]
    found = standing.delay_at(desk.clock())
    assert found is not None and found.until_ms == desk.clock() + 7 * DAY_MS


def test_any_officer_without_a_conflict_ends_a_delay_early(desk: Desk) -> None:
    number = approved(desk)
    with pytest.raises(Conflict, match="no notice is delayed"):
        end_delay(desk.office, number, "office-manager", "Nothing to end")
    delay(desk, number)
    end_delay(desk.office, number, "office-manager", "The phone is secured.")
    assert desk.standing(number).delay_at(desk.clock()) is None


def test_no_notice_is_delayed_where_none_is_due(desk: Desk) -> None:
    from muniment.permit.acts import refuse

    desk.mail(TOMAS, OUTSIDE)
    number = desk.ask().permit.number
    refuse(desk.office, number, 1, "managing-director", "Ask the supplier again.")
    with pytest.raises(Conflict, match="no notice is due"):
        delay(desk, number)


def test_what_is_marked_private_is_not_read_behind_somebodys_back(desk: Desk) -> None:
    """R-5.3-c, R-5.3-l"""
    desk.mail(TOMAS, OUTSIDE, shielded="subject")
    number = approved(desk)
    delay(desk, number)
    with pytest.raises(Refused, match="behind somebody's back"):
        desk.ask(kind="shielded", parent=number)
    end_delay(desk.office, number, "managing-director", "Told.")
    second = desk.ask(kind="shielded", parent=number).permit.number
    desk.approve(second)
    with pytest.raises(Refused, match="without the person being told"):
        delay(desk, second)
    delay(desk, second, ground="police", reason="CR/123/26")


def test_a_revoked_permit_has_no_second_reason(desk: Desk) -> None:
    from muniment.permit.acts import revoke

    number = approved(desk)
    revoke(desk.office, number, "office-manager", "Done.")
    with pytest.raises(Conflict, match="does not stand approved"):
        desk.ask(kind="shielded", parent=number)
