"""The verdict on one message: what is sent in its place, and the Decision that says so.

Only mail that leaves the organisation is touched: it gets the particulars of R-2.2-b. Pure: values in, values out.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from muniment.guard.mail import footer
from muniment.guard.mail.smtp_event import Fault
from muniment.policy.decision import Decision, Outcome
from muniment.policy.particulars import Particulars
from muniment.record.entry import Direction

_OUTCOMES = {
    "stamped": Outcome.ALTER,
    "already": Outcome.ALLOW,
    "exempt": Outcome.ALLOW,
    "refused": Outcome.REFUSE,
}
_PASSING = {
    Direction.NONE: "a journal is recorded as it comes",
    Direction.INBOUND: "mail from outside passes as it comes",
    Direction.INTERNAL: "mail between our own people passes as it comes",
}
_FAULTS = {
    Fault.BARE_NEWLINE: "a line ends with a bare CR or LF, so that two servers could read two different messages",
    Fault.HIDDEN_END: "a line of NULs and one dot would end the message for a server that drops NULs",
    Fault.TOO_LARGE: "the message is larger than this gateway takes",
}


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a message; `to_send` is the message itself when nothing was altered."""

    decision: Decision
    to_send: bytes

    @property
    def is_refusal(self) -> bool:
        """Whether the message must not go on."""
        return self.decision.outcome is Outcome.REFUSE


def judge(direction: Direction, content: bytes, particulars: Particulars, snapshot: str) -> Verdict:
    """Return the verdict on a whole message."""
    if direction is not Direction.OUTBOUND:
        return Verdict(_passing(direction, snapshot), content)
    stamped = footer.stamp(content, particulars)
    decision = Decision(
        outcome=_OUTCOMES[stamped.outcome],
        rule="mail.footer",
        rule_version=1,
        clause="R-2.2-b",
        reason=stamped.reason,
        snapshot=snapshot,
        changes=tuple(stamped.changes),
    )
    return Verdict(decision, stamped.message if decision.outcome is Outcome.ALTER else content)


def refusal_of(fault: Fault, snapshot: str) -> Decision:
    """Return the Decision on a message whose form the edge cannot take."""
    return _refusal("mail.edge", "R-5.1-a", _FAULTS[fault], snapshot)


def refused_envelope(reason: str, snapshot: str) -> Decision:
    """Return the Decision on a transaction none of whose content was asked for; `reason` is the reply that refused."""
    return _refusal("mail.envelope", "R-5.1-a", reason, snapshot)


def _refusal(rule: str, clause: str, reason: str, snapshot: str) -> Decision:
    return Decision(
        outcome=Outcome.REFUSE, rule=rule, rule_version=1, clause=clause, reason=reason, snapshot=snapshot
    )


@lru_cache(maxsize=64)
def _passing(direction: Direction, snapshot: str) -> Decision:
    return Decision(
        outcome=Outcome.ALLOW,
        rule="mail.pass",
        rule_version=1,
        clause="R-5.1-a",
        reason=_PASSING[direction],
        snapshot=snapshot,
    )
