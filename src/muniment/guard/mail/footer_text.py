"""The footer at the end of a plain text, and in an HTML text before the end of its body.

Plain text: an empty line, then the footer, after everything the body holds: after the signature, after what is quoted,
and never marked as quoted. Flowed text (RFC 3676): a last line that would flow on is ended first, the footer's own
lines are fixed, and those that begin with a space, `>` or `From ` are stuffed.

Source: R-2.2-b; RFC 2046 section 4.1, RFC 3676.
"""

from __future__ import annotations

import re

import msgspec

from muniment.guard.mail import footer_charset, footer_content, footer_header, footer_html
from muniment.guard.mail.footer_charset import Charset
from muniment.guard.mail.footer_content import Content
from muniment.guard.mail.footer_splice import Splice, Unstampable
from muniment.guard.mail.footer_words import Words
from muniment.guard.mail.mime import Part

HTML_KINDS = frozenset({"text/html", "application/xhtml+xml", "text/x-amp-html", "text/watch-html"})
_TAIL_BYTES = 1_000
_STUFFED = re.compile(r"^(?: |>|From )", re.MULTILINE)
_IN_DOUBT = "; footer in ASCII letters, because the text's letters are not sure"
_INLINE_PGP = (b"-----BEGIN PGP MESSAGE", b"-----BEGIN PGP SIGN")


class Stamp(msgspec.Struct, frozen=True):
    """What stamping one part takes: its splices (none when the footer stands there already), a line on each change."""

    splices: tuple[Splice, ...]
    changes: tuple[str, ...]


def stamp(message: bytes, part: Part, words: Words, eol: bytes) -> Stamp:
    """Return what stamps a text part.

    Raises: Unstampable when the part is signed, encrypted or cannot be read.
    """
    content = footer_content.read(message, part, eol)
    _refuse_inline_pgp(content.octets)
    label = part.parameters.get("charset", "")
    charset = footer_charset.settle(footer_charset.resolve(label), content.octets)
    if not charset.over_ascii and (not charset.known or content.encoding in footer_content.IDENTITY):
        raise _not_in_its_charset(part, charset)
    if part.kind in HTML_KINDS:
        return _stamp_html(message, part, content, charset, words)
    return _stamp_plain(message, part, content, charset, words)


def _refuse_inline_pgp(octets: bytes) -> None:
    if b"-----BEGIN PGP " not in octets:
        return
    lines = octets.replace(b">", b"\n").splitlines() if b"<" in octets else octets.splitlines()
    if any(line.lstrip().startswith(_INLINE_PGP) for line in lines):
        raise Unstampable(
            "The text of the message is signed or encrypted with PGP, and any change would break it",
            "Write them in the text yourself before you sign or encrypt, or send the message unsigned.",
        )


def _stamp_html(message: bytes, part: Part, content: Content, charset: Charset, words: Words) -> Stamp:
    octets = content.octets
    if _may_hold_number(charset, octets, words):
        seen = footer_html.page(footer_charset.read(charset, octets))
        if words.stand_in(seen.text):
            return Stamp((), ())
    view = _markup(part, charset, octets)
    page = footer_html.page(view)
    starts_line = page.end == 0 or view[page.end - 1] == "\n"
    added = page.closing + ("" if starts_line else "\r\n") + words.html
    if charset.over_ascii:
        offset = page.end
        new = footer_charset.back_to_ascii(charset, octets[:offset]) + added.encode("latin-1", "replace")
        new = _with_line_ends(new, content)
    else:
        offset = len(view[: page.end].encode(charset.codec, "replace"))
        new = added.encode(charset.codec, "replace")
    splices = (*footer_header.separate(message, part, content.eol), content.insert(offset, new))
    return Stamp(splices, (_change(part, charset, content.encoding),))


def _markup(part: Part, charset: Charset, octets: bytes) -> str:
    """Return the HTML with one character a byte or, where a letter takes several zeros and bytes, as it reads."""
    if charset.over_ascii:
        return footer_charset.markup_view(charset, octets)
    text = footer_charset.read_exactly(charset, octets)
    if text is None:
        raise _not_in_its_charset(part, charset)
    return text


def _may_hold_number(charset: Charset, octets: bytes, words: Words) -> bool:
    """Whether it is worth reading the text to see if the footer stands in it already; cheap, and mostly no."""
    return not charset.over_ascii or words.number.encode() in octets.lower()


