"""Whether a room's permit still holds: read from the record's acts, every few seconds, and told to whoever asks.

Source: docs/formats/permit.md, "In the record"; docs/formats/room-socket.md, "The end"; R-5.2-f.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Lock

from muniment.policy.errors import Refused
from muniment.record.entry import Kind, Stream
from muniment.record.home import Home
from muniment.record.open_entries import read_open
from muniment.record.permit_text import ACT_FORMAT

CLAUSE = "R-5.2-f"
_ENDED = {"revoke": "was revoked", "end": "has ended", "withdraw": "was withdrawn", "refuse": "was refused"}


class PermitWatch:
    """Follows the stream of permits; `over` says in words why the permit does not hold, empty while it does."""

    def __init__(
        self, home: Home, number: str, revision: int, ends_ms: int, clock: Callable[[], int]
    ) -> None:
        self._home, self._number, self._revision = home, number, revision
        self._ends_ms, self._clock = ends_ms, clock
        self._cursor = 0
        self._lock = Lock()
        self.over = ""

    def look(self) -> str:
        """Read what is new in the record, and the clock; return why the permit does not hold, empty when it does.

        Raises: MunimentError when the record cannot be read: then nobody can tell.
        """
        with self._lock:
            for entry in read_open(self._home, Stream.PERMITS, self._cursor):
                self._cursor = entry.sequence
                if entry.kind == Kind.APPROVAL:
                    self._take(entry.plain)
            if not self.over and self._clock() >= self._ends_ms:
                self.over = "has ended"
            return self.over

    def require(self) -> None:
        """Return while the permit holds. Raises: Refused when it does not."""
        over = self.over or ("has ended" if self._clock() >= self._ends_ms else "")
        if over:
            raise Refused(
                f"permit {self._number} {over}: nothing more is shown; ask for a new permit if it is still needed",
                clause=CLAUSE,
            )

    def _take(self, plain: bytes) -> None:
        try:
            act = json.loads(plain)
            number, what, revision = act["number"], act["act"], int(act["revision"])
            is_act = act["format"] == ACT_FORMAT
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if number != self._number or not is_act:
            return
        if what in _ENDED:
            self.over = _ENDED[what]
        elif what == "narrow" and revision > self._revision:
            self.over = "was replaced by a narrower one"


def marked_of(home: Home) -> frozenset[int]:
    """Return the ledger indexes of the entries that somebody has marked private; who lifts a mark lifts their own."""
    marks: dict[tuple[str, int], bool] = {}
    for entry in read_open(home, Stream.NOTICES):
        if entry.kind != Kind.FACT or b"muniment-mark/1" not in entry.plain:
            continue
        try:
            told = json.loads(entry.plain)
            if told["format"] == "muniment-mark/1":
                marks[str(told["by"]), int(told["entry"])] = bool(told["mark"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return frozenset(index for (_, index), is_on in marks.items() if is_on)
