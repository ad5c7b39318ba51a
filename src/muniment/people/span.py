"""A half-open stretch of time: from a moment, up to but not including another, or open-ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Span:
    """`start` belongs to the span, `end` does not; both are aware, `end` is None while nobody has set it."""

    start: datetime
    end: datetime | None = None

    def holds_at(self, moment: datetime) -> bool:
        """Tell whether `moment` lies in the span."""
        return self.start <= moment and (self.end is None or moment < self.end)

    def is_over_at(self, moment: datetime) -> bool:
        """Tell whether the span has ended at `moment`."""
        return self.end is not None and self.end <= moment

    def shared_with(self, other: Span) -> Span | None:
        """Return the stretch that lies in both, None when there is none."""
        start, end = max(self.start, other.start), earlier(self.end, other.end)
        return Span(start, end) if end is None or start < end else None


def earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    """Return the earlier of two ends; None never ends."""
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)
