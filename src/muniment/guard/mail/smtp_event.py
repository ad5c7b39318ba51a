"""What the server's side of SMTP tells its caller; which of these wait for a reply is said at each.

Source: docs/formats/mail-gateway.md.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from muniment.guard.mail import smtp_reply as replies
from muniment.guard.mail.smtp_command import Mail, Recipient


class Fault(Enum):
    """Why a message that was read to its end cannot be taken."""

    BARE_NEWLINE = replies.BARE_NEWLINE
    HIDDEN_END = replies.HIDDEN_END
    TOO_LARGE = replies.TOO_LARGE
    OVERLOADED = replies.OVERLOADED


class Hello(msgspec.Struct, frozen=True):
    """EHLO or HELO; answered with `greet`. A transaction that was open is over."""

    name: str
    is_extended: bool


class DataBegin(msgspec.Struct, frozen=True):
    """DATA with at least one accepted recipient; answered 354 or refused."""


class Message(msgspec.Struct, frozen=True):
    """The content of a message without dot-stuffing; empty when it was too large or there was no memory."""

    content: bytes
    wire_bytes: int
    fault: Fault | None = None


class Reset(msgspec.Struct, frozen=True):
    """The transaction is over without a message; already answered."""


class StartTls(msgspec.Struct, frozen=True):
    """TLS begins after the output is written; the caller calls `tls_started` when it is on."""


class Auth(msgspec.Struct, frozen=True):
    """A line of an authentication exchange, without CRLF: the AUTH command first, then what answers each 334."""

    line: bytes


class Goodbye(msgspec.Struct, frozen=True):
    """The session is over once the output is written."""


Event = Hello | Mail | Recipient | DataBegin | Message | Reset | StartTls | Auth | Goodbye
