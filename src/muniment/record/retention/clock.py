"""Whether the machine's clock may be believed, before anything is forgotten by it.

1. The *trusted time* is the clock's when the record was last seen alive, and goes on with the time the machine has run.
2. A clock that is more than a day ahead of it has jumped: nothing is forgotten by such a clock.
3. It is believed again when it comes back, or when a person says that it is right, which is recorded.

A clock that is behind forgets later, never earlier, and needs no rule. Source: docs/trust.md; R-5.1-a.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from muniment.policy.errors import Conflict
from muniment.record.entry import Kind, Stream
from muniment.record.open_entries import read_plain
from muniment.record.retention.book import DAY_MS

if TYPE_CHECKING:
    from muniment.record.opening import OpenRecord

_LOOKED_AT = 200


def boot_ms() -> int:
    """Return how long the machine has run, sleep included, in milliseconds; no setting of the clock changes it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class TrustedClock:
    """Compares the machine's clock with the time that is known to have passed."""

    def __init__(
        self, trusted_ms: int, clock: Callable[[], int], elapsed: Callable[[], int] = boot_ms
    ) -> None:
        self._clock, self._elapsed = clock, elapsed
        now = clock()
        self._base = now if trusted_ms < now <= trusted_ms + DAY_MS else trusted_ms
        self._started = elapsed()

    def trusted_ms(self) -> int:
        """Return the newest time that is vouched for."""
        reckoned = self._reckoned()
        now = self._clock()
        return now if reckoned < now <= reckoned + DAY_MS else reckoned

    def jump_ms(self) -> int:
        """Return by how much the clock is ahead of what can be explained; 0 when it is believed."""
        ahead = self._clock() - self._reckoned()
        return ahead if ahead > DAY_MS else 0

    def read_ms(self) -> int:
        """Return the clock's time, believed or not."""
        return self._clock()

    def now_ms(self) -> int:
        """Return the clock's time.

        Raises:
            Conflict: the clock jumped forward and nobody has said that it is right.
        """
        if self.jump_ms():
            raise Conflict(self.waiting())
        return self._clock()

    def waiting(self) -> str:
        """Return why nothing is forgotten now, as a sentence; empty when the clock is believed."""
        ahead = self.jump_ms()
        if not ahead:
            return ""
        return (
            f"nothing is forgotten now: the clock is {ahead // DAY_MS} days ahead of when the recorder last ran. If it "
            "is right, say so with `muniment retention clock-is-right`; if not, set it right"
        )

    def confirm(self) -> None:
        """Believe the clock as it stands."""
        self._base, self._started = self._clock(), self._elapsed()

    def _reckoned(self) -> int:
        return self._base + self._elapsed() - self._started


def last_trusted_ms(opened: OpenRecord, now_ms: int) -> int:
    """Return the newest time the record vouches for: its last heartbeat's; `now_ms` in a record that has none."""
    catalogue = opened.record.parts.catalogue
    last, _ = catalogue.streams().get(Stream.HEALTH, (0, 0))
    newest = "stream = ? AND sequence > ? AND kind = ?"
    rows = catalogue.rows(newest, (Stream.HEALTH, last - _LOOKED_AT, Kind.HEARTBEAT))
    if not rows:
        return now_ms if not last else catalogue.last_captured_ms()
    told = json.loads(read_plain(opened.home, rows[-1]))
    return int(told.get("trusted_ms", rows[-1].captured_ms))
