"""Which parts of a message are its text, and which messages carry no footer at all.

The text is the first part shown inline that is plain text or HTML; of alternatives it is each. What stands in attached
files and attached messages is not the message's own text.

Source: R-2.2-b; RFC 2046 section 5.1, RFC 2387, RFC 5546, RFC 6522, RFC 8551, RFC 3156.
"""

from __future__ import annotations

import binascii
import re

import msgspec

from muniment.guard.mail.footer_content import IDENTITY
from muniment.guard.mail.footer_splice import Unstampable
from muniment.guard.mail.footer_text import HTML_KINDS
from muniment.guard.mail.mime import Part

TEXT_KINDS = HTML_KINDS | {"text/plain"}
_SEALED = frozenset(
    {
        "multipart/signed",
        "multipart/encrypted",
        "application/pgp",
        "application/pgp-encrypted",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
    }
)
_PKCS7 = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_REPORTS = frozenset(
    {"delivery-status", "disposition-notification", "feedback-report", "global-delivery-status"}
)
_REPORTS |= frozenset({"global-disposition-notification"})
_REPORT_KINDS = frozenset(f"message/{report}" for report in _REPORTS)
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_REPORT = (
    "A report on the delivery or reading of a message is not business correspondence and carries no footer."
)
_ANSWER = (
    "An answer to a calendar invitation that has no text of its own is left as it is, for calendars to read."
)
_METHOD_REPLY = re.compile(rb"^METHOD:REPLY[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)


class Body(msgspec.Struct, frozen=True):
    """The parts that hold the message's text, none when it has no text; `notes` tell what stays without a footer."""

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()


def exemption(message: bytes, root: Part, body: Body | None = None) -> str:
    """Return why a message carries no footer: it reports on a delivery or, without a text, answers an invitation.

    Nothing when it does carry one; before the text is found (`body` is None) only reports are told.
    """
    if body is None:
        reports = root.kind == "multipart/report" and any(
            child.kind in _REPORT_KINDS for child in root.children
        )
        return _REPORT if reports or root.kind in _REPORT_KINDS else ""
    answers = not body.parts and any(_is_calendar_reply(message, part) for part in root.walk())
    return _ANSWER if answers else ""


def find(root: Part) -> Body:
    """Return the message's text.

    Raises: Unstampable when the text is signed or encrypted, or cannot be told for sure.
    """
    if root.kind == "message/partial":
        raise Unstampable(
            "The message is one piece of a larger one that a mail program cut up",
            "Send it whole, or send the large file in another way.",
        )
    parts = _text(root, outermost=True)
    notes = []
    for part in root.walk():
        if part.kind in _TNEF:
            notes.append(f"the copy of the text in winmail.dat (part {part.number}) is left without a footer")
        elif part.kind == "multipart/alternative" and any(child in parts for child in part.children):
            notes += [
                f"the alternative in {child.kind} (part {child.number}) is left without a footer"
                for child in part.children
                if child.kind.startswith("text/") and child.kind not in TEXT_KINDS | {"text/calendar"}
            ]
    return Body(parts, tuple(notes))


def _text(part: Part, *, outermost: bool = False) -> tuple[Part, ...]:
    """Return the parts that hold the text of this part, none when it has none."""
    if part.doubt:
        raise Unstampable(
            f"Mail programs would not agree where the text of the message is ({part.doubt})",
            "Send the message again from an ordinary mail program.",
        )
    if part.kind in _SEALED and not _is_sealed_file(part):
        raise Unstampable(
            "The message is signed or encrypted, and any change would break it",
            "Write them in the text yourself before you sign or encrypt, or send the message unsigned.",
        )
    if not part.is_multipart:
        return (part,) if part.kind in TEXT_KINDS and not _is_attached(part, outermost) else ()
    if part.encoding not in IDENTITY | {"quoted-printable"}:
        raise Unstampable(
            f"The message as a whole is sent in a form that is not allowed ({part.kind} in "
            f"{part.encoding[:20]!a})",
            "Send it from an ordinary mail program.",
        )
    if part.kind == "multipart/alternative":
        return tuple(text for child in part.children for text in _text(child))
    if part.kind == "multipart/related":
        return next((text for child in part.children[:1] if (text := _text(child))), ())
    return next((text for child in part.children if (text := _text(child))), ())


def _is_attached(part: Part, outermost: bool) -> bool:
    if part.disposition not in ("", "inline"):
        return True
    return bool(part.filename) and not outermost


def _is_sealed_file(part: Part) -> bool:
    """Whether a PKCS #7 part is a signed file that somebody attached, not the message's own envelope."""
    name = (part.filename or part.parameters.get("name", "")).lower()
    return part.kind in _PKCS7 and part.disposition == "attachment" and name not in ("", "smime.p7m")


def _is_calendar_reply(message: bytes, part: Part) -> bool:
    if part.kind != "text/calendar" or part.disposition == "attachment":
        return False
    method = part.parameters.get("method", "")
    if method:
        return method.strip().lower() == "reply"
    raw = message[part.body : part.end]
    if part.encoding == "base64":
        try:
            raw = binascii.a2b_base64(raw)
        except binascii.Error:
            return False
    return _METHOD_REPLY.search(raw) is not None
