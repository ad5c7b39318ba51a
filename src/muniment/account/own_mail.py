"""A person's own entries, as the recorder lists them: when, which way, how big. No content exists there.

The addresses are those the register of people gives the person, each for the time it was theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from muniment.account.mine import Listed
from muniment.people.models import Person
from muniment.people.span import Span
from muniment.permit.replay import Standing
from muniment.permit.windows import windows_of as frozen_windows
from muniment.policy.errors import Missing
from muniment.record.client import Recorder
from muniment.record.entry import Capture, Direction
from muniment.record.home import Home
from muniment.record.inquiry.listing import MOST_ROWS, Line, Listing
from muniment.record.permit_text import PermitWindow
from muniment.record.selection import Window

STREAMS = ("mail-gateway", "mail-journal", "mail-import")
_DAY = timedelta(days=1)


def windows_of(person: Person, since: datetime, until: datetime) -> tuple[PermitWindow, ...]:
    """Return the mail addresses of a person in a time, each for as long as it was theirs."""
    windows, _ = frozen_windows([person], (), Span(since, until))
    return windows


def listed(home: Home, person: Person, since: datetime, until: datetime) -> list[Listed]:
    """Return the entries of a time with an address that was the person's then, the newest first.

    Raises:
        Unavailable: the recorder does not answer.
    """
    windows = windows_of(person, since, until)
    if not windows:
        return []
    with Recorder(home.socket) as recorder:
        return [_listed(line) for line in _lines(recorder, windows, STREAMS, _ms(since), _ms(until))]


def own_entry(home: Home, person: Person, day: datetime, index: int) -> Listed:
    """Return one entry of a person's own of a day.

    Raises:
        Missing: on that day no entry of that index has an address of theirs.
    """
    found = next((row for row in listed(home, person, day, day + _DAY) if row.index == index), None)
    if found is None:
        raise Missing("on that day nothing of that number carries an address of yours; look at My record")
    return found


def entries_of(home: Home, permit: Standing, person: str) -> Set[int]:
    """Return the entries of a permit with an address that was the person's; it covers other people too.

    Raises:
        Unavailable: the recorder does not answer.
    """
    request = permit.request
    windows = tuple(window for window in request.windows if window.person == person)
    return _mentioned(home, windows, request.streams, request.from_ms, request.until_ms)


@lru_cache(maxsize=32)
def _mentioned(
    home: Home, windows: tuple[PermitWindow, ...], streams: tuple[str, ...], from_ms: int, until_ms: int
) -> frozenset[int]:
    """Return the entries with one of the addresses; what a permit opens was there when it was asked for, and stays."""
    with Recorder(home.socket) as recorder:
        return frozenset(line.index for line in _lines(recorder, windows, streams, from_ms, until_ms))


def _lines(
    recorder: Recorder,
    windows: Sequence[PermitWindow],
    streams: tuple[str, ...],
    from_ms: int,
    until_ms: int,
) -> Iterator[Line]:
    """Yield every line of a time, the newest first; a time with too many is asked for in halves."""
    asked = tuple(Window(window.address, window.start_ms, window.end_ms) for window in windows)
    found = recorder.listing(
        Listing(windows=asked, from_ms=from_ms, until_ms=until_ms, streams=streams, most=MOST_ROWS)
    )
    if found.total <= len(found.rows) or until_ms - from_ms < 2:
        yield from found.rows
        return
    middle = (from_ms + until_ms) // 2
    yield from _lines(recorder, windows, streams, middle, until_ms)
    yield from _lines(recorder, windows, streams, from_ms, middle)


def _listed(line: Line) -> Listed:
    return Listed(
        index=line.index,
        number=line.number,
        at_ms=line.time_ms,
        direction=Direction(line.direction).name.lower(),
        size=line.size,
        is_shielded=line.shielded,
        capture=Capture(line.capture).name.lower(),
    )


def _ms(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)
