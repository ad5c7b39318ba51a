"""Nobody decides in their own cause, and somebody always can."""

from __future__ import annotations

from dataclasses import replace

import pytest

from muniment.permit.conflict import (
    Decider,
    alternate_from_ms,
    require_covert,
    require_decider,
    require_unconflicted,
    standings,
)
from muniment.policy.errors import Refused
from muniment.record.permit_text import PermitRequest, Subject
from tests.permit.samples import (
    CHAIR,
    CHRIS,
    DAY_MS,
    DECIDERS,
    DIRECTOR,
    HOUR_MS,
    MORGAN,
    OFFICE,
    OLIVE,
    STELLA,
    WEDNESDAY_MS,
    asks,
    request,
    window,
)


def able(
    asked: PermitRequest, deciders: tuple[Decider, ...] = DECIDERS, waited_ms: int = HOUR_MS
) -> list[str]:
    found = standings(asked, deciders, WEDNESDAY_MS, WEDNESDAY_MS + waited_ms)
    return [each.officer.id for each in found if each.may_decide]


def test_the_director_and_the_office_manager_decide_and_the_alternate_waits() -> None:
    """R-5.2-f"""
    assert able(request()) == ["managing-director", "office-manager"]


@pytest.mark.parametrize(
    "asked",
    [
        request(requester=asks(OLIVE, "other@training.example")),
        request(requester=asks(STELLA, "olive@training.example")),
        request(readers=(OLIVE,)),
        request(subjects=(Subject(id=OLIVE, name="Olive"),)),
        request(windows=(window("olive@training.example"),)),
        request(windows=(window("office@training.example", OLIVE),)),
    ],
    ids=["asks", "asks by address", "reads", "subject", "address looked at", "holds an address looked at"],
)
def test_who_asks_reads_or_is_looked_at_does_not_decide(asked: PermitRequest) -> None:
    """R-5.2-g"""
    assert able(asked) == ["managing-director"]
    assert able(asked, waited_ms=90 * DAY_MS) == ["managing-director", "chair"]


def test_who_answers_to_the_person_looked_at_does_not_decide_so_that_the_alternate_does() -> None:
    """R-5.2-g: a matter about the Managing Director goes outside the line at once."""
    assert able(request(subjects=(Subject(id=MORGAN, name="Morgan"),))) == ["chair"]


def test_who_answers_to_the_person_who_asks_does_not_decide() -> None:
    assert able(request(requester=asks(MORGAN, "morgan@training.example"))) == ["chair"]


def test_the_alternate_decides_when_the_others_are_away() -> None:
    away = (replace(DIRECTOR, is_away=True), replace(OFFICE, is_away=True), CHAIR)
    assert "chair" in able(request(), away)
    assert able(request(), (replace(DIRECTOR, is_away=True), OFFICE, CHAIR)) == [
        "managing-director",
        "office-manager",
    ]


def test_an_unanswered_request_is_the_alternates_after_two_working_days() -> None:
    assert "chair" not in able(request(), waited_ms=2 * DAY_MS - 1)
    assert "chair" in able(request(), waited_ms=2 * DAY_MS)


@pytest.mark.parametrize(
    ("asked_day", "days"), [(0, 2), (1, 4), (2, 4), (4, 2)], ids=["Wednesday", "Thursday", "Friday", "Sunday"]
)
def test_weekends_are_no_working_days(asked_day: int, days: int) -> None:
    asked_ms = WEDNESDAY_MS + asked_day * DAY_MS
    expected = asked_ms + days * DAY_MS
    if asked_day == 4:  # from Sunday the count begins at midnight to Monday
        expected = asked_ms - 10 * HOUR_MS + 3 * DAY_MS
    assert alternate_from_ms(asked_ms) == expected


def test_the_alternate_in_conflict_does_not_decide_either() -> None:
    asked = request(requester=asks(CHRIS, "chris@chair.example"))
    assert able(asked, waited_ms=90 * DAY_MS) == ["managing-director", "office-manager"]


def test_a_refusal_names_the_clause_and_who_can_decide() -> None:
    found = standings(request(readers=(OLIVE,)), DECIDERS, WEDNESDAY_MS, WEDNESDAY_MS)
    with pytest.raises(Refused, match=r"Olive Example is to read.*Morgan Example \(morgan@") as error:
        require_decider(found, "office-manager")
    assert error.value.clause == "R-5.2-g"


def test_it_support_is_no_officer() -> None:
    with pytest.raises(Refused, match="no officer of the policy file"):
        require_decider(standings(request(), DECIDERS, 0, 0), "ida-byte")


def test_where_nobody_is_free_the_refusal_says_what_the_organisation_needs() -> None:
    asked = request(readers=(CHRIS,), subjects=(Subject(id=MORGAN, name="Morgan"),))
    with pytest.raises(Refused, match="another alternate from outside the line"):
        require_decider(standings(asked, DECIDERS, 0, 0), "chair")


def test_an_order_of_a_court_overrides_no_conflict() -> None:
    asked = request(purpose="ORDER", clause="R-1.P-b", readers=(OLIVE,))
    assert able(asked) == ["managing-director"]


def test_an_officer_in_conflict_does_not_revoke_and_the_alternate_may_at_once() -> None:
    found = standings(request(readers=(OLIVE,)), DECIDERS, WEDNESDAY_MS, WEDNESDAY_MS)
    assert require_unconflicted(found, "chair").id == "chair"
    with pytest.raises(Refused):
        require_unconflicted(found, "office-manager")


def test_only_the_director_has_people_told_later() -> None:
    """R-5.3-c"""
    found = standings(request(), DECIDERS, WEDNESDAY_MS, WEDNESDAY_MS)
    assert require_covert(found, "managing-director", "prejudice").id == "managing-director"
    for other in ("office-manager", "chair"):
        with pytest.raises(Refused, match="Morgan Example can") as error:
            require_covert(found, other, "prejudice")
        assert error.value.clause == "R-5.3-c"
    assert require_covert(found, "office-manager", "police").id == "office-manager"


def test_the_alternate_has_people_told_later_where_it_is_about_the_director() -> None:
    about = request(subjects=(Subject(id=MORGAN, name="Morgan"),))
    found = standings(about, DECIDERS, WEDNESDAY_MS, WEDNESDAY_MS)
    assert require_covert(found, "chair", "prejudice").id == "chair"
    for other in ("managing-director", "office-manager"):
        with pytest.raises(Refused):
            require_covert(found, other, "safeguarding")
