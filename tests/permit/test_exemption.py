"""Closed sites are open to one person, for a while, by an officer's signature; and to nobody else, never before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muniment.permit.acts import Asked, approve, revoke
from muniment.permit.exemption import Exemption, exemptions_in_force
from muniment.permit.models import Permit
from muniment.policy.errors import BadInput, Refused
from tests.permit.desk import NOW, Desk

SITES = ("closed.example", "Other.Example.")


def ask(desk: Desk, asks: str = "ida", **changes: object) -> Asked:
    values = {
        "kind": "exemption",
        "sites": SITES,
        "about": "",
        "start": NOW,
        "until": NOW + timedelta(days=3),
    }
    return desk.ask(asks, **(values | changes))  # type: ignore[arg-type]


def held(desk: Desk) -> list[Exemption]:
    return exemptions_in_force(desk.home, desk.office.policy, desk.clock())


def test_an_exemption_holds_from_its_approval_to_its_end(desk: Desk) -> None:
    """R-5.2-e"""
    asked = ask(desk)
    assert asked.words == "" and held(desk) == []
    desk.approve(asked.permit.number)
    (found,) = held(desk)
    assert found.people == (str(desk.person("ida").pk),)
    assert found.sites == ("closed.example", "other.example")
    assert found.officer == "managing-director"
    desk.clock.advance(days=3)
    assert held(desk) == []


def test_an_exemption_does_not_hold_before_its_time(desk: Desk) -> None:
    asked = ask(desk, start=NOW + timedelta(days=1))
    desk.approve(asked.permit.number)
    assert held(desk) == []
    desk.clock.advance(days=1)
    assert len(held(desk)) == 1


def test_an_exemption_ends_when_it_is_revoked_or_its_days_are_over(desk: Desk) -> None:
    first, second = ask(desk, days=1), ask(desk)
    desk.approve(first.permit.number)
    desk.approve(second.permit.number)
    revoke(desk.office, second.permit.number, "office-manager", "Found what was looked for.")
    assert [each.number for each in held(desk)] == [first.permit.number]
    desk.clock.advance(days=1)
    assert held(desk) == []


def test_nobody_opens_closed_sites_to_themselves(desk: Desk) -> None:
    """R-5.2-g"""
    asked = ask(desk, asks="olive")
    with pytest.raises(Refused):
        approve(desk.office, desk.sign(asked.permit.number, "olive"))


def test_a_row_that_says_so_opens_no_site(desk: Desk) -> None:
    asked = ask(desk)
    Permit.objects.filter(number=asked.permit.number).update(state="approved", approval="{}")
    assert held(desk) == []


def test_a_forged_act_opens_no_site(desk: Desk) -> None:
    from muniment.permit.act import Act, entry_of
    from muniment.permit.state import Doing
    from muniment.record import permit_text

    asked = ask(desk)
    signed = permit_text.parse_signed_approval(desk.sign(asked.permit.number))
    forged = Act(
        format="muniment-permit-act/1",
        act=Doing.APPROVE,
        number=asked.permit.number,
        revision=1,
        by="managing-director",
        at_ms=desk.clock(),
        approval=signed.approval,
        signature=bytes(63) + b"\x01",
    )
    desk.office.recorder.append([entry_of(forged)])
    assert desk.standing(asked.permit.number).state == "asked"
    assert "counts for nothing" in desk.office.history().findings[0]
    assert held(desk) == []


@pytest.mark.parametrize("sites", [(), ("https://closed.example/page",), ("closed example",)])
def test_an_exemption_names_host_names(desk: Desk, sites: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        ask(desk, sites=sites)


def test_operation_of_the_systems_is_no_investigation(desk: Desk) -> None:
    with pytest.raises(Refused) as error:
        ask(desk, purpose="OPS", depth="envelope")
    assert error.value.clause == "R-5.2-e"
