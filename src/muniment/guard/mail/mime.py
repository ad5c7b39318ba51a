"""The structure of a message, found by byte offsets and never by taking the message apart and building it anew.

`scan` returns a tree of parts whose offsets point into the message. Whatever the bytes are, it returns: what is wrong
is listed in `defects`, and what two mail programs could read differently is named in `doubt`, because nobody may
alter a part whose extent is a matter of opinion.

A line ends at LF, with or without CR before it. A delimiter is a whole line; that of an outer multipart always wins
over what stands inside. Depth, parts and header sizes are bounded, so the time is linear in the message.

Source: RFC 2045, RFC 2046 section 5.1, RFC 5322 section 2.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from muniment.guard.mail import mime_field

DEPTH_CAP = 50
PARTS_CAP = 1_000
HEADER_BYTES_CAP = 1024 * 1024
FIELDS_CAP = 100  # of the fields named Content-…
BOUNDARY_BYTES_CAP = 1_000

# Possessive repeats: hostile headers cost one pass and no memory. A header block ends at the first line that is
# neither a field nor the continuation of one; an mbox "From " line may come first.
_HEADER = re.compile(rb"(?:From [^\n]*+(?:\n|\Z))?+(?:(?:[!-9;-~]*+[ \t]*+:|[ \t])[^\n]*+(?:\n|\Z))*+")
_FIELD_END = re.compile(rb"(?:[^\n]*+\n(?=[ \t]))*+[^\n]*+(?:\n|\Z)")
_DELIMITER_END = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\Z)")


class Field(msgspec.Struct, frozen=True, gc=False):
    """A header field from `start` to `end`, line end included; its value begins at `value`."""

    name: str
    start: int
    value: int
    end: int


class Part(msgspec.Struct, frozen=True):
    """A part from `start` to `end`: header block, then the body from `body`; the message itself is the outermost.

    `number` is the part's number as IMAP counts, for instance `1.2`. The fields end at `header_end`; when that is
    `body`, no empty line stands between. `first_delimiter` is where a multipart's first delimiter line begins, or -1.
    """

    number: str
    start: int
    header_end: int
    body: int
    end: int
    kind: str
    parameters: Mapping[str, str]
    encoding: str
    disposition: str
    filename: str
    fields: tuple[Field, ...]
    children: tuple[Part, ...]
    first_delimiter: int
    defects: tuple[str, ...]
    doubt: str

    @property
    def is_multipart(self) -> bool:
        """Whether the part is made of parts."""
        return self.kind.startswith("multipart/")

    def named(self, name: str) -> list[Field]:
        """Return the `Content-…` fields of that lower-case name."""
        return [field for field in self.fields if field.name == name]

    def walk(self) -> Iterator[Part]:
        """Yield this part and all parts below it, in the order of the message."""
        yield self
        for child in self.children:
            yield from child.walk()


def scan(message: bytes) -> Part:
    """Return the message's tree of parts. Never raises; bodies of attached messages are not entered."""
    return _Scan(message).part(0, len(message), "", 0, "text/plain")


def has_field(message: bytes, part: Part, name: bytes) -> bool:
    """Whether the part's header has a field of that lower-case name."""
    header = message[part.start : min(part.body, part.start + HEADER_BYTES_CAP)].lower()
    return header.startswith(name + b":") or b"\n" + name + b":" in header


class _Scan:
    """One pass over one message; it carries what is left of the number of parts it may list."""

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.parts_left = PARTS_CAP

    def part(self, start: int, end: int, number: str, depth: int, default: str) -> Part:
        message, defects = self.message, []
        header = _HEADER.match(message, start, end)
        header_end = header.end() if header else start
        body = _body_start(message, header_end, end)
        if body == header_end:
            defects.append("no empty line ends the header")
        fields = _content_fields(message, start, min(header_end, start + HEADER_BYTES_CAP))
        values = _Values(message, fields, default)
        doubt = values.doubt
        if header_end - start > HEADER_BYTES_CAP:
            doubt = f"a header is larger than {HEADER_BYTES_CAP} bytes"
        children: tuple[Part, ...] = ()
        first_delimiter = -1
        if values.type.kind.startswith("multipart/"):
            if depth == DEPTH_CAP:
                doubt = doubt or f"parts are nested deeper than {DEPTH_CAP}"
            else:
                children, first_delimiter, problem = self._children(
                    values.type, body, end, number, depth, defects
                )
                doubt = doubt or problem
        return Part(
            number=number or "1",
            start=start,
            header_end=header_end,
            body=body,
            end=end,
            kind=values.type.kind,
            parameters=values.type.parameters,
            encoding=values.encoding,
            disposition=values.disposition,
            filename=values.filename,
            fields=fields,
            children=children,
            first_delimiter=first_delimiter,
            defects=tuple(defects),
            doubt=doubt,
        )

    def _children(
        self,
        kind: mime_field.ContentType,
        body: int,
        end: int,
        number: str,
        depth: int,
        defects: list[str],
    ) -> tuple[tuple[Part, ...], int, str]:
        """Return the parts of a multipart, where its first delimiter line begins, and what is doubtful."""
        boundary = kind.parameters.get("boundary", "").rstrip().encode("latin-1", "replace")
        if not boundary or len(boundary) > BOUNDARY_BYTES_CAP:
            return (), -1, "a multipart does not name its boundary"
        if "boundary" in kind.contradicted:
            return (), -1, "a multipart names its boundary in two ways"
        spans, first_delimiter, closed = _spans(self.message, boundary, body, end, self.parts_left)
        if first_delimiter < 0:
            return (), -1, "the boundary of a multipart never occurs"
        if not closed:
            defects.append("the closing boundary is missing")
        default = "message/rfc822" if kind.kind == "multipart/digest" else "text/plain"
        prefix = f"{number}." if number else ""
        children = []
        self.parts_left -= len(spans)
        for count, (start, stop) in enumerate(spans, 1):
            children.append(self.part(start, stop, f"{prefix}{count}", depth + 1, default))
        if self.parts_left <= 0:
            defects.append(f"only the first {PARTS_CAP} parts are looked at")
        return tuple(children), first_delimiter, ""


