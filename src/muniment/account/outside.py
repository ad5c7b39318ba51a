"""The example's outside world, asked over the sink's local socket: what arrived there, byte for byte.

Only an example organisation has one. A message is shown as text; nothing of it is ever interpreted as a page.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from muniment.account.asking import ask
from muniment.account.letter import visible
from muniment.account.record_state import in_bytes, when
from muniment.policy.errors import Missing, Unavailable
from muniment.policy.policyfile import PolicyFile

SOCKET = "sink.sock"
_SECONDS = 10.0
_LONGEST_SUBJECT = 500
_SHOWN_RECIPIENTS = 3
_LISTENERS = {"outside": "The outside world", "inside": "Our own mail server"}
Answer = TypeVar("Answer")


class Arrival(msgspec.Struct, frozen=True):
    """One message in the list; `listener` is `outside` (the world) or `inside` (the organisation's mail server)."""

    id: int
    received_at: str
    listener: str
    mail_from: str
    rcpt_to: tuple[str, ...]
    size: int
    subject: str


class Shown(Arrival, frozen=True):
    """One message with its bytes."""

    raw_base64: str

    @property
    def raw(self) -> bytes:
        """Return the message as it arrived."""
        return base64.b64decode(self.raw_base64)


@dataclass(frozen=True)
class Heading:
    """One message as a page names it; every text is safe to show as text."""

    number: int
    subject: str
    sender: str
    recipients: str
    where: str
    time: str
    size: str


def heading(arrival: Arrival, now: datetime) -> Heading:
    """Return how a page names a message at an aware moment."""
    named = ", ".join(arrival.rcpt_to[:_SHOWN_RECIPIENTS])
    more = len(arrival.rcpt_to) - _SHOWN_RECIPIENTS
    return Heading(
        number=arrival.id,
        subject=visible(_decoded(arrival.subject)).strip() or "A message without a subject",
        sender=visible(arrival.mail_from.strip("<>")) or "a mail server, which wants no answer",
        recipients=visible(named) + (f" and {more:,} more" if more > 0 else ""),
        where=_LISTENERS.get(arrival.listener, visible(arrival.listener)),
        time=_time(arrival.received_at, now),
        size=in_bytes(arrival.size),
    )


def sending_command(policy: PolicyFile) -> str:
    """Return a line for a terminal that hands a message in at the gateway's inside door."""
    host, _, port = policy.gateway.inside.rpartition(":")
    domain = policy.organisation.domains[0]
    return (
        f"python3 -c \"import smtplib; smtplib.SMTP('{host.strip('[]')}', {port}).sendmail('a.teacher@{domain}', "
        "'someone@outside.example', 'Subject: Hello\\r\\n\\r\\nGood morning\\r\\n')\""
    )


def _decoded(subject: str) -> str:
    """Return a subject whose encoded words are decoded, unless they cannot be."""
    short = subject[:_LONGEST_SUBJECT] + ("…" if len(subject) > _LONGEST_SUBJECT else "")
    try:
        return str(make_header(decode_header(short)))
    except (HeaderParseError, LookupError, ValueError):
        return short


def _time(iso: str, now: datetime) -> str:
    try:
        return when(int(datetime.fromisoformat(iso).timestamp() * 1000), now)
    except (ValueError, OverflowError):
        return visible(iso)


class _List(msgspec.Struct, frozen=True):
    messages: tuple[Arrival, ...]


def arrivals(run: Path) -> list[Arrival]:
    """Return what has arrived, the newest first.

    Raises: Unavailable when the sink does not answer.
    """
    return list(reversed(_convert(_ask(run / SOCKET, {"op": "list"}), _List).messages))


def message(run: Path, number: int) -> Shown:
    """Return one message.

    Raises: Missing when the sink holds no such message; Unavailable when it does not answer.
    """
    return _convert(_ask(run / SOCKET, {"op": "show", "id": number}), Shown)


def _ask(path: Path, question: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = ask(path, question, _SECONDS)
    except Unavailable as error:
        raise _no_answer(path) from error
    if "error" in answer:
        kind = Missing if answer.get("exit_code") == Missing.exit_code else Unavailable
        raise kind(str(answer["error"]))
    return answer


def _convert(answer: dict[str, Any], kind: type[Answer]) -> Answer:
    try:
        found = msgspec.convert(answer, kind)
        if isinstance(found, Shown):
            base64.b64decode(found.raw_base64, validate=True)
    except (msgspec.ValidationError, binascii.Error) as error:
        raise Unavailable(
            "the outside world answered something else; stop `muniment up` and start it again"
        ) from error
    return found


def _no_answer(path: Path) -> Unavailable:
    return Unavailable(f"the outside world does not answer at {path}; start it with `muniment up`")
