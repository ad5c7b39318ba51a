"""A message is cut into redaction units, the smallest pieces that can be withheld while the rest is provable.

Units are runs of header fields of one group, the headers of each MIME part, and blocks of about 1 KB that
end at line ends. Whoever checks a redacted copy needs the units, not these rules. Bytes that are no good mail
give coarser units, never an error.

Source: docs/formats/redaction.md; RFC 5322 3.6 (groups of fields), RFC 2046 5.1.1 (delimiter lines).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

BLOCK_BYTES = 1024
# A last block may be this much longer, so that no crumb is left over.
TAIL_BYTES = 256

MAX_UNITS = 1 << 19  # of one face
MAX_HEADER_BYTES = 65536
MAX_INNER_HEADER_BYTES = 16384
# Lines that look like a delimiter are compared with the boundaries known so far; both counts are bounded.
_MAX_CANDIDATES = 1 << 16
_MAX_PARTS = 1 << 14
_MAX_FIELD_RUNS = 1 << 17
_MAX_DELIMITER_BYTES = 300

_FIELD = re.compile(rb"\n(?![ \t])")
_BOUNDARY = re.compile(rb'boundary\s{0,9}=\s{0,9}(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)

_GROUPS = {
    "trace": "received return-path delivered-to envelope-to resent- dkim- arc- authentication-results x-rec",
    "originator": "from sender reply-to errors-to x-from",
    "recipients": "to: cc: bcc x-to x-cc x-bcc",
    "subject": "subject comments keywords",
    "identification": "message-id in-reply-to references date",
}
# The first three letters decide. A stranger that shares them joins the group and costs only fineness.
_GROUP_OF = {name[:3].encode(): group for group, names in _GROUPS.items() for name in names.split()}


def unit_ends(data: bytes) -> list[int]:
    """Return where each unit of `data` ends, rising; the last one is the length, and no bytes have no units.

    Linear in time and at most MAX_UNITS long, whatever the bytes.
    """
    return face_ends([data])[0]


def face_ends(faces: Sequence[bytes]) -> list[list[int]]:
    """Return the `unit_ends` of each face; a header that two of them share is cut once."""
    found, head = [], _Head(b"", b"", ())
    for face in faces:
        if not (head.is_whole and face.startswith(head.header)):
            head = _cut_head(face)
        ends = list(head.ends)
        body = len(head.header)
        if b"boundary" in head.lower or b"message/rfc822" in head.lower:
            body = _cut_parts(face, body, head.header, head.lower, ends)
        _cut_blocks(face, body, len(face), ends)
        found.append(ends)
    return found


class _Head(NamedTuple):
    """A header section with its blank line, its lower case, and the ends of its units."""

    header: bytes
    lower: bytes
    ends: Sequence[int]

    @property
    def is_whole(self) -> bool:
        """Tell whether it ends with its blank line, so that more bytes behind it do not move its end."""
        return self.header.endswith((b"\n\n", b"\n\r\n"))


def _cut_head(data: bytes) -> _Head:
    header = data[: _header_end(data, 0, MAX_HEADER_BYTES)]
    lower = header.lower()
    ends: list[int] = []
    _cut_fields(lower, 0, ends)
    return _Head(header, lower, ends)


def _header_end(data: bytes, start: int, limit_bytes: int) -> int:
    """Return where the header section that begins at `start` ends, its blank line included.

    Without a blank line within the limit it is all of a short message, and nothing of a long one.
    """
    limit = start + limit_bytes
    first = data.find(b"\n", start, limit)
    if data[start : start + 1] == b"\n" or data[start : start + 2] == b"\r\n":
        return first + 1
    # The ending of the first line says which blank line to expect; the other kind may still come before it.
    likely, other = (b"\n\r\n", b"\n\n") if data[first - 1 : first] == b"\r" else (b"\n\n", b"\n\r\n")
    at = data.find(likely, start, limit)
    earlier = data.find(other, start, limit if at < 0 else at)
    if earlier >= 0:
        return earlier + len(other)
    if at >= 0:
        return at + len(likely)
    return len(data) if len(data) <= limit else start


def _cut_fields(lower: bytes, at: int, ends: list[int]) -> None:
    """Append the ends of the runs of fields of one group; `lower` is the header section, begun at `at`."""
    if not lower:
        return
    group_of, append = _GROUP_OF.get, ends.append
    end = at + len(lower)
    last = group_of(lower[:3])
    # The blank line belongs to the last run.
    for field in _FIELD.split(lower.rstrip()):
        group = group_of(field[:3])
        if group is not last:
            append(at)
            last = group
        at += len(field) + 1
    append(end)


def _cut_parts(data: bytes, start: int, header: bytes, lower: bytes, ends: list[int]) -> int:
    """Append the ends of MIME parts and of their headers and blocks; return where the last body begins.

    1. A delimiter line is "--", a boundary named in some header before it, and perhaps "--".
    2. The unit before it ends there; the line and the headers after it are one unit.
    3. An attached message's own headers are cut like those of the whole.
    """
    known: set[bytes] = set()
    start = _enter(data, start, header, lower, known, ends)
    find, at, parts = data.find, start - 1, 0
    for _ in range(_MAX_CANDIDATES):
        at = find(b"\n--", max(at, 0))
        if at < 0 or parts >= _MAX_PARTS:
            break
        delimiter = at + 1
        at = find(b"\n", delimiter)
        if at < 0:
            at = len(data)
        if at - delimiter > _MAX_DELIMITER_BYTES:
            continue
        token = data[delimiter + 2 : at].rstrip()
        if token in known:
            _cut_blocks(data, start, delimiter, ends)
            start = _header_end(data, at + 1, MAX_INNER_HEADER_BYTES)
            ends.append(start)
            header = data[at + 1 : start]
            start = _enter(data, start, header, header.lower(), known, ends)
            at = start - 1
            parts += 1
        elif token[-2:] == b"--" and token[:-2] in known:
            _cut_blocks(data, start, delimiter, ends)
            start = delimiter
            parts += 1
    return start


def _enter(data: bytes, start: int, header: bytes, lower: bytes, known: set[bytes], ends: list[int]) -> int:
    """Learn the boundaries a header names; step into an attached message; return where the body begins."""
    while True:
        at = lower.find(b"boundary")
        while at >= 0:
            if found := _BOUNDARY.match(header, at):
                known.add((found[1] or found[2]).rstrip())
            at = lower.find(b"boundary", at + 8)
        if b"message/rfc822" not in lower or len(ends) > _MAX_FIELD_RUNS:
            return start
        inner = _header_end(data, start, MAX_INNER_HEADER_BYTES)
        if inner == start:
            return start
        header = data[start:inner]
        lower = header.lower()
        _cut_fields(lower, start, ends)
        start = inner


def _cut_blocks(data: bytes, start: int, end: int, ends: list[int]) -> None:
    """Append the ends of blocks of at most about BLOCK_BYTES, at line ends where there are any."""
    block = BLOCK_BYTES << (len(data) >> 27).bit_length()
    rfind = data.rfind
    while end - start > block + TAIL_BYTES:
        start = rfind(b"\n", start, start + block) + 1 or start + block
        ends.append(start)
    if end > start:
        ends.append(end)
