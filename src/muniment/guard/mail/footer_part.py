"""The footer as a part of its own, for a message that has no text to put it under.

A mixed message gets a new first part. An invitation without words gets the footer as its plain alternative. Anything
else, a lone PDF for instance, becomes the second part of a mixed message, byte for byte, with the header lines that
describe it.

Source: R-2.2-b; RFC 2046 section 5.1.3, RFC 6047 section 2.4.
"""

from __future__ import annotations

from hashlib import sha256

from muniment.guard.mail import footer_content, footer_header, mime
from muniment.guard.mail.footer_splice import Splice, Unstampable
from muniment.guard.mail.footer_text import Stamp
from muniment.guard.mail.footer_words import Words
from muniment.guard.mail.mime import Part

_HASHED_BYTES = 64 * 1024


def stamp(message: bytes, root: Part, words: Words, eol: bytes) -> Stamp:
    """Return what adds the footer as the first part of the message.

    Raises: Unstampable when the message's header does not let its parts be moved.
    """
    if root.kind == "multipart/mixed":
        return _first_part(message, root, words, eol)
    if root.kind == "multipart/alternative" and any(child.kind == "text/calendar" for child in root.children):
        return _first_part(message, root, words, eol)
    return _wrap(message, root, words, eol)


def _first_part(message: bytes, root: Part, words: Words, eol: bytes) -> Stamp:
    boundary = root.parameters["boundary"].rstrip().encode("latin-1", "replace")
    new = b"--" + boundary + eol + _part(words, eol) + eol
    change = f"footer added as a new first text/plain part of the {root.kind} message"
    return Stamp((Splice(root.first_delimiter, b"", new),), (change,))


def _wrap(message: bytes, root: Part, words: Words, eol: bytes) -> Stamp:
    if root.body == root.header_end and root.body < root.end:
        raise Unstampable(
            "The header of the message does not end in an empty line",
            "Send the message again from an ordinary mail program.",
        )
    kind = "multipart/alternative" if root.kind == "text/calendar" else "multipart/mixed"
    boundary = _boundary(message)
    lines = [f'Content-Type: {kind}; boundary="{boundary}"'.encode()]
    if root.encoding in ("8bit", "binary"):
        lines.append(b"Content-Transfer-Encoding: " + root.encoding.encode())
    if not mime.has_field(message, root, b"mime-version"):
        lines.insert(0, b"MIME-Version: 1.0")
    moved = [field for field in root.fields if field.name != "content-length"]
    described = b"".join(_ended(message[field.start : field.end], eol) for field in moved)
    delimiter = b"--" + boundary.encode()
    before = delimiter + eol + _part(words, eol) + eol + delimiter + eol + described + eol
    splices = [Splice(field.start, message[field.start : field.end], b"") for field in moved]
    splices.append(footer_header.add(message, root, lines, eol))
    splices.append(Splice(root.body, b"", before))
    splices.append(Splice(root.end, b"", eol + delimiter + b"--" + eol))
    return Stamp(
        tuple(splices), (f"footer added as a text/plain part before the {root.kind}; both now in {kind}",)
    )


def _part(words: Words, eol: bytes) -> bytes:
    """Return a whole text/plain part that holds the footer, header included, its last line not ended."""
    text = words.text.removesuffix("\r\n").encode("utf-8", "replace")
    if text.isascii():
        described, body = b"us-ascii\r\nContent-Transfer-Encoding: 7bit", text
    else:
        described, body = (
            b"utf-8\r\nContent-Transfer-Encoding: quoted-printable",
            footer_content.quoted(text, b"\r\n"),
        )
    whole = (
        b"Content-Type: text/plain; charset=" + described + b"\r\nContent-Disposition: inline\r\n\r\n" + body
    )
    return whole if eol == b"\r\n" else whole.replace(b"\r\n", eol)


def _boundary(message: bytes) -> str:
    """Return a boundary that nowhere occurs in the message; the same message always gets the same."""
    seed = sha256(message[:_HASHED_BYTES] + message[-_HASHED_BYTES:]).hexdigest()[:32]
    for attempt in range(1_000):
        boundary = f"=_footer_{seed}_{attempt}"
        if boundary.encode() not in message:
            return boundary
    raise Unstampable(
        "The message holds every boundary that could part the footer from it",
        "Send the message again from an ordinary mail program.",
    )


def _ended(line: bytes, eol: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + eol
