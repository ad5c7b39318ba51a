"""A request in plain words, for an officer to read before deciding: whom, what, why, how many, how long. Pure.

The words are made from the very text that is hashed and signed. What a requester wrote cannot move the cursor or turn
the writing round: whatever is not printable is shown as a question mark. Source: R-5.2-f.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from muniment.people.moment import in_words
from muniment.people.role import parse_role
from muniment.policy.purpose import PURPOSES
from muniment.record.permit_text import PermitRequest

_DEPTHS = {
    "envelope": "who wrote to whom, when and how large; not the subject's or the message's words",
    "content": "who wrote to whom, when, the subject and everything within",
}
_TITLES = {purpose.code: purpose.title for purpose in PURPOSES}


def told(request: PermitRequest) -> Iterator[tuple[str, str]]:
    """Yield what an officer has to know as (label, text), the same for every way to decide."""
    yield "Permit", f"{request.number}, revision {request.revision}, of {request.origin}"
    yield "Asked by", _requester(request)
    if request.kind == "exemption":
        yield "Closed sites", ", ".join(request.sites)
        yield "When", f"from {_day(request.from_ms)} until {_day(request.until_ms)}"
    else:
        yield "Whose mail", "; ".join(_whose(request)) or "nobody's"
        yield "Captured", _captured(request)
        yield "Where", ", ".join(request.streams)
        yield "How deep", _DEPTHS[request.depth]
        yield "How many", _how_many(request)
    yield "Purpose", f"{request.purpose}, {_TITLES.get(request.purpose, 'not known here')} ({request.clause})"
    if request.case:
        yield "Case", request.case
    yield "Reason", request.reason
    yield "Tried before", request.alternative
    if request.advice:
        yield "Advice", f"the data protection officer: {request.advice}"
    if request.readers:
        yield "Read by", f"who asks and {len(request.readers)} more"
    if request.parent:
        yield "Follows", f"permit {request.parent}"
    yield "Lasts", f"{request.days} days from the approval, then it ends by itself"


def printable(text: str) -> str:
    """Return a text on one line, without anything that a terminal would obey."""
    line = " / ".join(part.strip() for part in text.splitlines() if part.strip())
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _requester(request: PermitRequest) -> str:
    asks = request.requester
    role = parse_role(asks.role)
    addresses = ", ".join(asks.addresses) or "no address"
    return f"{asks.name} ({role.label if role else asks.role}; {addresses})"


def _whose(request: PermitRequest) -> Iterator[str]:
    for subject in request.subjects:
        held = sorted({window.address for window in request.windows if window.person == subject.id})
        yield f"{subject.name} ({', '.join(held) or 'no address in that time'})"
    unowned = sorted({window.address for window in request.windows if not window.person})
    if unowned:
        yield f"addresses that are nobody's here: {', '.join(unowned)}"


def _captured(request: PermitRequest) -> str:
    times = f"from {_day(request.from_ms)} until {_day(request.until_ms)}"
    if request.until_ms <= request.drafted_ms:
        return times
    now = _day(request.drafted_ms)
    return f"{times}; of that, what was recorded up to {now}. What comes later is asked for anew each week"


def _how_many(request: PermitRequest) -> str:
    if request.kind == "shielded":
        return (
            f"{request.entries:,} entries that are marked private; {request.shielded:,} others are not in it"
        )
    sealed = f"{request.shielded:,} more are marked private and stay sealed"
    return f"{request.entries:,} entries; {sealed}"


def _day(milliseconds: int) -> str:
    return in_words(datetime.fromtimestamp(milliseconds / 1000, UTC))
