"""Closed sites that somebody may visit for an investigation, for a while: by written permission, from the record alone.

The web guard that would ask for them is not built yet; this is what it will ask. A row of the console's database that
was widened opens nothing: what counts is the signed text in the record. Source: R-5.2-e; R-5.2-g.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from muniment.permit.purposes import EXEMPTION
from muniment.permit.replay import Standing, read_history
from muniment.permit.signers import require_signed
from muniment.policy.errors import MunimentError
from muniment.policy.policyfile import PolicyFile
from muniment.record.home import Home


@dataclass(frozen=True)
class Exemption:
    """People (by pseudonym) may visit these sites from `from_ms` until `until_ms`, under a permit."""

    number: str
    people: tuple[str, ...]
    sites: tuple[str, ...]
    from_ms: int
    until_ms: int
    officer: str


def exemptions_in_force(home: Home, policy: PolicyFile, now_ms: int) -> list[Exemption]:
    """Return every exemption that holds at a moment: approved before, signed by an officer of today, not over."""
    return list(_in_force(read_history(home).permits.values(), policy, now_ms))


def _in_force(permits: Iterable[Standing], policy: PolicyFile, now_ms: int) -> Iterator[Exemption]:
    for standing in permits:
        request, approval = standing.request, standing.approval
        if request.kind != EXEMPTION or approval is None or not standing.is_in_force(now_ms):
            continue
        until_ms = min(request.until_ms, approval.ends_ms)
        if request.from_ms <= now_ms < until_ms and _is_signed(standing, policy):
            people = (request.requester.id, *request.readers)
            yield Exemption(
                standing.number, people, request.sites, request.from_ms, until_ms, approval.officer
            )


def _is_signed(standing: Standing, policy: PolicyFile) -> bool:
    decision = standing.decision
    officer = next((each for each in policy.officers if decision and each.id == decision.by), None)
    if officer is None or decision is None:
        return False
    try:
        require_signed(decision, {officer.id: frozenset([officer.signing_key_bytes])})
    except MunimentError:
        return False
    return True
