"""An mbox is cut into messages so that its postmark lines, messages and separators put together give the file back.

Nothing is unquoted: `>From ` in a body stays, because the bytes as stored are the evidence and one cannot know
which quoting the writer used (mboxo quotes only `From `, mboxrd also `>From `, mboxcl2 nothing).

1. A postmark is a line "From ", an address and a date with weekday, month, time and year. It stands at the start of
   the file or after an empty line.
2. When a message has a Content-Length that leads to the next postmark or to the end, it is believed (mboxcl2).
3. The empty line before a postmark belongs to the mbox, not to the message.

Source: RFC 4155; docs/formats/import.md.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from typing import NamedTuple

Bytes = bytes | mmap.mmap

_POSTMARK_LINE = (
    rb"From [^\r\n]{0,300}?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?:[0-3]?[0-9] )?"
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[^\r\n]{0,30}[0-9]:[0-9]{2}[^\r\n]{0,60}\r?\n"
)
_POSTMARK = re.compile(_POSTMARK_LINE)
_NEXT = re.compile(rb"\n(\r?\n)(?=" + _POSTMARK_LINE + rb")")
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,12})[ \t]*\r?\n", re.IGNORECASE | re.MULTILINE)
_BLANK = re.compile(rb"\n\r?\n")
_SEPARATOR = re.compile(rb"(?:\r?\n){0,2}")
_MAX_HEADER_BYTES = 65536


class Stored(NamedTuple):
    """Where one message lies: its postmark begins at `start`, the message is [body, end), the separator follows."""

    start: int
    body: int
    end: int
    after: int


def starts_as_mbox(data: Bytes) -> bool:
    """Tell whether the first line is a postmark."""
    return _POSTMARK.match(data) is not None


def holds_several(data: Bytes) -> bool:
    """Tell whether the first line is a postmark and another postmark follows."""
    return starts_as_mbox(data) and _NEXT.search(data) is not None


def messages(data: Bytes) -> Iterator[Stored]:
    """Yield every message in order. What stands before the first postmark is one message without a postmark."""
    start = 0
    while start < len(data):
        postmark = _POSTMARK.match(data, start)
        body = postmark.end() if postmark else start
        stored = _by_length(data, start, body) or _by_postmark(data, start, body)
        yield stored
        start = stored.after


def _by_postmark(data: Bytes, start: int, body: int) -> Stored:
    """Return the message that ends before the next postmark."""
    # The line end before the separator may be the postmark's own, when the message is empty.
    found = _NEXT.search(data, max(body - 1, 0))
    if found is None:
        return Stored(start, body, len(data), len(data))
    return Stored(start, body, found.start(1), found.end())


def _by_length(data: Bytes, start: int, body: int) -> Stored | None:
    """Return the message its Content-Length delimits, or None when the length leads nowhere."""
    header = data[body : body + _MAX_HEADER_BYTES]
    blank = _BLANK.search(header)
    found = _LENGTH.search(header, 0, blank.end() if blank else 0)
    if found is None or blank is None:
        return None
    end = body + blank.end() + int(found[1])
    if end == len(data):
        return Stored(start, body, end, end)
    separator = _SEPARATOR.match(data, end)
    if end > len(data) or separator is None:
        return None
    after = separator.end()
    if after < len(data) and not _POSTMARK.match(data, after):
        return None
    return Stored(start, body, end, after)