class _Values:
    """What the Content-… fields of one part say."""

    __slots__ = ("disposition", "doubt", "encoding", "filename", "type")

    def __init__(self, message: bytes, fields: tuple[Field, ...], default: str) -> None:
        self.doubt = ""
        self.encoding = "7bit"
        self.disposition = self.filename = ""
        self.type = mime_field.ContentType(default, {})
        seen: dict[str, bytes] = {}
        for field in fields:
            if field.name not in _READ:
                continue
            value = message[field.value : field.end].strip()
            if field.name in seen:
                if seen[field.name].split() != value.split():
                    self.doubt = f"a header has two {_READ[field.name]} lines that differ"
                continue
            seen[field.name] = value
            if len(value) > mime_field.VALUE_BYTES_CAP:
                self.doubt = f"a {_READ[field.name]} line is larger than {mime_field.VALUE_BYTES_CAP} bytes"
            else:
                self._take(field.name, value, default)

    def _take(self, name: str, value: bytes, default: str) -> None:
        if name == "content-type":
            self.type = mime_field.content_type(value, default)
        elif name == "content-transfer-encoding":
            self.encoding = mime_field.encoding(value)
        else:
            self.disposition, self.filename = mime_field.disposition(value)


_READ = {
    "content-type": "Content-Type",
    "content-transfer-encoding": "Content-Transfer-Encoding",
    "content-disposition": "Content-Disposition",
}


def _body_start(message: bytes, header_end: int, end: int) -> int:
    if message.startswith(b"\r\n", header_end, end):
        return header_end + 2
    return header_end + 1 if message.startswith(b"\n", header_end, end) else header_end


def _content_fields(message: bytes, start: int, end: int) -> tuple[Field, ...]:
    """Return the fields named Content-… of a header block, at most `FIELDS_CAP`."""
    lowered = message[start:end].lower()
    fields: list[Field] = []
    at = 0 if lowered.startswith(b"content-") else lowered.find(b"\ncontent-") + 1
    first = lowered.startswith(b"content-")
    while (at > 0 or first) and len(fields) < FIELDS_CAP:
        first = False
        colon = lowered.find(b":", at)
        ended = _FIELD_END.match(lowered, at)
        if colon < 0 or ended is None:
            break
        name = lowered[at:colon].rstrip().decode("latin-1")
        fields.append(Field(name, start + at, start + colon + 1, start + ended.end()))
        at = lowered.find(b"\ncontent-", ended.end() - 1) + 1
    return tuple(fields)


def _spans(
    message: bytes, boundary: bytes, body: int, end: int, limit: int
) -> tuple[list[tuple[int, int]], int, bool]:
    """Return where the parts between the delimiters lie, where the first delimiter begins, whether one closes.

    At most `limit` parts are returned; the last of an unclosed multipart runs to the end.
    """
    needle = b"\n--" + boundary
    spans: list[tuple[int, int]] = []
    first, start, at = -1, -1, body - 1
    while True:
        at, ended = _next_delimiter(message, needle, at, end)
        if ended is None:
            break
        if start < 0:
            first = at + 1
        elif start <= at:
            spans.append((start, at - 1 if at > start and message[at - 1] == 13 else at))
        if ended.group(1) or len(spans) >= limit:
            return spans, first, True
        start = ended.end()
        at = start - 1 if message[start - 1] == 10 else end
    if start >= 0:
        spans.append((start, end))
    return spans, first, False


def _next_delimiter(message: bytes, needle: bytes, at: int, end: int) -> tuple[int, re.Match[bytes] | None]:
    """Return where the line end before the next delimiter line lies, and what follows the boundary in that line."""
    at = message.find(needle, max(at, 0), end)
    if at < 0:
        return at, None
    ended = _DELIMITER_END.match(message, at + len(needle), end)
    if ended is not None:
        return at, ended
    # A longer boundary, or text that looks like one: let the regular expression skip all such lines at once.
    line = re.compile(re.escape(needle) + rb"(?=(?:--)?[ \t]*+(?:\r?\n|\Z))")
    found = line.search(message, at + 1, end)
    if found is None:
        return -1, None
    return found.start(), _DELIMITER_END.match(message, found.end(), end)
