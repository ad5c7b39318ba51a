"""A permit as `muniment permit` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from muniment.people.moment import in_words
from muniment.permit.wording import printable, told

if TYPE_CHECKING:
    from muniment.permit.conflict import Standing as Stand
    from muniment.permit.replay import Standing


def in_short(standing: Standing) -> str:
    """Return one line about a permit."""
    request = standing.request
    whose = ", ".join(subject.name for subject in request.subjects) or ", ".join(request.sites)
    words = (
        f"{standing.number}  {standing.state:9}  {request.purpose:9}  {request.requester.name} about {whose}"
    )
    return printable(f"{words}{_ends(standing)}")


def in_full(standing: Standing, stands: Sequence[Stand]) -> Iterator[str]:
    """Yield everything about a permit: its request, its state, who can decide, what was done."""
    for label, text in told(standing.request):
        yield f"{label:12}  {printable(text)}"
    yield f"{'State':12}  {standing.state}{_ends(standing)}"
    if standing.decision is None:
        for stand in stands:
            yield f"{'Officer':12}  {stand.officer.name} {stand.why_not or 'can decide'}"
    asks = standing.request.requester
    for event in standing.events:
        reason = f": {printable(event.act.reason)}" if event.act.reason else ""
        by = asks.name if event.act.by == asks.id else event.act.by
        yield f"{event.number:12}  {_when(event.act.at_ms)}, {event.act.act} by {printable(by)}{reason}"


def value_of(standing: Standing) -> dict[str, Any]:
    """Return a permit as JSON has it; counts are exact, for who has the machine has the catalogue."""
    request, approval = standing.request, standing.approval
    return {
        "number": standing.number,
        "revision": standing.revision,
        "kind": request.kind,
        "state": standing.state.value,
        "purpose": request.purpose,
        "requester": request.requester.name,
        "subjects": [subject.name for subject in request.subjects],
        "entries": request.entries,
        "shielded": request.shielded,
        "ends_ms": approval.ends_ms if approval else None,
        "acts": [
            {"number": event.number, "act": event.act.act.value, "by": event.act.by, "at_ms": event.act.at_ms}
            for event in standing.events
        ],
    }


def _ends(standing: Standing) -> str:
    return f", until {_when(standing.approval.ends_ms)}" if standing.approval else ""


def _when(milliseconds: int) -> str:
    return in_words(datetime.fromtimestamp(milliseconds / 1000, UTC))
