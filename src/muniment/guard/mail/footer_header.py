"""The header lines of a part, changed only where its text needs another charset or transfer encoding."""

from __future__ import annotations

from muniment.guard.mail import mime, mime_field
from muniment.guard.mail.footer_splice import Splice
from muniment.guard.mail.mime import Field, Part


def separate(message: bytes, part: Part, eol: bytes) -> list[Splice]:
    """Return the splice that ends the header, when there is a header, no body and no empty line between."""
    if part.body == part.header_end and part.body == part.end:
        return [Splice(part.header_end, b"", _line_end(message, part, eol) + eol)]
    return []


def relabel(message: bytes, part: Part, eol: bytes, *, encoding: str, charset: str = "") -> list[Splice]:
    """Return the splices that make a part's header name another encoding and, if given, another charset."""
    splices, lines = [], []
    if charset:
        splices += [
            splice for field in part.named("content-type") for splice in _name(message, part, field, charset)
        ]
        if not splices:
            lines.append(f"Content-Type: {part.kind}; charset={charset}")
    encodings = part.named("content-transfer-encoding")
    for field in encodings:
        old = message[field.value : field.end].rstrip()
        splices.append(Splice(field.value, old, f" {encoding}".encode()))
    if not encodings:
        lines.append(f"Content-Transfer-Encoding: {encoding}")
    if part.start == 0 and lines and not mime.has_field(message, part, b"mime-version"):
        lines.insert(0, "MIME-Version: 1.0")
    if lines:
        return [*splices, add(message, part, [line.encode() for line in lines], eol)]
    return splices + separate(message, part, eol)


def add(message: bytes, part: Part, lines: list[bytes], eol: bytes) -> Splice:
    """Return the splice that adds lines at the end of a part's header, and an empty line if none ends it."""
    new = _line_end(message, part, eol) + b"".join(line + eol for line in lines)
    return Splice(part.header_end, b"", new if part.body > part.header_end else new + eol)


def _line_end(message: bytes, part: Part, eol: bytes) -> bytes:
    header = message[part.start : part.header_end]
    return eol if header and not header.endswith(b"\n") else b""


def _name(message: bytes, part: Part, field: Field, charset: str) -> list[Splice]:
    """Return the splices that make a Content-Type line name the charset."""
    value = message[field.value : field.end]
    named = f'charset="{charset}"'.encode()
    spans = mime_field.charset_spans(value)
    if spans:
        return [Splice(field.value + start, value[start:end], named) for start, end in spans]
    end = mime_field.kind_end(value)
    if end:
        return [Splice(field.value + end, b"", b"; " + named)]
    return [Splice(field.value, value.rstrip(), f" {part.kind}; ".encode() + named)]
