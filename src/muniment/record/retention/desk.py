"""The recorder's own desk for retention: what it does by itself, once a day, and what it is told to do.

One thread, the one that writes. Source: R-5.1-a; docs/formats/tombstone.md, docs/formats/recorder-socket.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from muniment.record.entry import Kind, Stream
from muniment.record.open_entries import open_entries_of
from muniment.record.retention import forgetting
from muniment.record.retention.book import DAY_MS, Book
from muniment.record.retention.clock import TrustedClock, last_trusted_ms
from muniment.record.retention.due import due_days
from muniment.record.retention.erasure import decided, erase
from muniment.record.retention.expiry import Forgotten, expire, expire_some
from muniment.record.retention.statements import Certified, ClockIsRight, entry_of

if TYPE_CHECKING:
    from muniment.record.opening import OpenRecord


class RetentionDesk:
    """Follows the stream `retention` of one open record and acts on it."""

    def __init__(self, opened: OpenRecord, clock: Callable[[], int]) -> None:
        self._opened = opened
        self._book = Book()
        self._day_done = self._day_looked = -1
        self._is_waiting = False
        self.clock = TrustedClock(last_trusted_ms(opened, clock()), clock)
        self._has_noted_jump = self.clock.jump_ms() > 0  # at a start the silence before it is recorded

    def book(self) -> Book:
        """Return the state of the stream, up to its newest entry."""
        catalogue = self._opened.record.parts.catalogue
        self._book.read(open_entries_of(self._opened.home, catalogue, Stream.RETENTION, self._book.cursor))
        return self._book

    def resume(self) -> None:
        """Finish what an earlier run began to forget."""
        for index, begun in list(self.book().begun.items()):
            forgetting.finish(self._opened, index, begun)

    def tick(self) -> None:
        """Do a bounded part of what is due; called about once a second, of no effect once a day's work is done."""
        ahead_ms = self.clock.jump_ms()
        if ahead_ms and not self._has_noted_jump:
            self._opened.record.note("the clock jumped forward", ahead_ms=ahead_ms)
        self._has_noted_jump = ahead_ms > 0
        day = self.clock.read_ms() // DAY_MS
        if ahead_ms:
            if day != self._day_looked:
                self._day_looked, self._is_waiting = day, self._is_anything_due(day)
            return
        self._day_looked, self._is_waiting = -1, False
        if day != self._day_done:
            self.resume()
            if expire_some(self._opened, self.book(), self.clock.now_ms()) is None:
                self._day_done = day

    def _is_anything_due(self, day: int) -> bool:
        days = due_days(self._opened.record.parts.catalogue, self.book().shortenings)
        return any(each.day <= day for each in days.values())

    def expire(self) -> list[Forgotten]:
        """Forget everything that is due now.

        Raises:
            Conflict: the clock jumped forward and nobody has said that it is right.
        """
        now_ms = self.clock.now_ms()
        self.resume()
        return expire(self._opened, self.book(), now_ms)

    def erase(self, indexes: Sequence[int], *, authority: str, clause: str, order: str = "") -> Certified:
        """Forget whole messages by order; see `erasure.erase`."""
        ground = decided(self.clock.trusted_ms() // DAY_MS, authority=authority, clause=clause, order=order)
        return erase(self._opened, self.book(), indexes, ground)

    def confirm_clock(self, by: str) -> ClockIsRight:
        """Record that somebody says the clock is right, and believe it from now on."""
        trusted_ms = self.clock.trusted_ms()
        self.clock.confirm()
        said = ClockIsRight(by=by, clock_ms=self.clock.now_ms(), trusted_ms=trusted_ms)
        self._opened.append([entry_of(said, Kind.FACT), self._opened.heartbeat("clock confirmed")])
        return said

    def problems(self) -> list[str]:
        """Return what the state of the record must name."""
        return [waiting] if self._is_waiting and (waiting := self.clock.waiting()) else []
