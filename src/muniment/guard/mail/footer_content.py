"""A part's text behind its transfer encoding, and how something is put into it without touching the rest.

Source: RFC 2045 section 6.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode

import msgspec

from muniment.guard.mail.footer_splice import Splice, Unstampable
from muniment.guard.mail.mime import Part

IDENTITY = frozenset({"7bit", "8bit", "binary"})
_BASE64_LINE_BYTES = 57  # 76 characters
_SPACE = b" \t\r\n"
_QP_TOKEN = re.compile(rb"=[ \t]*+\r?\n|=[0-9A-Fa-f]{2}|[^=]++|=")
_TAIL_BYTES = 160


class Content(msgspec.Struct, frozen=True):
    """A part's body: `raw` as sent, `octets` decoded; `at` is where it begins in the message, `eol` how lines end."""

    raw: bytes
    octets: bytes
    encoding: str
    at: int
    eol: bytes

    def insert(self, offset: int, new: bytes) -> Splice:
        """Return the splice that puts `new` before the decoded byte `offset`."""
        if self.encoding == "quoted-printable":
            return self._insert_quoted(offset, new)
        if self.encoding == "base64":
            return self._insert_base64(offset, new)
        return Splice(self.at + offset, b"", new)

    def replace(self, octets: bytes, encoding: str) -> Splice:
        """Return the splice that puts other text, in another encoding, in the place of the whole body."""
        new = base64(octets, self.eol) if encoding == "base64" else quoted(octets, self.eol)
        return Splice(self.at, self.raw, new)

    def _insert_quoted(self, offset: int, new: bytes) -> Splice:
        at = len(self.raw) if offset == len(self.octets) else _quoted_offset(self.raw, self.octets, offset)
        if at < 0:
            return self.replace(self.octets[:offset] + new + self.octets[offset:], "quoted-printable")
        before = self.raw[:at]
        lead = b""
        if before.endswith(b"=") and at == len(self.raw):
            lead = self.eol  # completes a soft line break that the body ends in
        elif before and not before.endswith(b"\n") and not new.startswith(b"\r\n"):
            lead = b"=" + self.eol
        tail = b"" if at == len(self.raw) or new.endswith(b"\n") else b"=" + self.eol
        return Splice(self.at + at, b"", lead + quoted(new, self.eol) + tail)

    def _insert_base64(self, offset: int, new: bytes) -> Splice:
        kept = offset // 3 * 3
        at = _base64_offset(self.raw, kept // 3 * 4)
        lead = b"" if at == 0 or self.raw[at - 1] == 10 else self.eol
        body = base64(self.octets[kept:offset] + new + self.octets[offset:], self.eol)
        if not self.raw.endswith(b"\n"):
            body = body.rstrip(b"\r\n")
        return Splice(self.at + at, self.raw[at:], lead + body)


def read(message: bytes, part: Part, eol: bytes) -> Content:
    """Return the content of a text part.

    Raises: Unstampable when the encoding is unknown or broken.
    """
    raw = message[part.body : part.end]
    if part.encoding in IDENTITY:
        octets = raw
    elif part.encoding == "quoted-printable":
        octets = binascii.a2b_qp(raw)
    elif part.encoding == "base64":
        octets = _from_base64(raw, part)
    else:
        raise Unstampable(
            f"The text of the message (part {part.number}) is sent in a form this gateway does not know "
            f"(Content-Transfer-Encoding: {_shown(part.encoding)})",
            "Send the message again from an ordinary mail program.",
        )
    return Content(raw, octets, part.encoding, part.body, eol)


def quoted(octets: bytes, eol: bytes) -> bytes:
    """Return the octets as quoted-printable. Line ends stay line ends when the octets are text with CRLF."""
    if b"\0" in octets:
        encoded = binascii.b2a_qp(octets, istext=False)
        return encoded.replace(b"\r\n", b"\n").replace(b"\n", eol)
    encoded = binascii.b2a_qp(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    return encoded if eol == b"\r\n" else encoded.replace(b"\r\n", eol)


def base64(octets: bytes, eol: bytes) -> bytes:
    """Return the octets as base64 in lines of 76 characters, the last ended too."""
    lines = (octets[at : at + _BASE64_LINE_BYTES] for at in range(0, len(octets), _BASE64_LINE_BYTES))
    return b"".join(b64encode(line) + eol for line in lines)


def _from_base64(raw: bytes, part: Part) -> bytes:
    letters = raw.translate(None, _SPACE).rstrip(b"=")
    try:
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4), strict_mode=True)
    except binascii.Error:
        raise Unstampable(
            f"The text of the message (part {part.number}) is damaged (its base64 cannot be read)",
            "Write and send the message again.",
        ) from None


def _base64_offset(raw: bytes, letters: int) -> int:
    """Return where in `raw` the base64 letter with that number stands, or where the last one ends."""
    total = len(raw.translate(None, _SPACE))
    size = _TAIL_BYTES
    while True:
        start = max(0, len(raw) - size)
        before = total - len(raw[start:].translate(None, _SPACE))
        if before <= letters or start == 0:
            break
        size *= 4
    found = re.compile(rb"(?:[ \t\r\n]*+[^ \t\r\n]){%d}+" % (letters - before)).match(raw, start)
    return found.end() if found else start


def _quoted_offset(raw: bytes, octets: bytes, offset: int) -> int:
    """Return where in `raw` the decoded byte `offset` is written, or -1 when that cannot be told."""
    wanted = len(octets) - offset
    size = _TAIL_BYTES
    while True:
        start = raw.rfind(b"\n", 0, max(0, len(raw) - size)) + 1
        tail = binascii.a2b_qp(raw[start:])
        if len(tail) >= wanted or start == 0:
            break
        size *= 4
    at, skip = start, len(tail) - wanted
    while skip > 0:
        token = _QP_TOKEN.match(raw, at)
        if token is None:
            return -1
        length = len(binascii.a2b_qp(token.group()))
        if length > skip and token.group()[:1] != b"=":
            return _confirmed(raw, octets, at + skip, offset)
        at, skip = token.end(), skip - length
    return _confirmed(raw, octets, at, offset)


def _confirmed(raw: bytes, octets: bytes, at: int, offset: int) -> int:
    """Return `at` when decoding either side of it alone gives the same text; a broken escape may not."""
    right = binascii.a2b_qp(raw[:at]) == octets[:offset] and binascii.a2b_qp(raw[at:]) == octets[offset:]
    return at if right else -1


def _shown(encoding: str) -> str:
    return "".join(mark if mark.isprintable() else "?" for mark in encoding[:40])
