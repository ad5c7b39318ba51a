"""The entries of one room, a few numbers each, by their place: newest of the ledger last. Nothing here is content.

About 60 bytes an entry, in arrays, so that 100,000 entries cost 6 MB. Source: docs/formats/room-socket.md.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from enum import IntEnum

from muniment.policy.errors import Missing
from muniment.record.entry import Stream
from muniment.record.permit_selection import CONTENT
from muniment.record.release_item import ReleaseItem

UNKNOWN = -1


class Standing(IntEnum):
    """How far one entry is."""

    WAITING = 0
    INDEXED = 1
    COMPLETE = 2  # its attachments and hidden recipients too
    SHIELDED = 3  # marked by its owner after the approval, or of such a thread
    CLOSED = 4  # it does not open: its key was destroyed, or its bytes were altered


class Entries:
    """Arrays over the places of a room; entries that only hold the bytes of others have no place."""

    def __init__(self, items: Iterable[ReleaseItem]) -> None:
        self.indexes, self.captured, self.at = array("q"), array("q"), array("q")
        self.sizes, self.sequences = array("q"), array("q")
        self.has_content, self.streams, self.directions = bytearray(), bytearray(), bytearray()
        for item in items:
            if not item.is_bytes_only:
                self._take(item)
        count = len(self.indexes)
        self.attachments = array("i", [UNKNOWN]) * count
        self.threads = array("i", range(count))
        self.standing = bytearray(count)

    def _take(self, item: ReleaseItem) -> None:
        self.indexes.append(item.idx)
        self.captured.append(item.captured_ms)
        self.at.append(item.row.time_ms)
        self.sizes.append(item.size)
        self.sequences.append(item.sequence)
        self.has_content.append(1 if item.sections & CONTENT else 0)
        self.streams.append(item.stream)
        self.directions.append(item.direction)

    def __len__(self) -> int:
        return len(self.indexes)

    def place(self, index: int) -> int:
        """Return the place of an entry that is shown here.

        Raises: Missing when it is not within the permit, or is shielded; the two are not told apart.
        """
        at = bisect_left(self.indexes, index)
        if at == len(self.indexes) or self.indexes[at] != index or self.standing[at] == Standing.SHIELDED:
            raise Missing(
                f"there is no entry {index} in this room: it is not within the permit, or is sealed"
            )
        return at

    def number(self, place: int) -> str:
        """Return the number people quote, for instance `mail-gateway/42`."""
        return Stream(self.streams[place]).number(self.sequences[place])

    def open_places(self) -> Iterator[int]:
        """Yield the places that are not shielded."""
        return (place for place, standing in enumerate(self.standing) if standing != Standing.SHIELDED)

    def thread_of(self, place: int) -> list[int]:
        """Return the places of a conversation, shielded ones included."""
        thread = self.threads[place]
        return [at for at, found in enumerate(self.threads) if found == thread]
