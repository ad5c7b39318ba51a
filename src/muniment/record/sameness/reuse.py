"""The same Message-ID with other text: keyed names by which it is noticed, and the open entry that says so.

Names are made with the key by which the same bytes are known again, of the class and quarter; a message is compared
with those of its quarter and of the one before. Source: docs/decisions/0016-message-ids.md; R-2.1-b.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from muniment.record.batch import Same
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Entry, Kind, Retention, Stream
from muniment.record.keeper import QUARTER_MS, Keeper
from muniment.record.row import Row

FORMAT = "muniment-alarm/1"
SAME_ID = "same-message-id"
MOST_COMPARED = 10
_NAME_BYTES = 16
_NOT_KNOWN = Same(b"", None, is_kept_as_long=False)


class _Names(NamedTuple):
    """The names of one message under one key; `texts` are those of its faces, one behind the other."""

    message_id: bytes
    texts: bytes


class MessageIds:
    """Names the messages of one batch after another, and tells which of them are alarming."""

    def __init__(self, keeper: Keeper, catalogue: Catalogue) -> None:
        self._keeper, self._catalogue = keeper, catalogue
        self._older: dict[bytes, list[_Names]] = {}  # by the name in this quarter, of the batch under way

    def named(
        self, entries: Sequence[Entry], known: Mapping[int, Same], retention: Retention, now: int
    ) -> dict[int, Same]:
        """Return what is known of the entries with the names of their Message-IDs and texts; for mail alone."""
        self._older.clear()
        named = dict(known)
        if retention != Retention.MAIL or not any(entry.message_id for entry in entries):
            return named
        quarter = now // QUARTER_MS
        key, older = (
            self._keeper.duplicate_key(retention, quarter),
            self._keeper.held_duplicate_key(retention, quarter - 1),
        )
        for at, entry in enumerate(entries):
            if not entry.message_id or not entry.texts:
                continue
            names = _names(key, entry)
            named[at] = named.get(at, _NOT_KNOWN)._replace(message_id=names.message_id, texts=names.texts)
            before = self._older.setdefault(names.message_id, [])
            if older:
                before.append(_names(older, entry))
        return named

    def alarms(self, rows: Iterable[Row]) -> list[Entry]:
        """Return the open entries about stored rows whose Message-ID came before with other text only."""
        found = []
        for row in rows:
            if row.message_id is None:
                continue
            earlier = self._earlier(row)
            if earlier is not None:
                found.append(alarm(row, earlier))
        return found

    def _earlier(self, row: Row) -> Row | None:
        """Return the newest earlier entry of the Message-ID, None when one has the same text, or when there are ten."""
        older = self._older.get(row.message_id or b"", [])
        ids = {row.message_id, *(names.message_id for names in older)}
        marks = ",".join("?" * len(ids))
        rows = self._catalogue.rows(
            f"idx IN (SELECT idx FROM entry WHERE message_id IN ({marks}) AND idx < ? ORDER BY idx DESC LIMIT ?)",  # noqa: S608 - question marks
            (*ids, row.idx, MOST_COMPARED),
        )
        texts = _split(row.texts).union(*(_split(names.texts) for names in older))
        if not rows or len(rows) == MOST_COMPARED or any(texts & _split(each.texts) for each in rows):
            return None
        return rows[-1]


def alarm(row: Row, earlier: Row) -> Entry:
    """Return the open entry that names both; it holds no content and no part of the Message-ID."""
    plain = {
        "format": FORMAT,
        "alarm": SAME_ID,
        "entry": Stream(row.stream).number(row.sequence),
        "earlier": Stream(earlier.stream).number(earlier.sequence),
        "indexes": [earlier.idx, row.idx],
    }
    return Entry(stream=Stream.HEALTH, kind=Kind.FACT, plain=json.dumps(plain, sort_keys=True).encode())


def _names(key: bytes, entry: Entry) -> _Names:
    message_id = hmac.digest(key, b"muniment/1 message-id " + entry.message_id, "sha256")[:_NAME_BYTES]
    texts = (hmac.digest(key, b"muniment/1 text " + text, "sha256")[:_NAME_BYTES] for text in entry.texts)
    return _Names(message_id, b"".join(texts))


def _split(texts: bytes | None) -> set[bytes]:
    data = texts or b""
    return {data[at : at + _NAME_BYTES] for at in range(0, len(data), _NAME_BYTES)}
