"""Requests and officers as the tests of permits use them."""

from __future__ import annotations

from typing import Any

import msgspec

from muniment.permit.conflict import Decider
from muniment.policy.officer import Officer, OfficerRole
from muniment.record.permit_text import PermitRequest, PermitWindow, Requester, Subject
from tests.organisation import OFFICERS, SamplePerson, public_key_base64
from tests.permit import vectors

MORGAN, OLIVE, CHRIS, IDA, TOMAS, STELLA = (f"0b0e7b6e-0000-4000-8000-00000000000{n}" for n in range(1, 7))
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
WEDNESDAY_MS = 1_793_786_400_000  # 4 November 2026, 10:00 in London


def officer(person: SamplePerson) -> Officer:
    """Return an officer of the policy file."""
    return Officer(
        id=person.id,
        name=person.name,
        role=OfficerRole(person.role),
        address=person.address,
        public_key=public_key_base64(person.id),
        signing_key="",
    )


DIRECTOR, OFFICE, CHAIR = (
    Decider(officer(OFFICERS[0]), MORGAN),
    Decider(officer(OFFICERS[1]), OLIVE, frozenset({MORGAN})),
    Decider(officer(OFFICERS[2]), CHRIS),
)
DECIDERS = (DIRECTOR, OFFICE, CHAIR)


def window(address: str, person: str = "") -> PermitWindow:
    return PermitWindow(address=address, start_ms=0, end_ms=None, person=person)


def request(**changes: Any) -> PermitRequest:
    """Return a request by IT Support about a tutor; `changes` replace members."""
    asked = msgspec.structs.replace(
        vectors.request(),
        requester=Requester(id=IDA, name="Ida Byte", role="it_support", addresses=("ida@training.example",)),
        subjects=(Subject(id=TOMAS, name="Tomás Tutor"),),
        windows=(window("tomas@training.example", TOMAS),),
    )
    return msgspec.structs.replace(asked, **changes)


def asks(person: str, address: str) -> Requester:
    return Requester(id=person, name="Somebody", role="staff", addresses=(address,))
