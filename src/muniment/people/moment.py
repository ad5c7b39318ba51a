"""A moment in the words of the reports, in the time of London."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def in_words(moment: datetime) -> str:
    """Return `24 November 2026`, with the time of day unless it is midnight."""
    there = moment.astimezone(LONDON)
    day = f"{there.day} {there:%B %Y}"
    if there.time() == time():
        return day
    return f"{day} at {in_clock(there)}"


def in_clock(moment: datetime) -> str:
    """Return the time of day of a local moment, for instance `10.02 am`."""
    return f"{moment.hour % 12 or 12}.{moment:%M} {'am' if moment.hour < 12 else 'pm'}"


def local(milliseconds: int) -> datetime:
    """Return a moment of the record, milliseconds since 1970, in London's time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(LONDON)
