"""Orders that the people looked at are told later than usual, and their end.

Telling is the rule. Only the Managing Director delays it, the alternate where the matter is about the Managing
Director; on a ground of the police or of safeguarding any officer who is free of conflict. Each order lasts three
months at most and ends by itself. Source: R-5.3-c; DESIGN "Notice to the subject".
"""

from __future__ import annotations

from muniment.permit.act import BY_ITSELF, Act
from muniment.permit.conflict import require_covert, require_unconflicted
from muniment.permit.models import Permit
from muniment.permit.office import Office, standing_of
from muniment.permit.purposes import SHIELDED
from muniment.permit.replay import Standing
from muniment.permit.rows import alone
from muniment.permit.state import Doing, follow
from muniment.policy.errors import BadInput, Conflict, Refused
from muniment.record.permit_text import ACT_FORMAT, DAY_MS

GROUNDS = {
    "prejudice": "Telling now would spoil the matter",
    "police": "The police ask for it; give their reference in the reason",
    "safeguarding": "Telling now would put somebody at risk; give the safeguarding lead's note in the reason",
}
MOST_DELAY_DAYS = 92


def delay_notice(
    office: Office, number: str, officer: str, until_ms: int, ground: str, reason: str
) -> Permit:
    """Have the notice under a permit wait until a moment, at most three months from now; a later order replaces it.

    Raises:
        BadInput: the ground or the time cannot be, or the reason is empty. Refused: the officer may not.
    """
    if ground not in GROUNDS:
        raise BadInput(f"{ground[:40]!r} is no ground; expected {', '.join(GROUNDS)}")
    if not reason.strip():
        raise BadInput("the reason is empty; say what telling now would spoil, and how you know")
    with alone():
        now_ms = office.now_ms()
        if not now_ms < until_ms <= now_ms + MOST_DELAY_DAYS * DAY_MS:
            raise BadInput(
                f"a notice is delayed to a day at most {MOST_DELAY_DAYS} days from now; order it anew then"
            )
        standing = standing_of(office, number)
        follow(standing.state, Doing.DELAY)
        _require_not_private(standing, ground)
        named = require_covert(office.stands(standing), officer, ground)
        if standing.delay_at(now_ms) is not None:
            standing = _ended(office, standing, named.id, "A later order replaces it")
        return office.record(
            standing, _order(office, Doing.DELAY, standing, named.id, until_ms, ground, reason)
        )


def end_delay(office: Office, number: str, officer: str, reason: str) -> Permit:
    """End the delay of a notice early: any officer who is free of conflict.

    Raises:
        Conflict: nothing is delayed. Refused: the officer is in conflict.
    """
    with alone():
        standing = standing_of(office, number)
        require_unconflicted(office.stands(standing), officer)
        if standing.delay_at(office.now_ms()) is None:
            raise Conflict(f"no notice is delayed under permit {number}")
        return office.record(standing, _ending(office, standing, officer, reason))


def end_delays_due(office: Office) -> list[Permit]:
    """Record the end of every delay whose time is over; return the permits. Safe to repeat."""
    ended = []
    for number, seen in office.history().permits.items():
        if not _is_over(seen, office.now_ms()):
            continue
        with alone():
            standing = standing_of(office, number)
            if _is_over(standing, office.now_ms()):
                act = _ending(office, standing, BY_ITSELF, "The time of the order is over")
                ended.append(office.record(standing, act))
    return ended


def _require_not_private(standing: Standing, ground: str) -> None:
    if standing.request.kind == SHIELDED and ground == "prejudice":
        raise Refused(
            "what is marked private is never read without the person being told: this permit opens it. Only the police "
            "or safeguarding are a ground to tell later",
            clause="R-5.3-c",
        )


def _is_over(standing: Standing, now_ms: int) -> bool:
    return any(each.ended_ms is None and each.until_ms <= now_ms for each in standing.delays)


def _ended(office: Office, standing: Standing, by: str, reason: str) -> Standing:
    office.record(standing, _ending(office, standing, by, reason))
    return standing_of(office, standing.number)


def _ending(office: Office, standing: Standing, by: str, reason: str) -> Act:
    delay = standing.delays[-1]
    return _order(office, Doing.END_DELAY, standing, by, delay.until_ms, delay.ground, reason)


def _order(
    office: Office, doing: Doing, standing: Standing, by: str, until_ms: int, ground: str, reason: str
) -> Act:
    return Act(
        format=ACT_FORMAT,
        act=doing,
        number=standing.number,
        revision=standing.revision,
        by=by,
        at_ms=office.now_ms(),
        until_ms=until_ms,
        ground=ground,
        reason=reason.strip(),
    )
