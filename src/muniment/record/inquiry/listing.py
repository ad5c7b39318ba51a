"""Which entries mention an address: numbers, times and sizes for a person's own page. No content exists here.

Source: R-5.2-f (the watched see the watchers); docs/formats/recorder-socket.md, "listing".
"""

from __future__ import annotations

from collections import deque
from typing import Annotated

import msgspec
from msgspec import Meta

from muniment.record.catalogue import Catalogue
from muniment.record.entry import Stream
from muniment.record.keeper import Keeper
from muniment.record.selection import Milliseconds, Query, Window, each_once, mentions

MOST_ROWS = 10_000


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked; the newest `most` entries are listed, and all of them counted."""

    windows: Annotated[tuple[Window, ...], Meta(max_length=1000)]
    from_ms: Milliseconds
    until_ms: Milliseconds
    streams: Annotated[tuple[str, ...], Meta(max_length=50)]
    most: Annotated[int, Meta(ge=0, le=MOST_ROWS)] = 500


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One entry that mentions the address; `time_ms` is its own date if it was imported with one."""

    index: int
    number: str
    captured_ms: int
    time_ms: int
    direction: int
    size: int
    shielded: bool
    capture: int


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entries first, and how many there are in all."""

    rows: tuple[Line, ...]
    total: int


def list_entries(catalogue: Catalogue, keeper: Keeper, listing: Listing) -> Listed:
    """Return which entries mention one of the addresses in its time. Raises: BadInput when a stream is unknown."""
    query = Query(
        windows=listing.windows, from_ms=listing.from_ms, until_ms=listing.until_ms, streams=listing.streams
    )
    newest: deque[int] = deque(maxlen=listing.most)
    total = 0
    for mention, _ in each_once(mentions(catalogue, keeper, query)):
        newest.append(mention.idx)
        total += 1
    rows = [
        Line(
            index=row.idx,
            number=Stream(row.stream).number(row.sequence),
            captured_ms=row.captured_ms,
            time_ms=row.time_ms,
            direction=row.direction,
            size=row.size,
            shielded=bool(row.shielded),
            capture=row.capture,
        )
        for row in catalogue.rows_at(list(newest))
    ]
    return Listed(
        rows=tuple(sorted(rows, key=lambda line: (line.time_ms, line.index), reverse=True)), total=total
    )
