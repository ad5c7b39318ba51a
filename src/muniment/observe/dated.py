"""When an imported message says it was sent: what its Date field claims, if that can have been.

An archive is recorded on one day and asked for by the days of its letters. The claim is the sender's own; whoever
reads it is told so. Source: R-5.1-b; RFC 5322 3.3 and 4.3.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)  # no mail is older, and much that is wrong says 1970
_AHEAD = timedelta(days=1)  # a sender's clock may be wrong, or his zone
_LONGEST = 200


def dated_ms(field: bytes, now: datetime) -> int:
    """Return the moment a Date field names, in milliseconds since 1970; 0 when it names none, or an impossible one."""
    try:
        said = parsedate_to_datetime(field[:_LONGEST].decode("ascii", "replace"))
        moment = said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0
    return int(moment.timestamp() * 1000) if _EARLIEST <= moment <= now + _AHEAD else 0
