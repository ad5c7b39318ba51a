"""What of a message goes into the index, drawn out fast: subject, people, ids, text; attachments by name only.

The fast parser does nearly every message; `read_letter` takes what it refuses. Never raises on any bytes.
Source: docs/formats/room-socket.md, "Searching"; RFC 5322.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import fast_mail_parser
from selectolax.lexbor import LexborHTMLParser

from muniment.answer.reading.charset import decoded, guessed
from muniment.answer.reading.html_text import is_too_deep, text_of_html
from muniment.answer.reading.leaves import clean
from muniment.answer.reading.letter import MAX_HEADER_BYTES, Letter, read_letter

MAX_INDEXED_CHARACTERS = 1 << 20
_MOST_LEAVES = 200
_MAX_FAST_BYTES = 32 << 20
_MOST_ENCODED_WORDS = 400
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_BREAK = re.compile(
    r"<(?=(?:br|/?(?:p|div|t[rdh]|li|ul|ol|table|blockquote|pre|h[1-6]|hr|title|section|article|header|footer))\b)",
    re.IGNORECASE,
)
_LENGTHS = frozenset(map(len, ("to", "from", "subject", "message-id", "in-reply-to", "content-type")))
_UNSEEN = ["script", "style", "noscript", "template"]
_ID = re.compile(r"<[^<>\s]{1,990}>")


class IndexText(NamedTuple):
    """What is indexed and kept of one message; `ids` are its own Message-ID (or "") and then those it refers to.

    `attachments` counts the other parts; `named` are addresses of the dialogue it came by; `defect` is empty unless the
    text could not be drawn out whole.
    """

    subject: str
    from_: str
    to: str
    date: str
    ids: tuple[str, ...]
    body: str
    attachments: int
    defect: str = ""
    named: tuple[str, ...] = ()


def text_for_index(raw: bytes) -> IndexText:
    """Return what is indexed of a message; of hostile bytes less, and why in `defect`."""
    if len(raw) <= _MAX_FAST_BYTES and _is_ordinary(raw):
        try:
            return _fast(fast_mail_parser.parse_email_tree(raw, mode="lazy"))
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException:  # noqa: S110 - the parser's panics are no Exception; the letter names the defect
            pass
    return text_of_letter(read_letter(raw))


def text_of_letter(letter: Letter) -> IndexText:
    """Return what is indexed of a message that was read slowly."""
    text = letter.searchable_text()
    return IndexText(
        letter.subject,
        letter.from_,
        f"{letter.to} {letter.cc}",
        letter.date,
        (letter.message_id, *letter.references),
        text[:MAX_INDEXED_CHARACTERS],
        len(letter.attachments),
        "damaged" if letter.defects else "",
    )


def _is_ordinary(raw: bytes) -> bool:
    """Tell whether the header ends within its limit and has few encoded words, so that the fast parser stays fast."""
    ends = [
        at
        for at in (raw.find(b"\n\r\n", 0, MAX_HEADER_BYTES), raw.find(b"\n\n", 0, MAX_HEADER_BYTES))
        if at > 0
    ]
    return bool(ends) and raw.count(b"=?", 0, min(ends)) <= _MOST_ENCODED_WORDS


def _fast(root: fast_mail_parser.PyLazyMimePart) -> IndexText:
    # Only names of these lengths are of interest; most others are left as they are.
    headers = {name.lower(): values[0] for name, values in root.headers.items() if len(name) in _LENGTHS}
    value = headers.get
    own = _ID.search(value("message-id", ""))
    named = f"{value('references', '')} {value('in-reply-to', '')}"
    others = tuple(dict.fromkeys(_ID.findall(named)))[-200:] if named != " " else ()
    if root.content_type != "text/plain":
        body, attachments = _texts(root)
    else:
        body, attachments = _text(value("content-type", ""), root.content or b""), 0
    to, cc = value("to", ""), value("cc", "")
    return IndexText(
        clean(value("subject", "")),
        clean(value("from", "")),
        clean(f"{to} {cc}" if cc else to),
        value("date", ""),
        (own[0] if own else clean(value("message-id", ""))[:998], *others),
        body,
        attachments,
    )


def _texts(root: fast_mail_parser.PyLazyMimePart) -> tuple[str, int]:
    """Return the text of all text parts that are no attachments, and how many other parts there are."""
    plain: list[str] = []
    html: list[str] = []
    others = leaves = 0
    stack = [root]
    while stack:
        node = stack.pop()
        if node.children and not node.is_message:
            stack.extend(reversed(node.children))
            continue
        leaves += 1
        kind = node.content_type.lower()
        is_text = kind in ("text/plain", "text/html") and (node.disposition or "").lower() != "attachment"
        if not is_text or leaves > _MOST_LEAVES:
            others += 1
            continue
        found = html if kind == "text/html" else plain
        if node.filename and found:
            others += 1
            continue
        label = next(
            (values[0] for name, values in node.headers.items() if name.lower() == "content-type"), ""
        )
        found.append(_text(label, node.content or b""))
    return _joined(plain, html), others


def _joined(plain: list[str], html: list[str]) -> str:
    text = "\n".join(plain)
    if not html:
        return text
    other = _words_of_html("\n".join(html))
    if not text.strip() or other.split() == text.split():
        return other
    return f"{text}\n{other}"[:MAX_INDEXED_CHARACTERS]


def _words_of_html(html: str) -> str:
    """Return the text of HTML for the index: the same words as `text_of_html` in half the time, not laid out."""
    if is_too_deep(html):
        return text_of_html(html)
    try:
        tree = LexborHTMLParser(_BREAK.sub(" <", html.replace("\0", " ")))
        tree.strip_tags(_UNSEEN)
        return tree.root.text(deep=True, separator="") if tree.root else ""
    except (RuntimeError, ValueError):
        return ""


def _text(content_type: str, data: bytes) -> str:
    data = data[:MAX_INDEXED_CHARACTERS]
    charset = _CHARSET.search(content_type)
    return decoded(data, charset[1]) if charset else guessed(data)
