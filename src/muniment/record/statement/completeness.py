"""What the recorder has stated of itself so far, read once from its own open entries and followed from there.

Source: docs/formats/statement.md; R-2.1-b.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from muniment.policy.errors import MunimentError
from muniment.policy.streams import StreamRow
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.home import Home
from muniment.record.open_entries import read_plain
from muniment.record.row import Row
from muniment.record.sameness.reuse import FORMAT as ALARM
from muniment.record.statement.reconciliation import FORMAT as RECONCILIATION
from muniment.record.statement.reconciliation import read_statement
from muniment.record.statement.silence import FORMAT as SILENCE
from muniment.record.statement.silence import silences

NOT_RUNNING = "the recorder was not running"
MOST_ALARMS = 20


class Completeness:
    """The last reconciliation, the silences told, the newest alarms; of the one thread that writes."""

    def __init__(self, home: Home, catalogue: Catalogue) -> None:
        self._home, self._catalogue = home, catalogue
        self._next = 0
        self._running_since_ms = 0
        self._reconciliation: dict[str, Any] | None = None
        self._silent_after: dict[str, int] = {}
        self._alarms: deque[dict[str, Any]] = deque(maxlen=MOST_ALARMS)
        self._alarm_count = 0

    def silences_due(self, register: Sequence[StreamRow], now_ms: int) -> list[Entry]:
        """Return an entry for each stream that has fallen silent and of which that was not told yet."""
        if not any(row.silence_hours for row in register):
            return []
        self._follow()
        found = []
        for silence in silences(register, self._catalogue.streams(), self._running_since_ms, now_ms):
            if self._silent_after.get(silence.stream) != silence.after:
                found.append(silence.entry)
        return found

    def told(self, register: Sequence[StreamRow], now_ms: int) -> dict[str, Any]:
        """Return it as the pages and `muniment status` show it."""
        self._follow()
        silent = silences(register, self._catalogue.streams(), self._running_since_ms, now_ms)
        return {
            "reconciliation": self._reconciliation,
            "silences": [silence._asdict() for silence in silent],
            "alarms": {"total": self._alarm_count, "newest": list(reversed(self._alarms))},
        }

    def _follow(self) -> None:
        """Take up the entries that were added since."""
        size = self._catalogue.size()
        if self._next == 0:
            self._running_since_ms = self._begun_ms()
            rows = self._catalogue.rows("stream = 2 AND kind IN (13, 15)")
        elif size > self._next:
            rows = self._catalogue.rows("idx >= ? AND +stream = 2 AND +kind IN (13, 15)", (self._next,))
        else:
            rows = []
        self._next = size
        for row in rows:
            self._take(row)

    def _begun_ms(self) -> int:
        first = self._catalogue.rows("idx = (SELECT min(idx) FROM entry)")
        return first[0].captured_ms if first else 0

    def _take(self, row: Row) -> None:
        try:
            table = msgspec.json.decode(read_plain(self._home, row), type=dict[str, Any])
            if row.kind == Kind.GAP and table.get("cause") == NOT_RUNNING:
                self._running_since_ms = max(self._running_since_ms, int(table["until_ms"]))
            elif table.get("format") == RECONCILIATION:
                self._reconciliation = _reconciled(row, table)
            elif table.get("format") == SILENCE:
                self._silent_after[str(table["stream"])] = int(table["after"])
            elif table.get("format") == ALARM:
                self._alarms.append(
                    {"at_ms": row.captured_ms, "entry": table["entry"], "earlier": table["earlier"]}
                )
                self._alarm_count += 1
        except (MunimentError, msgspec.DecodeError, KeyError, ValueError):
            return  # `muniment verify` names an entry that cannot be read; the status must not fail for it


def _reconciled(row: Row, table: dict[str, Any]) -> dict[str, Any]:
    found = read_statement(msgspec.json.encode(table))
    return {
        "number": Stream.HEALTH.number(row.sequence),
        "at_ms": row.captured_ms,
        "from_ms": found.from_ms,
        "until_ms": found.until_ms,
        "accepted": found.accepted,
        "recorded": found.recorded,
        "missing": found.missing,
        "unnamed": 0 if found.other_senders else found.unnamed,
        "is_whole": found.is_whole,
        "tallies": found.tallies,
    }
