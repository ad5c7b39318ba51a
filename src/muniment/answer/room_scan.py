"""A scan within a room: runs in the background over every entry, and tells how far it is.

Scanned and not scanned are counted apart. Source: docs/formats/room-socket.md, "Searching"; DESIGN "Rooms".
"""

from __future__ import annotations

from collections import Counter
from threading import Event, Thread

import msgspec

from muniment.answer.index_text import text_for_index
from muniment.answer.room_entries import Standing
from muniment.answer.room_open import OpenRoom
from muniment.answer.room_values import Reason, ScanState, TermHit
from muniment.answer.scan import Terms
from muniment.policy.errors import MunimentError

MOST_HITS = 100_000
_ATTACHMENTS, _NOT_OPEN, _NOT_YET = "attachments of it", "does not open", "not yet scanned"


class RunningScan:
    """One scan; `state` is asked from any thread."""

    def __init__(self, room: OpenRoom, terms: list[str]) -> None:
        self._room, self._list, self._terms = room, terms, Terms(terms)
        self._found: list[tuple[int, list[int]]] = []
        self._problems: Counter[str] = Counter()
        self._scanned = 0
        self._stopping = Event()
        self._of = len(room.entries) - room.marked()
        self.is_done = False
        self.record_number = ""

    def start(self) -> None:
        """Begin, in a thread of its own."""
        Thread(target=self.run, name="scan", daemon=True).start()

    def stop(self) -> None:
        """Have it end soon."""
        self._stopping.set()

    def is_for(self, terms: list[str]) -> bool:
        """Tell whether it looks for just these terms."""
        return terms == self._list

    def run(self) -> None:
        """Look through every entry, newest of the ledger first."""
        standing = self._room.entries.standing
        for place in range(len(standing) - 1, -1, -1):
            if self._stopping.is_set():
                break
            if standing[place] != Standing.SHIELDED:
                self._look_at(place)
        self.is_done = True

    def _look_at(self, place: int) -> None:
        index = self._room.entries.indexes[place]
        try:
            text = text_for_index(self._room.opener.written(index))
        except MunimentError:
            self._problems[_NOT_OPEN] += 1
            return
        self._scanned += 1
        if text.attachments:
            self._problems[_ATTACHMENTS] += text.attachments
        if text.defect:
            self._problems[text.defect] += 1
        terms = self._terms.find(f"{text.subject}\n{text.from_}\n{text.to}\n{text.body}")
        if terms and len(self._found) < MOST_HITS:
            self._found.append((place, terms))

    def state(self) -> ScanState:
        """Return how far it is and what it found so far, newest first."""
        entries, found = self._room.entries, list(self._found)
        left = max(0, self._of - self._scanned - self._problems[_NOT_OPEN])
        problems = [Reason(_NOT_YET, left), *(Reason(*item) for item in sorted(self._problems.items()))]
        hits = [
            TermHit(
                index=entries.indexes[place],
                number=entries.number(place),
                captured_ms=entries.captured[place],
                terms=terms,
            )
            for place, terms in found
            if entries.standing[place] != Standing.SHIELDED
        ]
        return ScanState(
            is_done=self.is_done,
            scanned=self._scanned,
            of=self._of,
            not_scanned=[reason for reason in problems if reason.count],
            found=len(hits),
            hits=hits,
            record_number=self.record_number,
        )


def scan_look_words(terms: list[str]) -> str:
    """Return the terms as they are recorded with the look."""
    return msgspec.json.encode(terms).decode()
