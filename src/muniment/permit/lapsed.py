"""Permits that ended because the key that signed them is no officer's any more.

The recorder releases nothing for them (docs/formats/permit.md, "What the recorder releases"); whoever still needs one
asks for its renewal. Source: R-5.2-f.
"""

from __future__ import annotations

from collections.abc import Iterable

from muniment.permit.replay import Standing
from muniment.policy.errors import MunimentError
from muniment.record.officers import OfficerSet
from muniment.record.permit_text import verify_signature


def lapsed(permits: Iterable[Standing], officers: OfficerSet, now_ms: int) -> list[Standing]:
    """Return the approved permits whose time is not over and whose signature no officer of `officers` made."""
    return [each for each in permits if each.is_in_force(now_ms) and not _is_signed_today(each, officers)]


def _is_signed_today(standing: Standing, officers: OfficerSet) -> bool:
    decision = standing.decision
    key = officers.signing_keys.get(standing.approval.officer if standing.approval else "")
    if decision is None or key is None:
        return False
    try:
        verify_signature(decision.approval, decision.signature, key)
    except MunimentError:
        return False
    return True
