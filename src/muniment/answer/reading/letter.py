"""A message as a reader needs it: headers, subject, text, HTML, attachments, and what is wrong with it. Never raises.

1. Its header section is capped; a message that was made to take long goes to a worker that can be killed.
2. The fast parser reads it. What it refuses, the standard library's reads in a worker.
3. What that refuses too, or does not finish, is shown as it stands: header lines and raw text.

Source: R-5.1-a; R-5.4-c; RFC 5322, RFC 2046; docs/formats/room-socket.md (`read`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from muniment.answer.reading.charset import decoded, guessed
from muniment.answer.reading.html_text import text_of_html
from muniment.answer.reading.leaves import Leaf, Leaves, NotParsed, fast_leaves
from muniment.answer.reading.workers import shared

MAX_HEADER_BYTES = 65_536
MAX_PARSED_BYTES = 160 << 20
MAX_TEXT_BYTES = 16 << 20
_MOST_ENCODED_WORDS = 4_000  # beyond them a parser may take seconds, and then a worker does it
_SLOW_SECONDS = 20.0

_BLANK = re.compile(rb"\n\r?\n")
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")
_FIELD = re.compile(r"^([!-9;-~]{1,80})[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)", re.MULTILINE)


@dataclass(frozen=True)
class Attachment:
    """A part that is not the message's own text; `part` counts all parts that have no parts, from 1."""

    part: str
    name: str
    type: str
    data: bytes
    content_id: str = ""

    @property
    def size(self) -> int:
        """How many bytes it has, decoded."""
        return len(self.data)


@dataclass(frozen=True)
class Letter:
    """A message, read; `body_text` is the plain text, or the text of the HTML when there is no plain one.

    `headers` are (name, value) in their order, unfolded and decoded; `html` is as it came: `harmless.sanitise` it
    before it is shown. `references` are the ids of earlier messages, the oldest first. `defects` is empty when nothing
    was found wrong.
    """

    headers: tuple[tuple[str, str], ...] = ()
    subject: str = ""
    from_: str = ""
    to: str = ""
    cc: str = ""
    date: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()
    body_text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    defects: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """Return the first header of that name, "" when there is none."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), "")

    def searchable_text(self) -> str:
        """Return the text to be searched: plain and HTML text, when both are there and say different things."""
        if not self.html:
            return self.body_text
        other = text_of_html(self.html)
        if other.split() == self.body_text.split():
            return self.body_text
        return f"{self.body_text}\n{other}"


def read_letter(raw: bytes) -> Letter:
    """Return the message in `raw`; whatever the bytes are, a letter with its defects listed."""
    capped, defects = _capped(raw)
    try:
        if capped.count(b"=?") <= _MOST_ENCODED_WORDS:
            return _letter(fast_leaves(capped), defects)
        defects = [*defects, "very many encoded words"]
    except NotParsed as error:
        defects = [*defects, str(error)]
    try:
        return _letter(shared().parse(capped, _SLOW_SECONDS), defects)
    except NotParsed as error:
        return _raw_only(capped, [*defects, str(error), "shown as it stands"])


def _capped(raw: bytes) -> tuple[bytes, list[str]]:
    """Return the message with a header section of at most MAX_HEADER_BYTES, and what was left out."""
    defects = []
    if len(raw) > MAX_PARSED_BYTES:
        raw, defects = raw[:MAX_PARSED_BYTES], ["longer than can be read here: its end is left out"]
    if raw.startswith((b"\n", b"\r\n")) or _BLANK.search(raw, 0, MAX_HEADER_BYTES):
        return raw, defects
    if len(raw) <= MAX_HEADER_BYTES:
        return raw, defects
    end = raw.rfind(b"\n", 0, MAX_HEADER_BYTES) + 1 or MAX_HEADER_BYTES
    blank = _BLANK.search(raw, MAX_HEADER_BYTES - 3)
    rest = raw[blank.end() :] if blank else raw[end:]
    return raw[:end] + b"\r\n" + rest, [*defects, "header above 64 KiB: its end is left out"]


def _letter(found: Leaves, defects: list[str]) -> Letter:
    """Return the letter that the parts of a message make."""
    first = _first_values(found.headers)
    texts: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    attachments = []
    for number, leaf in enumerate(found.leaves, start=1):
        if leaf.type in texts and leaf.disposition != "attachment" and not (leaf.name and texts[leaf.type]):
            texts[leaf.type].append(_text(leaf))
        else:
            attachments.append(Attachment(str(number), leaf.name, leaf.type, leaf.data, leaf.content_id))
    plain, html = "\n".join(filter(None, texts["text/plain"])), "\n".join(filter(None, texts["text/html"]))
    return Letter(
        headers=found.headers,
        subject=first.get("subject", ""),
        from_=first.get("from", ""),
        to=first.get("to", ""),
        cc=first.get("cc", ""),
        date=first.get("date", ""),
        message_id=_message_id(first.get("message-id", "")),
        references=_references(first),
        body_text=plain if plain.strip() else text_of_html(html),
        html=html,
        attachments=tuple(attachments),
        defects=tuple(dict.fromkeys([*defects, *found.defects])),
    )


def _first_values(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    first: dict[str, str] = {}
    for name, value in headers:
        first.setdefault(name.lower(), value)
    return first


def _text(leaf: Leaf) -> str:
    data = leaf.data[:MAX_TEXT_BYTES]
    charset = _CHARSET.search(leaf.content_type)
    text = decoded(data, charset[1]) if charset else guessed(data)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _message_id(value: str) -> str:
    found = _MESSAGE_ID.search(value)
    return found[0] if found else " ".join(value.split())[:998]


def _references(first: dict[str, str]) -> tuple[str, ...]:
    """Return the ids in References, and those of In-Reply-To that it leaves out; at most 200, the newest."""
    named = [
        *_MESSAGE_ID.findall(first.get("references", "")),
        *_MESSAGE_ID.findall(first.get("in-reply-to", "")),
    ]
    return tuple(dict.fromkeys(named))[-200:]


def _raw_only(raw: bytes, defects: list[str]) -> Letter:
    """Return what can be shown of bytes that no parser reads: header fields as written, and everything as text."""
    text = decoded(raw[:MAX_TEXT_BYTES], "utf-8").replace("\r\n", "\n")
    head, _, body = text.partition("\n\n")
    headers = tuple(
        (name, " ".join(value.split())) for name, value in _FIELD.findall(head[:MAX_HEADER_BYTES])
    )
    return _letter(
        Leaves(headers, (Leaf(type="text/plain", data=(body or head).encode("utf-8", "replace")),), ()),
        defects,
    )
