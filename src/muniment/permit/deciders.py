"""The officers as the register of people knows them at a moment: who holds the address, to whom they answer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from muniment.people.register import line_above, who_had
from muniment.permit.conflict import Decider
from muniment.policy.officer import Officer
from muniment.policy.policyfile import PolicyFile


def deciders_of(policy: PolicyFile, moment: datetime, away: Collection[str] = ()) -> tuple[Decider, ...]:
    """Return the officers of the policy file; `away` are the ids of those who are away."""
    return tuple(_decider(officer, moment, officer.id in away) for officer in policy.officers)


def _decider(officer: Officer, moment: datetime, is_away: bool) -> Decider:
    person = who_had(officer.address, moment)
    if person is None:
        return Decider(officer, is_away=is_away)
    above = frozenset(str(each.pk) for each in line_above(person, moment))
    return Decider(officer, str(person.pk), above, is_away)


def officer_of(policy: PolicyFile, person: str, moment: datetime) -> Officer | None:
    """Return the officer that a person (by pseudonym) is, None when they are none."""
    for officer in policy.officers:
        holder = who_had(officer.address, moment)
        if holder is not None and str(holder.pk) == person:
            return officer
    return None
