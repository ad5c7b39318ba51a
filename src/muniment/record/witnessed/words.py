"""What pages and commands say of the witnesses, in one place. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_YET = "not yet witnessed"
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def witnessed_words(status: Mapping[str, Any], now_ms: int) -> str:
    """Return, for instance, `witnessed by 2 of 3, 40 seconds ago`; empty when too few have confirmed the record."""
    if not status.get("witnessed"):
        return ""
    found = status["witnesses"]
    return f"witnessed by {len(found['confirmed'])} of {found['of']}, {ago(now_ms - int(found['at_ms']))}"


def ago(milliseconds: int) -> str:
    """Return how long ago something was, in its largest unit."""
    seconds = max(0, milliseconds) // 1000
    for length, unit in _UNITS:
        count = seconds // length
        if count:
            return f"{count:,} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
