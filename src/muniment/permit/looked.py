"""A look or a disclosure as the record holds it in the open, and who looked how often under a permit.

What was sought, and why, is sealed and not read here. Source: docs/formats/look.md; R-5.3-k (a log of readers).
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import Lock

import msgspec

from muniment.policy.errors import BadInput
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.open_entries import OpenEntry, catalogue_of, read_open

_STREAMS = {"muniment-look/1": Stream.LOOKS, "muniment-disclosure/1": Stream.DISCLOSURES}


class LookPlain(msgspec.Struct, frozen=True, kw_only=True):
    """The plain part of a look or disclosure (docs/formats/look.md).

    Members that a later release adds do not keep it from being counted.
    """

    format: str
    permit: str
    revision: int
    by: str
    act: str = ""
    role: str = ""
    rung: str = ""
    entries: tuple[int, ...] = ()

    @property
    def shows_content(self) -> bool:
        """Tell whether what people wrote was shown: a message, an attachment, or a search with snippets."""
        return self.act in ("content", "attachment") or (self.rung == "content" and self.act != "climb")


@dataclass(frozen=True)
class Look:
    """A look or a disclosure and its place in the record; `number` is that of its entry, such as `looks/42`."""

    index: int
    number: str
    at_ms: int
    plain: LookPlain

    @property
    def is_disclosure(self) -> bool:
        """Tell whether a pack was handed out."""
        return _STREAMS[self.plain.format] is Stream.DISCLOSURES


@dataclass
class Reader:
    """What one person did under a permit: searches, and different messages shown; times in milliseconds."""

    person: str
    role: str
    searches: int = 0
    shown: set[int] = field(default_factory=set)
    first_ms: int = 0
    last_ms: int = 0


def look_of(entry: OpenEntry) -> Look:
    """Return the look or disclosure that an open entry holds. Raises: BadInput when it holds none."""
    try:
        plain = msgspec.json.decode(entry.plain, type=LookPlain)
        number = _STREAMS[plain.format].number(entry.sequence)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        raise BadInput(
            f"entry {entry.index} is no look or disclosure as docs/formats/look.md describes it"
        ) from None
    return Look(entry.index, number, entry.captured_ms, plain)


def readers_of(home: Home, number: str) -> list[Reader]:
    """Return everybody who looked under a permit, in the order in which they began; a process reads each look once.

    Raises:
        Unavailable: there is no catalogue. Tampered: other bytes stand where a look should.
    """
    return _followed(home, catalogue_of(home)).readers(number)


@dataclass
class _Followed:
    """The readers of each permit of one record, as far as this process has read it."""

    home: Home
    last: int = 0
    found: defaultdict[str, dict[str, Reader]] = field(default_factory=lambda: defaultdict(dict))
    lock: Lock = field(default_factory=Lock)

    def readers(self, number: str) -> list[Reader]:
        with self.lock:
            for entry in read_open(self.home, Stream.LOOKS, self.last):
                self.last = entry.sequence
                with suppress(BadInput):
                    self._take(look_of(entry))
            return [replace(each, shown=set(each.shown)) for each in self.found.get(number, {}).values()]

    def _take(self, look: Look) -> None:
        plain = look.plain
        reader = self.found[plain.permit].setdefault(
            plain.by, Reader(plain.by, plain.role, first_ms=look.at_ms)
        )
        reader.last_ms = look.at_ms
        reader.searches += plain.act in ("search", "scan")
        if plain.shows_content:
            reader.shown.update(plain.entries)


@lru_cache(maxsize=4)
def _followed(home: Home, catalogue: tuple[int, int]) -> _Followed:
    return _Followed(home)
