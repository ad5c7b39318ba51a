"""A moment in the words of the reports, in the time of London."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def in_words(moment: datetime) -> str:
    """Return `24 November 2026`, with the time of day unless it is midnight."""
    local = moment.astimezone(LONDON)
    day = f"{local.day} {local:%B %Y}"
    if local.time() == time():
        return day
    half = "am" if local.hour < 12 else "pm"
    return f"{day} at {local.hour % 12 or 12}.{local:%M} {half}"
