"""A permit ends with the key that signed it, and the replacement of an officer says which. R-5.2-f."""

from __future__ import annotations

from muniment.permit.lapsed import lapsed
from muniment.policy.policyfile import parse
from muniment.record.officers import OfficerSet
from tests.organisation import policy_bytes, public_key_base64, signing_key_base64
from tests.permit.desk import STELLA, TOMAS, Desk

MOST_DAYS_MS = 90 * 86_400_000


def officers(**overrides: object) -> OfficerSet:
    return OfficerSet.from_policy(parse(policy_bytes(**overrides)))


def test_only_permits_signed_by_the_key_that_went_are_named(desk: Desk):
    desk.mail(TOMAS, STELLA)
    ended, stays, waits = (desk.ask().permit.number for _ in range(3))
    desk.approve(ended, "morgan")
    desk.approve(stays, "olive")
    permits = desk.office.history().permits.values()
    assert waits in {each.number for each in permits}
    assert lapsed(permits, officers(), desk.clock()) == []
    renewed = officers(
        officers__0__public_key=public_key_base64("successor"),
        officers__0__signing_key=signing_key_base64("successor"),
    )
    assert [each.number for each in lapsed(permits, renewed, desk.clock())] == [ended]
    without_olive = officers(officers__1=...)
    assert [each.number for each in lapsed(permits, without_olive, desk.clock())] == [stays]
    assert lapsed(permits, renewed, desk.clock() + MOST_DAYS_MS) == []
