"""That an officer is away, so that requests need not wait two working days before the alternate may decide them.

The Managing Director and the Office Manager say so, of themselves or of each other; an alternate cannot make a turn of
their own. Source: R-5.2-g; DESIGN "Officers".
"""

from __future__ import annotations

from muniment.permit.act import Act, entry_of
from muniment.permit.office import Office
from muniment.permit.state import Doing
from muniment.policy.errors import BadInput, Refused
from muniment.policy.officer import OfficerRole
from muniment.record.permit_text import ACT_FORMAT, DAY_MS

MOST_AWAY_DAYS = 62


def note_absence(office: Office, by: str, officer: str, until_ms: int) -> None:
    """Record that an officer is away until a moment; a moment that is past says that they are back.

    Raises:
        Refused: `by` is no officer, or an alternate. BadInput: `officer` is none, or it is too long.
    """
    roles = {each.id: each.role for each in office.policy.officers}
    if roles.get(by, OfficerRole.ALTERNATE) is OfficerRole.ALTERNATE:
        raise Refused(
            f"{by[:40]!r} cannot say who is away; the Managing Director and the Office Manager can. Unanswered, a "
            "request is the alternate's after two working days",
            clause="R-5.2-g",
        )
    if roles.get(officer, OfficerRole.ALTERNATE) is OfficerRole.ALTERNATE:
        raise BadInput(f"{officer[:40]!r} is no officer for whom an alternate stands in")
    if until_ms > office.now_ms() + MOST_AWAY_DAYS * DAY_MS:
        raise BadInput(f"an absence is noted for at most {MOST_AWAY_DAYS} days; note it again then")
    act = Act(
        format=ACT_FORMAT,
        act=Doing.AWAY,
        number="",
        revision=1,
        by=by,
        at_ms=office.now_ms(),
        officer=officer,
        until_ms=max(1, until_ms),
    )
    office.recorder.append([entry_of(act)])
