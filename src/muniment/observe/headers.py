"""The few header facts an imported entry carries: who, when, what about. Looked up simply; never an error.

The bytes are the evidence; these facts only help to find them, so a malformed header gives fewer of them.

Source: R-5.1-a; RFC 5322 3.6, RFC 4021 2.1.55 (Sensitivity).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from muniment.policy.shield import Shielding
from muniment.record.entry import Direction

MAX_HEADER_BYTES = 65536
MAX_VALUE_BYTES = 2048
MAX_ADDRESSES = 500

_END = re.compile(rb"\n\r?\n")
_FIELD = re.compile(rb"^([!-9;-~]{1,80})[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)", re.MULTILINE)
_ADDRESS = re.compile(
    rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]{1,128}+@[A-Za-z0-9\x80-\xff][A-Za-z0-9.\x80-\xff-]{1,252}"
)

_KEPT = (
    b"date",
    b"from",
    b"sender",
    b"to",
    b"cc",
    b"bcc",
    b"subject",
    b"message-id",
    b"in-reply-to",
    b"references",
)
_SENDERS = (b"from", b"sender", b"reply-to", b"return-path")
_RECIPIENTS = (b"to", b"cc", b"bcc", b"delivered-to", b"x-original-to", b"envelope-to")


class HeaderFacts(NamedTuple):
    """`values` by lower-case field name, first occurrence, folded lines joined, as raw bytes."""

    values: dict[str, bytes]
    senders: tuple[str, ...]
    recipients: tuple[str, ...]
    sensitivity: str

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses, each once."""
        return tuple(dict.fromkeys(self.senders + self.recipients))

    def shielded(self, shielding: Shielding, folder: str = "") -> str:
        """Return why the message is shielded, "" when it is not; `folder` is the path it lay at. R-5.3-l."""
        subject = self.values.get("subject", b"").decode("utf-8", "replace")
        return shielding.reason(
            addresses=self.addresses, sensitivity=self.sensitivity, subject=subject, folder=folder
        )


def facts_of(message: bytes) -> HeaderFacts:
    """Return what the header section says; of a section longer than MAX_HEADER_BYTES its beginning."""
    header = message[:MAX_HEADER_BYTES]
    end = _END.search(header)
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(header, 0, end.end() if end else len(header)):
        fields.setdefault(name.lower(), []).append(value)
    values = {
        name.decode(): b" ".join(fields[name][0].split())[:MAX_VALUE_BYTES]
        for name in _KEPT
        if name in fields
    }
    mark = fields.get(b"sensitivity", [b""])[0][:100].decode("ascii", "replace").strip()
    return HeaderFacts(values, _addresses(fields, _SENDERS), _addresses(fields, _RECIPIENTS), mark)


def direction_of(facts: HeaderFacts, own_domains: Collection[str]) -> Direction:
    """Return the direction the header claims; NONE when it names no sender or no recipient."""
    if not facts.senders or not facts.recipients:
        return Direction.NONE
    if not _is_own(facts.senders[0], own_domains):
        return Direction.INBOUND
    ours = all(_is_own(address, own_domains) for address in facts.recipients)
    return Direction.INTERNAL if ours else Direction.OUTBOUND


def _is_own(address: str, own_domains: Collection[str]) -> bool:
    return address.rpartition("@")[2].rstrip(".") in own_domains


def _addresses(fields: dict[bytes, list[bytes]], names: Collection[bytes]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in names:
        for value in fields.get(name, ()):
            for address in _ADDRESS.findall(value):
                found[address.decode("utf-8", "backslashreplace").lower()] = None
                if len(found) == MAX_ADDRESSES:
                    return tuple(found)
    return tuple(found)
