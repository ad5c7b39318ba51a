"""An independent reader of stamped mail: the standard library's, which shares no code with the footer."""

from __future__ import annotations

import email
from collections.abc import Iterator
from email.message import Message
from html.parser import HTMLParser

from muniment.guard.mail import footer, footer_splice
from muniment.guard.mail.footer import Outcome
from muniment.policy.particulars import Particulars
from tests.organisation import PARTICULARS

HTML = ("text/html", "application/xhtml+xml")


class _Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("script", "style", "title"):
            self._unseen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen and self._unseen[-1] == tag:
            self._unseen.pop()

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.text.append(data)


def shown(html: str) -> str:
    """Return the text of an HTML page."""
    parser = _Shown()
    parser.feed(html)
    parser.close()
    return " ".join("".join(parser.text).split())


def own_parts(message: Message) -> Iterator[Message]:
    """Yield a message's parts, without those of attached messages."""
    yield message
    if message.is_multipart() and not message.get_content_type().startswith("message/"):
        for part in message.get_payload():
            yield from own_parts(part)


def text_of(part: Message) -> str:
    """Return what a part says, spacing evened out."""
    octets = part.get_payload(decode=True)
    try:
        text = octets.decode(part.get_content_charset() or "ascii", "replace")
    except (LookupError, ValueError):
        text = octets.decode("latin-1")
    if part.get_param("delsp", "").lower() == "yes":
        text = text.replace(" \r\n", "")
    return shown(text) if part.get_content_type() in HTML else " ".join(text.split())


def texts(message: bytes) -> list[str]:
    """Return each text of a message that is not attached, in order."""
    parts = own_parts(email.message_from_bytes(message))
    kinds = ("text/plain", *HTML)
    found = [
        part for part in parts if part.get_content_type().split()[0] in kinds and not part.is_multipart()
    ]
    return [text_of(part) for part in found if part.get_content_disposition() != "attachment"]


def carries(text: str, particulars: Particulars = PARTICULARS) -> bool:
    """Tell whether a text shows name, part of the United Kingdom, number and office."""
    four = (
        particulars.name,
        particulars.part_of_uk,
        particulars.company_number,
        particulars.registered_office,
    )
    return all(each in text for each in four)


def stamped(message: bytes, particulars: Particulars = PARTICULARS) -> bytes:
    """Return the stamped message, after holding it to what every stamped message promises."""
    result = footer.stamp(message, particulars)
    assert result.outcome is Outcome.STAMPED, result.reason
    assert result.changes
    splices = footer.plan(message, particulars).splices
    assert footer_splice.undo(result.message, splices) == message
    assert any(carries(text, particulars) for text in texts(result.message)), result.message
    again = footer.stamp(result.message, particulars)
    assert again.outcome is Outcome.ALREADY
    assert again.message == result.message
    return result.message