def _stamp_plain(message: bytes, part: Part, content: Content, charset: Charset, words: Words) -> Stamp:
    octets = content.octets
    in_doubt = (
        charset.over_ascii
        and words.text is not words.ascii_text
        and footer_charset.read_exactly(charset, octets) is None
    )
    if _may_hold_number(charset, octets, words) and _stands_in_plain(part, charset, octets, words, in_doubt):
        return Stamp((), ())
    tail = (
        octets[-_TAIL_BYTES:].decode("latin-1")
        if charset.over_ascii
        else footer_charset.read(charset, octets)
    )
    block = _block(words.ascii_text if in_doubt else words.text, part, tail, part.end == len(message))
    new = footer_charset.encode(charset, block)
    if new is None:
        return _convert(message, part, content, charset, block)
    if charset.over_ascii:
        new = footer_charset.back_to_ascii(charset, octets) + _with_line_ends(new, content)
    if content.encoding == "7bit" and not new.isascii():
        return _quote(message, part, content, charset, new)
    splices = [*footer_header.separate(message, part, content.eol), content.insert(len(octets), new)]
    return Stamp(tuple(splices), (_change(part, charset, content.encoding, _IN_DOUBT if in_doubt else ""),))


def _stands_in_plain(part: Part, charset: Charset, octets: bytes, words: Words, in_doubt: bool) -> bool:
    text = footer_charset.read(charset, octets)
    if part.parameters.get("delsp", "").lower() == "yes":
        text = text.replace(" \r\n", "").replace(" \n", "")
    return words.stand_in(text, in_ascii=in_doubt)


def _quote(message: bytes, part: Part, content: Content, charset: Charset, new: bytes) -> Stamp:
    """Return the part sent as quoted-printable, because its letters no longer fit into seven bits."""
    relabelled = footer_header.relabel(message, part, content.eol, encoding="quoted-printable")
    splices = (*relabelled, content.replace(content.octets + new, "quoted-printable"))
    return Stamp(splices, (_change(part, charset, "quoted-printable", "; was 7bit"),))


def _convert(message: bytes, part: Part, content: Content, charset: Charset, block: str) -> Stamp:
    """Return the part rewritten in utf-8, because its charset lacks a letter of the footer."""
    encoding = "base64" if content.encoding == "base64" else "quoted-printable"
    text = footer_charset.read_exactly(charset, content.octets)
    if text is None:
        raise _not_in_its_charset(part, charset)
    relabelled = footer_header.relabel(message, part, content.eol, charset="utf-8", encoding=encoding)
    replaced = content.replace((text + block).encode("utf-8", "replace"), encoding)
    was = f"; was {charset.label}, {content.encoding}"
    return Stamp((*relabelled, replaced), (_change(part, Charset("utf-8", "utf_8"), encoding, was),))


def _block(footer: str, part: Part, tail: str, ends_message: bool) -> str:
    """Return the footer with what parts it from a text that ends in `tail`."""
    flowed = part.parameters.get("format", "").lower() == "flowed"
    if flowed:
        footer = _STUFFED.sub(r" \g<0>", footer)
    lines = tail.replace("\r\n", "\n").split("\n")
    ended = not lines[-1]
    if ended:
        lines.pop()
    written = [line for line in lines if line.strip(" \t")]
    blanks = 0
    while blanks < len(lines) and not lines[-1 - blanks].strip("" if flowed else " \t"):
        blanks += 1
    flows_on = flowed and blanks < len(lines) and _flows_on(lines[-1 - blanks])
    wanted = (0 if ended else 1) + max(0, 1 + flows_on - blanks)
    if not written:
        wanted = 0 if ended else 1
    if not tail:
        wanted = 0
    return "\r\n" * wanted + (footer if ended or ends_message else footer.rstrip("\r\n"))


def _flows_on(line: str) -> bool:
    """Whether a line of flowed text continues in the next one; the line before a signature does not."""
    return line.endswith(" ") and line.lstrip("> ") != "-- "


def _with_line_ends(new: bytes, content: Content) -> bytes:
    """Return the bytes with LF line ends where the text around them has only such."""
    around = content.octets if content.encoding == "base64" else content.eol
    bare = b"\n" in around and b"\r\n" not in around
    return new.replace(b"\r\n", b"\n") if bare else new


def _change(part: Part, charset: Charset, encoding: str, more: str = "") -> str:
    return f"footer added to {part.kind} part {part.number} ({charset.label}, {encoding}{more})"


def _not_in_its_charset(part: Part, charset: Charset) -> Unstampable:
    return Unstampable(
        f"The text of the message (part {part.number}) says it is written in {charset.label} but is "
        "not, or not in a form that mail can carry",
        "Write and send the message again.",
    )
