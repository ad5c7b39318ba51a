"""Who may decide a request, and who must not. Pure.

Nobody decides who asks for the permit, reads under it, is looked at, holds an address that is looked at, or answers
to somebody who asks or is looked at. The alternate decides when no other officer can: each is in conflict or away, or
two working days have passed without an answer. An order of a court changes none of this.
Source: R-5.2-f, R-5.2-g, R-5.3-c; DESIGN "Permit" and "Officers".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from muniment.people.address import fold_or_none
from muniment.people.moment import LONDON, in_words, local
from muniment.policy.errors import Refused
from muniment.policy.officer import Officer, OfficerRole
from muniment.record.permit_text import PermitRequest

WORKING_DAYS = 2
_SATURDAY = 5
_CLAUSE = "R-5.2-g"


@dataclass(frozen=True)
class Decider:
    """An officer of the policy file, the pseudonym of who holds that address now, and those they answer to."""

    officer: Officer
    person: str = ""
    above: frozenset[str] = frozenset()
    is_away: bool = False


@dataclass(frozen=True)
class Standing:
    """Whether an officer may decide a request now; `why_not` says in words what is in the way, else it is empty."""

    officer: Officer
    why_not: str
    is_in_conflict: bool = False

    @property
    def may_decide(self) -> bool:
        """Tell whether nothing is in the way."""
        return not self.why_not


def standings(
    request: PermitRequest, deciders: Sequence[Decider], asked_ms: int, now_ms: int
) -> tuple[Standing, ...]:
    """Return how each officer stands to a request that was asked or narrowed at `asked_ms`."""
    conflicts = {decider.officer.id: conflict_of(request, decider) for decider in deciders}
    first = [decider for decider in deciders if decider.officer.role is not OfficerRole.ALTERNATE]
    able = [decider for decider in first if not conflicts[decider.officer.id] and not decider.is_away]
    turn_ms = alternate_from_ms(asked_ms)
    found = []
    for decider in deciders:
        why = conflicts[decider.officer.id]
        waits = decider not in first and able and now_ms < turn_ms
        found.append(
            Standing(
                decider.officer, why or (_waits(able, turn_ms) if waits else ""), is_in_conflict=bool(why)
            )
        )
    return tuple(found)


def conflict_of(request: PermitRequest, decider: Decider) -> str:
    """Return why an officer must not decide a request whatever happens, empty when nothing is in the way."""
    address = fold_or_none(decider.officer.address) or decider.officer.address
    looked_at = request.looked_at
    if address in request.requester.addresses or decider.person == request.requester.id:
        return "asks for this permit"
    if decider.person and decider.person in request.readers:
        return "is to read under this permit"
    if decider.person in looked_at or address in {window.address for window in request.windows}:
        return "would be looked at under this permit"
    if decider.above & looked_at:
        return "answers to somebody who would be looked at"
    if request.requester.id in decider.above:
        return "answers to the person who asks"
    return ""


def require_decider(found: Sequence[Standing], officer: str) -> Officer:
    """Return the officer of that id, who may decide.

    Raises:
        Refused: nobody of that id is an officer, or something is in the way; the message says who can decide.
    """
    standing = next((each for each in found if each.officer.id == officer), None)
    if standing is None:
        raise Refused(
            f"{officer[:60]!r} is no officer of the policy file; {_who_can(found)}", clause="R-5.2-f"
        )
    if standing.why_not:
        raise Refused(
            f"{standing.officer.name} cannot decide this: {standing.officer.name} {standing.why_not}; "
            f"{_who_can(found)}",
            clause=_CLAUSE,
        )
    return standing.officer


def require_unconflicted(found: Sequence[Standing], officer: str) -> Officer:
    """Return the officer of that id when nothing but the turn is in the way: enough to revoke.

    Raises:
        Refused: as `require_decider`, but for whose turn it is.
    """
    standing = next((each for each in found if each.officer.id == officer), None)
    if standing is not None and not standing.is_in_conflict:
        return standing.officer
    return require_decider(found, officer)


def require_covert(found: Sequence[Standing], officer: str, ground: str) -> Officer:
    """Return the officer of that id, who may have the notice to the person delayed on that ground.

    Only the Managing Director may, or an alternate where the Managing Director is in conflict; on a recorded ground of
    the police or of safeguarding any officer who is not in conflict.

    Raises:
        Refused: this officer may not.
    """
    named = require_unconflicted(found, officer)
    director = next(each for each in found if each.officer.role is OfficerRole.MANAGING_DIRECTOR)
    if ground in ("police", "safeguarding") or named.role is OfficerRole.MANAGING_DIRECTOR:
        return named
    if named.role is OfficerRole.ALTERNATE and director.is_in_conflict:
        return named
    able = director.officer.name if not director.is_in_conflict else "the alternate"
    raise Refused(
        f"{named.name} cannot have a notice delayed; {able} can. Ask there, with the reason why telling the person "
        "would spoil the matter",
        clause="R-5.3-c",
    )


def alternate_from_ms(asked_ms: int) -> int:
    """Return from when an unanswered request is the alternate's too: two working days, Monday to Friday, later.

    Public holidays count as working days.
    """
    at = local(asked_ms)
    if at.weekday() >= _SATURDAY:
        at = datetime.combine(at.date() + timedelta(days=7 - at.weekday()), time(), LONDON)
    for _ in range(WORKING_DAYS):
        at += timedelta(days=3 if at.weekday() == _SATURDAY - 1 else 1)
    return int(at.timestamp() * 1000)


def _waits(able: Sequence[Decider], turn_ms: int) -> str:
    names = " or ".join(decider.officer.name for decider in able)
    turn = in_words(datetime.fromtimestamp(turn_ms / 1000, UTC))
    return f"is the alternate, and {names} can decide; unanswered, it is the alternate's from {turn}"


def _who_can(found: Sequence[Standing]) -> str:
    names = [f"{each.officer.name} ({each.officer.address})" for each in found if each.may_decide]
    if names:
        return f"{' or '.join(names)} can decide: send the request there"
    return (
        "no officer is free of conflict: the organisation needs another alternate from outside the line; see "
        '"When an officer changes" in docs/guide/setting-up.md'
    )
