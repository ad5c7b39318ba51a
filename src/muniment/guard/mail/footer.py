"""The statutory footer: every message that leaves carries the company's registered particulars, and says so.

`stamp` is pure. It never takes a message apart and builds it anew: it finds the text by byte offsets, splices the
footer into it and leaves every other byte as it was. A message is either stamped, or carries the particulars already,
or is exempt, or is refused with a reason its sender can act on; nothing leaves unstamped in silence.

Source: R-2.2-b; docs/formats/footer.md; Companies (Trading Disclosures) Regulations 2015, regulations 24 and 25.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from muniment.guard.mail import footer_body, footer_part, footer_splice, footer_text, footer_words, mime
from muniment.guard.mail.footer_splice import Splice, Unstampable
from muniment.guard.mail.footer_words import Particulars

__all__ = ["Outcome", "Particulars", "Plan", "Stamped", "plan", "stamp"]

_STAMPED = "The company's particulars were added, as clause 2.2 asks."
_ALREADY = "The company's particulars stand in the text already, as clause 2.2 asks."
_DKIM = "existing DKIM signature no longer matches; sign after this hop"


class Outcome(StrEnum):
    """What became of a message."""

    STAMPED = "stamped"
    ALREADY = "already"
    EXEMPT = "exempt"
    REFUSED = "refused"


class Stamped(msgspec.Struct, frozen=True):
    """A message after the footer engine.

    `message` is the one given unless the outcome is stamped. `reason` is in plain words and, for refused, says what the
    sender can do. `changes` has a line for each thing altered or worth knowing about it.
    """

    outcome: Outcome
    message: bytes
    reason: str
    changes: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """What stamping a message takes: the splices, in order, whose undoing gives the message back."""

    outcome: Outcome
    splices: tuple[Splice, ...]
    reason: str
    changes: tuple[str, ...] = ()


def stamp(message: bytes, particulars: Particulars) -> Stamped:
    """Return the message with the footer in its text, plain and HTML. Never raises on any message."""
    planned = plan(message, particulars)
    stamped = footer_splice.apply(message, planned.splices) if planned.splices else message
    return Stamped(planned.outcome, stamped, planned.reason, planned.changes)


def plan(message: bytes, particulars: Particulars) -> Plan:
    """Return what `stamp` would do to the message."""
    try:
        return _plan(message, footer_words.words(particulars))
    except Unstampable as unstampable:
        return Plan(Outcome.REFUSED, (), str(unstampable))


def _plan(message: bytes, words: footer_words.Words) -> Plan:
    if message.count(b"\r") != message.count(b"\r\n"):
        raise Unstampable(
            "The message holds a carriage return that ends no line, at which mail programs would not "
            "agree where its text ends",
            "Send the message again from an ordinary mail program.",
        )
    root = mime.scan(message)
    if exempt := footer_body.exemption(message, root):
        return Plan(Outcome.EXEMPT, (), exempt)
    body = footer_body.find(root)
    if exempt := footer_body.exemption(message, root, body):
        return Plan(Outcome.EXEMPT, (), exempt)
    first_line_end = message.find(b"\n")
    eol = b"\n" if first_line_end >= 0 and message[first_line_end - 1 : first_line_end] != b"\r" else b"\r\n"
    if body.parts:
        stamps = [footer_text.stamp(message, part, words, eol) for part in body.parts]
    else:
        stamps = [footer_part.stamp(message, root, words, eol)]
    if not any(stamp.splices for stamp in stamps):
        return Plan(Outcome.ALREADY, (), _ALREADY)
    splices = footer_splice.ordered(splice for stamp in stamps for splice in stamp.splices)
    changes = [change for stamp in stamps for change in stamp.changes]
    changes += body.notes
    if mime.has_field(message, root, b"dkim-signature"):
        changes.append(_DKIM)
    return Plan(Outcome.STAMPED, splices, _STAMPED, tuple(changes))
