"""The acts on permits as the recorder knows them: read from its own stream, never from a database of the console.

Only what the rules of `releasing` ask is kept: which act, of which number, and the hash of the text it carries.
Source: docs/formats/permit.md, "In the record".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from muniment.record.catalogue import Catalogue
from muniment.record.entry import Kind, Stream
from muniment.record.home import Home
from muniment.record.open_entries import OpenEntry, open_entries_of
from muniment.record.permit_text import ACT_FORMAT

ASKING = frozenset({"ask", "narrow"})
CLOSING = frozenset({"refuse", "withdraw", "revoke", "end"})


class _Written(msgspec.Struct, frozen=True):
    """The members the recorder needs; others are for those who show the act."""

    format: str
    act: str
    number: str
    revision: int
    request: str = ""
    approval: str = ""
    signature: bytes = b""


class NotedAct(NamedTuple):
    """One act: the entry that holds it, and the hash of the request or approval it carries (empty: none)."""

    idx: int
    captured_ms: int
    act: str
    revision: int
    text_sha256: str
    signature: bytes


class PermitActs:
    """Follows the stream `permits`; an entry that is no act there says nothing."""

    def __init__(self, home: Home, catalogue: Catalogue) -> None:
        self._home, self._catalogue = home, catalogue
        self._last = 0
        self._acts: defaultdict[str, list[NotedAct]] = defaultdict(list)

    def of(self, number: str) -> Sequence[NotedAct]:
        """Return every act on a permit that is in the record now, in order."""
        for entry in open_entries_of(self._home, self._catalogue, Stream.PERMITS, self._last):
            self._last = entry.sequence
            self._take(entry)
        return tuple(self._acts.get(number, ()))

    def _take(self, entry: OpenEntry) -> None:
        if entry.kind != Kind.APPROVAL:
            return
        try:
            written = msgspec.json.decode(entry.plain, type=_Written)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if written.format != ACT_FORMAT:
            return
        text = written.request or written.approval
        digest = sha256(text.encode()).hexdigest() if text else ""
        noted = NotedAct(
            entry.index, entry.captured_ms, written.act, written.revision, digest, written.signature
        )
        self._acts[written.number].append(noted)
