"""What may follow what in the life of a permit, and whose act it is. Pure.

    asked -> narrowed -> approved | refused | withdrawn        approved -> revoked | ended

A request may be narrowed any number of times; nothing follows what is refused, withdrawn, revoked or ended but the
delay of its notice. Source: R-5.2-f; docs/formats/permit.md.
"""

from __future__ import annotations

from enum import StrEnum

from muniment.policy.errors import Conflict


class State(StrEnum):
    """How a permit stands."""

    ASKED = "asked"
    NARROWED = "narrowed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    ENDED = "ended"


class Doing(StrEnum):
    """What is done to a permit; the names are those of the record's acts."""

    ASK = "ask"
    NARROW = "narrow"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"
    END = "end"
    DELAY = "delay"
    END_DELAY = "end-delay"
    AWAY = "away"


OPEN = frozenset({State.ASKED, State.NARROWED})
_FOLLOWS = {
    Doing.NARROW: (OPEN, State.NARROWED),
    Doing.APPROVE: (OPEN, State.APPROVED),
    Doing.REFUSE: (OPEN, State.REFUSED),
    Doing.WITHDRAW: (OPEN, State.WITHDRAWN),
    Doing.REVOKE: (frozenset({State.APPROVED}), State.REVOKED),
    Doing.END: (frozenset({State.APPROVED}), State.ENDED),
}
_NOTICED = frozenset(State) - {State.REFUSED, State.WITHDRAWN}


def follow(state: State | None, doing: Doing) -> State:
    """Return the state after `doing`; None is a permit that nobody has asked for.

    Raises:
        Conflict: that cannot be done to a permit that stands so.
    """
    if doing is Doing.ASK:
        if state is None:
            return State.ASKED
        raise Conflict("a permit of this number was asked for already; a changed request is a narrowed one")
    if doing is Doing.AWAY:
        raise Conflict("that an officer is away says nothing about one permit")
    if state is None:
        raise Conflict("nobody has asked for a permit of this number")
    if doing in (Doing.DELAY, Doing.END_DELAY):
        if state in _NOTICED:
            return state
        raise Conflict(f"the permit is {state}: nobody was looked at under it, and no notice is due")
    before, after = _FOLLOWS[doing]
    if state not in before:
        raise Conflict(_cannot(state, doing))
    return after


def _cannot(state: State, doing: Doing) -> str:
    if state in OPEN:
        return f"the request is not decided yet; narrow, decide or withdraw it; nobody can {doing} it yet"
    if state is State.APPROVED:
        return f"the permit is approved already, so nobody can {doing} it; an officer can revoke it"
    return f"the permit is {state}, which is final, so nobody can {doing} it; ask for a new one"
