"""What the page of the record's state says, worked out from what the recorder answered. Pure.

The finding comes first. The page never claims more than was checked: counts come from the recorder, the proof from
the bytes is `muniment verify`'s, and until a checkpoint has left the building the page says "not yet witnessed".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muniment.people.moment import LONDON, in_clock, local
from muniment.record.witnessed.words import witnessed_words

# How each stream is called on a page, and the mark beside it.
_STREAMS = {
    "keys": ("Keys and officers", "permit"),
    "health": ("Heartbeats", "health"),
    "retention": ("Retention and holds", "clock"),
    "policy": ("Policy", "rules"),
    "people": ("People", "people"),
    "permits": ("Permits", "permit"),
    "looks": ("Looks", "eye"),
    "disclosures": ("Packs handed out", "room"),
    "notices": ("Notices, marks, disputes", "mail"),
    "mail-gateway": ("Mail through the gateway", "mail"),
    "mail-journal": ("Mail journal", "mail"),
    "mail-import": ("Mail imported", "mail"),
    "mail-refused": ("Mail refused", "mail"),
    "mail-outcome": ("What became of mail", "mail"),
    "mail-attachment": ("Attachments stored once", "mail"),
}
_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "KB"))


@dataclass(frozen=True)
class StreamRow:
    """One stream as the table shows it."""

    label: str
    mark: str
    number: int
    last: str


@dataclass(frozen=True)
class RecordState:
    """Everything the page shows."""

    title: str
    problems: tuple[str, ...]
    gaps: int
    entries: int
    published: int
    size: str
    streams: tuple[StreamRow, ...]
    origin: str
    root: str
    signed: str
    witnessed: str
    witnesses: int
    confirmed: tuple[str, ...]

    @property
    def is_witnessed(self) -> bool:
        """Tell whether enough witnesses outside have confirmed the record."""
        return bool(self.witnessed)


def describe(status: Mapping[str, Any], now: datetime) -> RecordState:
    """Return what the page says of the recorder's `status()` at an aware moment."""
    problems, gaps = tuple(map(str, status["problems"])), int(status["gaps"])
    return RecordState(
        title=_title(problems, gaps),
        problems=problems,
        gaps=gaps,
        entries=int(status["size"]),
        published=int(status.get("published", status["size"])),
        size=in_bytes(int(status["stored_bytes"])),
        streams=tuple(_row(stream, now) for stream in status["streams"]),
        origin=str(status["origin"]),
        root=str(status["root"]),
        signed=when(int(status["checkpoint_time_ms"]), now),
        witnessed=witnessed_words(status, int(now.timestamp() * 1000)),
        witnesses=int(status.get("witnesses", {}).get("of", 0)),
        confirmed=tuple(map(str, status.get("witnesses", {}).get("confirmed", ()))),
    )


def in_bytes(count: int) -> str:
    """Return a number of bytes in the unit a person would choose, for instance `1.9 MB`."""
    for size, unit in _UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 10 * size else f"{count / size:,.0f} {unit}"
    return f"{count} bytes"


def when(milliseconds: int, now: datetime) -> str:
    """Return a moment as a table shows it: the time alone today, with its day otherwise, with its year if another."""
    if not milliseconds:
        return "not yet"
    moment = local(milliseconds)
    today = now.astimezone(LONDON)
    clock = in_clock(moment)
    if moment.date() == today.date():
        return f"{clock} today"
    year = "" if moment.year == today.year else f" {moment.year}"
    return f"{clock}, {moment.day} {moment:%b}{year}"


def _title(problems: tuple[str, ...], gaps: int) -> str:
    if problems:
        few = len(problems) == 1
        return "The record needs you" if few else f"The record needs you in {len(problems)} things"
    if gaps:
        return f"The record has {'one gap' if gaps == 1 else f'{gaps:,} gaps'}"
    return "The record has no gap"


def label_of(name: str) -> str:
    """Return how people call a stream."""
    return _STREAMS[name][0] if name in _STREAMS else name.replace("-", " ").capitalize()


def _row(stream: Mapping[str, Any], now: datetime) -> StreamRow:
    name = str(stream["name"])
    label, mark = _STREAMS.get(name, (name.replace("-", " ").capitalize(), "rules"))
    return StreamRow(label, mark, int(stream["sequence"]), when(int(stream["last_ms"]), now))
