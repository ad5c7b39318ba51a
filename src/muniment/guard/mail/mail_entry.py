"""What the record keeps of one message at the edge: the message, its refusal, and what the next hop said.

The envelope map and the facts of an outcome are specified in docs/formats/mail-gateway.md. Source: R-5.1-a, R-2.1-b.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from muniment.guard.mail.direction import Door
from muniment.guard.mail.header_fields import scan_header
from muniment.guard.mail.smtp_reply import Reply
from muniment.policy.decision import Decision
from muniment.record.entry import Capture, Channel, Direction, Entry, Kind, Receipt, Retention, Stream

FORMAT = 1
_ENCODE = msgspec.msgpack.Encoder().encode


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a message besides its bytes; `refused` pairs a recipient with the reply that refused it."""

    door: Door
    mail_from: str
    rcpt_to: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    client_host: str
    client_port: int
    helo: str
    is_tls: bool
    user: str = ""
    hop: str = ""


def message_entry(
    envelope: Envelope, direction: Direction, content: bytes, sent: bytes, decision: Decision
) -> Entry:
    """Return the entry of a message that passes, as written and, if it differs, as sent."""
    is_journal = envelope.door is Door.JOURNAL
    return Entry(
        stream=Stream.MAIL_JOURNAL if is_journal else Stream.MAIL_GATEWAY,
        channel=Channel.SMTP,
        retention=Retention.MAIL,
        capture=Capture.JOURNAL if is_journal else Capture.WIRE,
        direction=direction,
        addresses=_addresses(envelope),
        content=content,
        sent=None if sent is content or sent == content else sent,
        meta=envelope_map(envelope, content),
        facts=_facts(decision),
    )


def refusal_entry(envelope: Envelope, direction: Direction, received: bytes, decision: Decision) -> Entry:
    """Return the entry of a message that was refused, with what was received of it."""
    return Entry(
        stream=Stream.MAIL_REFUSED,
        channel=Channel.SMTP,
        retention=Retention.REFUSED,
        capture=Capture.WIRE,
        direction=direction,
        addresses=_addresses(envelope),
        content=received,
        meta=envelope_map(envelope, received),
        facts=decision.to_facts(),
    )


def outcome_entry(
    receipt: Receipt, direction: Direction, hop: str, outcome: str, reply: Reply | None
) -> Entry:
    """Return the entry of what became of a recorded message at the next hop.

    `outcome` is "accepted", "refused", "unsent" (the hop was lost before the final dot) or "unknown" (after it).
    """
    facts = {"format": FORMAT, "hop": hop, "outcome": outcome}
    if reply is not None:
        facts |= {"code": reply.code, "reply": reply.text[:1000]}
    return Entry(
        stream=Stream.MAIL_OUTCOME,
        kind=Kind.OUTCOME,
        channel=Channel.SMTP,
        retention=Retention.MAIL,
        capture=Capture.WIRE,
        direction=direction,
        facts=_ENCODE(facts),
        about=receipt.index,
    )


def envelope_map(envelope: Envelope, content: bytes) -> bytes:
    """Return the sealed envelope map as MessagePack."""
    table: dict[str, object] = {
        "format": FORMAT,
        "door": envelope.door.value,
        "mail_from": envelope.mail_from,
        "rcpt_to": envelope.rcpt_to,
        "client": (envelope.client_host, envelope.client_port),
        "helo": envelope.helo,
        "tls": envelope.is_tls,
        "user": envelope.user,
        "hop": envelope.hop,
        "headers": scan_header(content),
    }
    if envelope.refused:
        table["refused"] = envelope.refused
    return _ENCODE(table)


def _addresses(envelope: Envelope) -> tuple[str, ...]:
    """Return sender and recipients once each, the null sender left out."""
    refused = [address for address, _ in envelope.refused]
    return tuple(filter(None, dict.fromkeys([envelope.mail_from, *envelope.rcpt_to, *refused])))


@lru_cache(maxsize=256)
def _facts(decision: Decision) -> bytes:
    return decision.to_facts()
