"""A stream that usually has traffic falls silent: told once, in an open entry. Pure: times and numbers in, entries out.

Source: R-2.1-b; docs/formats/statement.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from muniment.policy.streams import StreamRow
from muniment.record.entry import Entry, Kind, Stream

FORMAT = "muniment-silence/1"
HOUR_MS = 3_600_000


class Silence(NamedTuple):
    """A stream without an entry since `since_ms`, for more than `hours`; `after` is its last number, 0 for none."""

    stream: str
    after: int
    since_ms: int
    hours: int

    @property
    def entry(self) -> Entry:
        """Return the open entry that tells it."""
        plain = {"format": FORMAT, **self._asdict()}
        return Entry(stream=Stream.HEALTH, kind=Kind.FACT, plain=json.dumps(plain, sort_keys=True).encode())


def silences(
    register: Sequence[StreamRow], last: Mapping[int, tuple[int, int]], running_since_ms: int, now_ms: int
) -> Iterator[Silence]:
    """Yield the streams that are silent now.

    `last` has the last number of each stream and its time; time in which the recorder was not running does not count.
    """
    names = {stream.word: stream for stream in Stream}
    for row in register:
        if not row.silence_hours or row.name not in names:
            continue
        after, last_ms = last.get(names[row.name], (0, 0))
        since_ms = max(last_ms, running_since_ms)
        if now_ms - since_ms >= row.silence_hours * HOUR_MS:
            yield Silence(row.name, after, since_ms, row.silence_hours)
