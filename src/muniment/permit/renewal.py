"""Permits "from now on": each week a new request is drafted over what was recorded since, and an officer decides it.

Nothing is renewed by itself: a renewal is a request like any other, with counts of its own. Its room opens with the
words of the room before. Source: R-5.2-f; DESIGN "Permit".
"""

from __future__ import annotations

from collections.abc import Callable

from muniment.people.models import Person
from muniment.permit.acts import renew
from muniment.permit.asking import Asking
from muniment.permit.models import Permit
from muniment.permit.office import Office
from muniment.permit.purposes import LOOK
from muniment.permit.replay import History, Standing, renewed_of
from muniment.permit.state import State
from muniment.permit.windows import moment_of
from muniment.policy.errors import MunimentError
from muniment.record.permit_text import DAY_MS

WEEK_MS = 7 * DAY_MS
_LIVES = (State.APPROVED, State.ENDED)


def renewals_due(history: History, now_ms: int) -> list[Standing]:
    """Return the permits to renew now: approved, reaching past what they covered, a week old, not renewed yet. Pure."""
    renewed = renewed_of(history)
    return [
        standing
        for standing in history.permits.values()
        if standing.request.kind == LOOK
        and standing.state in _LIVES
        and standing.number not in renewed
        and standing.request.until_ms > standing.request.drafted_ms
        and now_ms >= min(standing.request.drafted_ms + WEEK_MS, standing.request.until_ms)
    ]


def renew_due(office: Office, cannot: Callable[[str, MunimentError], None]) -> list[Permit]:
    """Draft every renewal that is due and return the requests; `cannot` hears of each that could not be drafted."""
    made = []
    for standing in renewals_due(office.history(), office.now_ms()):
        try:
            made.append(renew(office, standing, asking_again(standing)))
        except MunimentError as error:
            cannot(standing.number, error)
    return made


def asking_again(standing: Standing) -> Asking:
    """Return what was asked for, to be asked again over the same people and the same time."""
    request = standing.request
    people = tuple(Person.objects.filter(pk__in=[subject.id for subject in request.subjects]))
    return Asking(
        requester=Person.objects.get(pk=request.requester.id),
        role=request.requester.role,
        purpose=request.purpose,
        reason=request.reason,
        alternative=request.alternative,
        advice=request.advice,
        case=request.case,
        start=moment_of(request.from_ms),
        until=moment_of(request.until_ms),
        people=people,
        addresses=tuple(sorted({window.address for window in request.windows if not window.person})),
        streams=request.streams,
        depth=request.depth,
        readers=tuple(Person.objects.filter(pk__in=request.readers)),
        days=request.days,
        parent=standing.number,
    )
