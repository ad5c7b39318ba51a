"""Who, when and about what, from the metadata of an entry, whichever stream it came by. Never raises.

The gateway knows the envelope and keeps a few fields of the header; an import knows the file and the header.
Source: docs/formats/mail-gateway.md, docs/formats/import.md; R-5.1-a.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from muniment.answer.reading.leaves import clean
from muniment.answer.reading.patient import header_text

MAX_VALUE_CHARACTERS = 2_048
_MOST_WORDS = 40  # encoded words of one field: more take long to decode


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a message without its content; "" or empty when it is not.

    `from_`, `to`, `cc`, `date` are header fields as a reader sees them. `mail_from` and `rcpt_to` are what was said in
    the dialogue (gateway), `path` where the message lay (import).
    """

    subject: str = ""
    from_: str = ""
    to: str = ""
    cc: str = ""
    date: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    references: str = ""
    mail_from: str = ""
    rcpt_to: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    door: str = ""
    client: str = ""
    user: str = ""
    path: str = ""

    @property
    def sent_ms(self) -> int | None:
        """When the message says it was written, milliseconds since 1970; None when it says nothing sensible."""
        try:
            when = parsedate_to_datetime(self.date)
            when = when if when.tzinfo else when.replace(tzinfo=UTC)
            return round((when - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
        except (ValueError, TypeError, OverflowError, IndexError):
            return None


def envelope_of(meta: bytes) -> Envelope:
    """Return the envelope that the metadata of an entry (a MessagePack map) holds; an empty one when it is none."""
    try:
        table = msgspec.msgpack.decode(meta)
    except (msgspec.DecodeError, RecursionError, UnicodeError, ValueError):
        return Envelope()
    if not isinstance(table, dict):
        return Envelope()
    fields = _table(table.get("headers")) or _table(table.get("header"))
    origin = _table(table.get("origin"))
    return Envelope(
        subject=_field(fields, "subject"),
        from_=_field(fields, "from") or _field(fields, "sender"),
        to=_field(fields, "to"),
        cc=_field(fields, "cc"),
        date=_field(fields, "date"),
        message_id=_field(fields, "message-id"),
        in_reply_to=_field(fields, "in-reply-to"),
        references=_field(fields, "references"),
        mail_from=_text(table.get("mail_from")),
        rcpt_to=_texts(table.get("rcpt_to")),
        refused=tuple(
            _text(pair[0]) for pair in _list(table.get("refused")) if isinstance(pair, list) and pair
        ),
        door=_text(table.get("door")),
        client=":".join(_texts(table.get("client"))),
        user=_text(table.get("user")),
        path=_path(origin.get("path")),
    )


def _table(value: object) -> Mapping[object, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(value)[:10_000])


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return clean(value.decode("utf-8", "replace"))[:MAX_VALUE_CHARACTERS]
    return clean(str(value))[:MAX_VALUE_CHARACTERS] if isinstance(value, str | int) else ""


def _field(fields: Mapping[object, object], name: str) -> str:
    text = _text(fields[name]) if name in fields else ""
    return clean(header_text(text)) if 0 < text.count("=?") <= _MOST_WORDS else text


def _path(value: object) -> str:
    return clean(os.fsdecode(value)) if isinstance(value, bytes) else _text(value)
