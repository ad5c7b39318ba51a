"""Which entries are in quarantine: no key of them is released, and no backup takes them.

Source: docs/formats/hold.md; DESIGN "Retention".
"""

from __future__ import annotations

from muniment.record.catalogue import Catalogue
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.open_entries import open_entries_of
from muniment.record.retention.book import Book, read_book


def quarantined(home: Home) -> frozenset[int]:
    """Return the ledger indexes of every entry in quarantine, without the recorder and without any key."""
    return frozenset(read_book(home).quarantined)


class Quarantined:
    """Follows the quarantines of a record from a catalogue that is open already."""

    def __init__(self, home: Home, catalogue: Catalogue) -> None:
        self._home, self._catalogue, self._book = home, catalogue, Book()

    def __call__(self) -> frozenset[int]:
        """Return the indexes that stand in quarantine now."""
        entries = open_entries_of(self._home, self._catalogue, Stream.RETENTION, self._book.cursor)
        self._book.read(entries)
        return frozenset(self._book.quarantined)
