"""A light scan of a message's header for the few fields the envelope map keeps; the bytes stay raw.

It looks at the first 64 KB and at the first field of each name, cuts a field at 2 KB and never raises.
Source: RFC 5322 section 2.2; R-5.3-l (Sensitivity).
"""

from __future__ import annotations

import re

HEADER_LIMIT_BYTES = 65_536
FIELD_LIMIT_BYTES = 2_048

_FIELD = re.compile(
    rb"^(subject|from|to|cc|date|message-id|sensitivity|in-reply-to|references)[ \t]*:[ \t]*(.*(?:\r?\n[ \t].*)*)",
    re.IGNORECASE | re.MULTILINE,
)


def scan_header(content: bytes) -> dict[str, bytes]:
    """Return the kept fields by lower-case name, folded as they came, without the line end."""
    end = content.find(b"\r\n\r\n", 0, HEADER_LIMIT_BYTES)
    header = content[: HEADER_LIMIT_BYTES if end < 0 else end]
    fields: dict[str, bytes] = {}
    for match in _FIELD.finditer(header):
        fields.setdefault(match[1].lower().decode("ascii"), match[2][:FIELD_LIMIT_BYTES].rstrip(b"\r"))
    return fields
