"""Who looked how often under a permit, from the looks in the record; what they sought is sealed and not read here.

Source: docs/formats/look.md; R-5.3-k (a log of readers).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.open_entries import read_open


class _Look(msgspec.Struct, frozen=True):
    format: str
    permit: str
    by: str
    role: str
    act: str
    entries: tuple[int, ...] = ()
    rung: str = ""


@dataclass
class Reader:
    """What one person did under a permit: searches, and different messages opened; times in milliseconds."""

    person: str
    role: str
    searches: int = 0
    opened: set[int] = field(default_factory=set)
    first_ms: int = 0
    last_ms: int = 0


def readers_of(home: Home, number: str) -> list[Reader]:
    """Return everybody who looked under a permit, in the order in which they began."""
    found: dict[str, Reader] = {}
    for entry in read_open(home, Stream.LOOKS):
        if number.encode() not in entry.plain:
            continue
        try:
            look = msgspec.json.decode(entry.plain, type=_Look)
        except msgspec.DecodeError:
            continue
        if look.format != "muniment-look/1" or look.permit != number:
            continue
        reader = found.setdefault(look.by, Reader(look.by, look.role, first_ms=entry.captured_ms))
        reader.last_ms = entry.captured_ms
        reader.searches += look.act in ("search", "scan")
        if look.act in ("content", "attachment"):
            reader.opened.update(look.entries)
    return list(found.values())
