"""The Message-ID of a message, and a digest of its text that outlives the way it came. Never an error.

The digest leaves out what servers add on the way, line ends, folding and the order of the fields. It reads the first
64 KiB as header at most. Source: docs/decisions/0016-message-ids.md; RFC 5322 sections 3.6.4 and 3.6.7, RFC 6376 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

HEADER_LIMIT_BYTES = 65_536
ID_LIMIT_BYTES = 998
_PIECE_BYTES = 1 << 20

_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"^([!-9;-~]{1,80})[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)", re.MULTILINE)
_ID = re.compile(rb"<\s*([^<>\s]{1,998}?)\s*>")
_TRACE = re.compile(
    rb"received|return-path|delivered-to|envelope-to|original-recipient|x-.*|resent-.*|list-.*|arc-.*|received-spf"
    rb"|authentication-results|dkim-signature|domainkey-signature|errors-to|precedence|bcc|status|content-length|lines"
)


class Text(NamedTuple):
    """What tells two messages apart: the Message-ID (empty: none) and the SHA-256 of the text."""

    message_id: bytes
    digest: bytes


def text_of(content: bytes) -> Text:
    """Return the Message-ID and the digest of a message, whatever its bytes are."""
    end = _END.search(content, 0, HEADER_LIMIT_BYTES)
    stop = end.start() if end else min(len(content), HEADER_LIMIT_BYTES)
    fields: list[bytes] = []
    message_id = b""
    for name, value in _FIELD.findall(content, 0, stop):
        lower, words = name.lower(), b" ".join(value.split())
        if lower == b"message-id" and not message_id:
            found = _ID.search(words)
            message_id = (found[1] if found else words)[:ID_LIMIT_BYTES]
        if not _TRACE.fullmatch(lower):
            fields.append(lower + b":" + words)
    digest = sha256(b"\n".join(sorted(fields)) + b"\n\n")
    _add_body(digest.update, content, end.end() if end else stop)
    return Text(message_id, digest.digest())


def _add_body(update: Callable[[bytes], None], content: bytes, start: int) -> None:
    """Add the body with line ends of one byte and without empty lines at its end, a piece at a time."""
    left = 0  # line ends that count only if something follows
    while start < len(content):
        end = min(start + _PIECE_BYTES, len(content))
        if end < len(content) and content[end - 1] == 13:  # keep CR and LF together
            end += 1
        piece = content[start:end].replace(b"\r\n", b"\n")
        text = piece.rstrip(b"\n")
        if text:
            update(b"\n" * left + text)
            left = 0
        left += len(piece) - len(text)
        start = end
