"""A message as a page shows it: its source line by line, and each text a reader would see, the footer marked. Pure.

Hostile bytes give a shorter letter with a note, never an error.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

from muniment.answer.reading.charset import decoded
from muniment.guard.mail.footer_words import Words, words
from muniment.policy.particulars import Particulars

SHOWN_BYTES = 256 << 10
_PARSED_BYTES = 4 << 20
_MOST_PARTS = 20
_FOOTER_LINES = 8
_TAG = re.compile(r"<(?:!--|(/?[a-zA-Z][a-zA-Z0-9]*))")
_BREAKS = {"br", "/p", "/div", "/tr", "/li", *(f"/h{size}" for size in range(1, 7))}
_UNSEEN = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("style", "script", "head", "title")}


@dataclass(frozen=True)
class Line:
    """A line of text; `is_footer` when it is part of the organisation's particulars."""

    text: str
    is_footer: bool


@dataclass(frozen=True)
class Part:
    """One text of a message as a reader sees it."""

    kind: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Letter:
    """A message as it is shown; `left_out_bytes` is what the page leaves out of the source."""

    source: tuple[Line, ...]
    parts: tuple[Part, ...]
    has_particulars: bool
    left_out_bytes: int


def letter_of(raw: bytes, particulars: Particulars) -> Letter:
    """Return the message `raw` as it is shown."""
    sought = words(particulars)
    shown = raw[:SHOWN_BYTES]
    parts = tuple(Part(kind, tuple(_marked(text, sought))) for kind, text in _texts(raw))
    has = any(sought.stand_in("\n".join(line.text for line in part.lines), in_ascii=True) for part in parts)
    source = tuple(_marked(decoded(shown, "utf-8"), sought))
    return Letter(source, parts, has, len(raw) - len(shown))


def _marked(text: str, sought: Words) -> Iterator[Line]:
    """Yield the lines of `text`; the fewest lines that hold all four particulars are the footer."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    first_word = sought.values[0].split(" ")[0]
    footer_until = 0
    for number, line in enumerate(lines):
        if number >= footer_until and first_word in line.casefold():
            footer_until = number + _footer_length(lines[number : number + _FOOTER_LINES], sought)
        yield Line(visible(line), number < footer_until)


def _footer_length(lines: list[str], sought: Words) -> int:
    """Return how many lines from the first on are the footer; none when the footer begins further down."""
    for length in range(1, len(lines) + 1):
        if sought.stand_in("\n".join(lines[:length]), in_ascii=True):
            return 0 if sought.stand_in("\n".join(lines[1:length]), in_ascii=True) else length
    return 0


def _texts(raw: bytes) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each part a reader sees."""
    try:
        found = message_from_bytes(raw[:_PARSED_BYTES], policy=policy.compat32)
        parts = [part for part in found.walk() if part.get_content_maintype() == "text"][:_MOST_PARTS]
        texts = [(_kind(part), _text(part)) for part in parts]
    except Exception:  # the parser meets whatever was sent; the source above still shows it
        return
    yield from ((kind, text) for kind, text in texts if text.strip())


def _kind(part: Message) -> str:
    return "HTML, as text" if part.get_content_subtype() == "html" else "Plain text"


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    text = decoded(data[:SHOWN_BYTES], str(part.get_content_charset() or "utf-8"))
    return _from_html(text) if part.get_content_subtype() == "html" else text


def _from_html(text: str) -> str:
    lines = [" ".join(line.split()) for line in html.unescape("".join(_seen(text))).split("\n")]
    return "\n".join(line for line in lines if line)


def _seen(text: str) -> Iterator[str]:
    """Yield what stands between the tags, a line break for those that make one; in time linear in the text."""
    at, unclosed = 0, set[str]()
    while (tag := _TAG.search(text, at)) is not None:
        yield text[at : tag.start()]
        name = (tag.group(1) or "!--").lower()
        if name in _UNSEEN and name not in unclosed:
            closing = _UNSEEN[name].search(text, tag.end())
            if closing is None:
                unclosed.add(name)
        else:
            closing = None
        yield "\n" if name in _BREAKS else ""
        mark = "-->" if name == "!--" else ">"
        end = text.find(mark, closing.end() if closing else tag.end())
        if end < 0:
            return
        at = end + len(mark)
    yield text[at:]


def visible(line: str) -> str:
    """Return a line in which marks that change how a page is drawn are shown as what they are."""
    return "".join(mark if mark.isprintable() or mark == "\t" else f"\\u{ord(mark):04x}" for mark in line)
