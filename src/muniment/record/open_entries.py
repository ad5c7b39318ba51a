"""Reading the open entries of a stream, without the recorder and without any key.

A higher part follows a stream by its cursor: the sequence number it saw last. Source: DESIGN "The house".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import msgspec

from muniment.policy.errors import Tampered
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Stream
from muniment.record.frame import body_sha256, parse_sections
from muniment.record.home import Home
from muniment.record.leaf import parse as parse_leaf
from muniment.record.reading import read_frame
from muniment.record.row import Row


class OpenEntry(msgspec.Struct, frozen=True):
    """One entry as whoever holds the disk reads it; `sequence` is the cursor to go on from."""

    index: int
    sequence: int
    captured_ms: int
    kind: int
    plain: bytes


def catalogue_of(home: Home) -> tuple[int, int]:
    """Return which file the catalogue is: once it was made again, what was followed is read from its beginning."""
    try:
        found = home.database.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def read_open(home: Home, stream: Stream, after: int = 0) -> Iterator[OpenEntry]:
    """Yield the entries of a stream that have an open part and come after the sequence number `after`, in order.

    An entry is there once its receipt is; one that has expired is left out.

    Raises:
        Missing: a segment is gone. Tampered: other bytes stand there. Unavailable: there is no catalogue.
    """
    with closing(Catalogue.open_readonly(home.database)) as catalogue:
        yield from open_entries_of(home, catalogue, stream, after)


def open_entries_of(home: Home, catalogue: Catalogue, stream: Stream, after: int = 0) -> Iterator[OpenEntry]:
    """Yield the same from a catalogue that is open already."""
    for row in catalogue.rows("stream = ? AND sequence > ?", (stream, after)):
        plain = read_plain(home, row)
        if plain:
            yield OpenEntry(row.idx, row.sequence, row.captured_ms, row.kind, plain)


def read_plain(home: Home, row: Row) -> bytes:
    """Return the open part of one entry, after comparing the body with the hash in its leaf.

    Raises:
        Missing: the segment is gone. Tampered: other bytes stand there.
    """
    frame = read_frame(home, row)
    if body_sha256(frame.body) != parse_leaf(frame.leaf).body_sha256:
        raise Tampered(f"entry {row.idx} is not what its leaf says; run muniment verify")
    return parse_sections(frame.body).plain
