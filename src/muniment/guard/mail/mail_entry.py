"""What the record keeps of one message at the edge: the message, its refusal, and what the next hop said.

The envelope map and the facts of an outcome are specified in docs/formats/mail-gateway.md. Source: R-5.1-a, R-2.1-b.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from muniment.guard.mail.direction import Door
from muniment.guard.mail.header_fields import scan_header
from muniment.guard.mail.smtp_reply import Reply
from muniment.policy.decision import Decision
from muniment.policy.shield import Shielding
from muniment.record.entry import Capture, Channel, Direction, Entry, Kind, Receipt, Retention, Stream
from muniment.record.sameness.text import text_of

FORMAT = 1
_ENCODE = msgspec.msgpack.Encoder().encode
_MARKS_ONLY = Shielding()
_ADDRESS = re.compile(rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,128}+@[A-Za-z0-9][A-Za-z0-9.-]{1,252}")


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
    envelope: Envelope,
    direction: Direction,
    content: bytes,
    sent: bytes,
    decision: Decision,
    shielding: Shielding = _MARKS_ONLY,
) -> Entry:
    """Return the entry of a message that passes, as written and, if it differs, as sent."""
    headers, text = scan_header(content), text_of(content)
    is_changed = sent is not content and sent != content
    is_journal = envelope.door is Door.JOURNAL
    return Entry(
        stream=Stream.MAIL_JOURNAL if is_journal else Stream.MAIL_GATEWAY,
        channel=Channel.SMTP,
        retention=Retention.MAIL,
        capture=Capture.JOURNAL if is_journal else Capture.WIRE,
        direction=direction,
        addresses=_addresses(envelope),
        content=content,
        sent=sent if is_changed else None,
        meta=envelope_map(envelope, headers),
        facts=_facts(decision),
        shielded=shielded(envelope, headers, shielding),
        message_id=text.message_id,
        texts=(text.digest, text_of(sent).digest) if is_changed else (text.digest,),
    )


def refusal_entry(
    envelope: Envelope,
    direction: Direction,
    received: bytes,
    decision: Decision,
    shielding: Shielding = _MARKS_ONLY,
) -> Entry:
    """Return the entry of a message that was refused, with what was received of it."""
    headers = scan_header(received)
    return Entry(
        stream=Stream.MAIL_REFUSED,
        channel=Channel.SMTP,
        retention=Retention.REFUSED,
        capture=Capture.WIRE,
        direction=direction,
        addresses=_addresses(envelope),
        content=received,
        meta=envelope_map(envelope, headers),
        facts=decision.to_facts(),
        shielded=shielded(envelope, headers, shielding),
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


def envelope_map(envelope: Envelope, headers: Mapping[str, bytes]) -> bytes:
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
        "headers": headers,
    }
    if envelope.refused:
        table["refused"] = envelope.refused
    return _ENCODE(table)


def shielded(envelope: Envelope, headers: Mapping[str, bytes], shielding: Shielding) -> str:
    """Return why a message is shielded, "" when it is not; by its envelope and by what its header says. R-5.3-l."""
    named = (
        match.decode("ascii")
        for name in ("from", "to", "cc")
        for match in _ADDRESS.findall(headers.get(name, b""))
    )
    return shielding.reason(
        addresses=(*_addresses(envelope), *named),
        sensitivity=headers.get("sensitivity", b"").decode("ascii", "replace"),
        subject=headers.get("subject", b"").decode("utf-8", "replace"),
    )


def _addresses(envelope: Envelope) -> tuple[str, ...]:
    """Return sender and recipients once each, the null sender left out."""
    refused = [address for address, _ in envelope.refused]
    return tuple(filter(None, dict.fromkeys([envelope.mail_from, *envelope.rcpt_to, *refused])))


@lru_cache(maxsize=256)
def _facts(decision: Decision) -> bytes:
    return decision.to_facts()
