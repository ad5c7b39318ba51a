"""What the stream `retention` says now: what is being forgotten, what was, which holds, terms and quarantines stand.

A fold over open entries in their order: whoever has the disk comes to the same state. Only the recorder writes the
stream, and it checks every rule before it does; here nothing is checked again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.open_entries import OpenEntry, read_open
from muniment.record.retention import orders
from muniment.record.retention.orders import EndQuarantine, Order, Quarantine, ReleaseHold, Shorten
from muniment.record.retention.statements import Begun, Certified, Ordered, Placed, read_statement

DAY_MS = 86_400_000
COOLING_MS = 7 * DAY_MS
ANNOUNCED_DAYS = 30


def day_of(iso: str) -> int:
    """Return a day as the record counts it: days since 1970."""
    return date.fromisoformat(iso).toordinal() - date(1970, 1, 1).toordinal()


def iso_of(day: int) -> str:
    """Return the day of a number of days since 1970."""
    return date.fromordinal(day + date(1970, 1, 1).toordinal()).isoformat()


@dataclass(frozen=True)
class Hold:
    """A hold as it stands; `first` is the first of two signatures under its end, `ended_ms` when it was released."""

    placed: Placed
    placed_ms: int
    first: ReleaseHold | None = None
    first_ms: int = 0
    ended_ms: int = 0

    @property
    def number(self) -> str:
        """Return the number people quote."""
        return self.placed.number

    def is_in_force(self, day: int) -> bool:
        """Tell whether it still keeps what it names on a day."""
        return not self.ended_ms and (not self.placed.ends or day < day_of(self.placed.ends))


@dataclass(frozen=True)
class Shortening:
    """A shorter term of one class, with the officer's order; `number` is that of its entry in the stream."""

    order: Shorten
    announced_ms: int
    number: int


@dataclass(frozen=True)
class Certificate:
    """One tombstone, by its number in the stream `retention`."""

    number: int
    index: int
    at_ms: int
    said: Certified


@dataclass
class Book:
    """The state of everything that decides what is forgotten; `cursor` is the last number read."""

    cursor: int = 0
    begun: dict[int, Begun] = field(default_factory=dict)
    certificates: list[Certificate] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    shortenings: list[Shortening] = field(default_factory=list)
    quarantined: dict[int, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def read(self, entries: Iterable[OpenEntry]) -> None:
        """Go on with further entries of the stream."""
        for entry in entries:
            self.cursor = entry.sequence
            self._take(entry, read_statement(entry.plain))

    def holds_on(self, day: int) -> list[Hold]:
        """Return the holds in force on a day, in the order they were placed."""
        return [hold for hold in self.holds.values() if hold.is_in_force(day)]

    def _take(self, entry: OpenEntry, said: object) -> None:
        if isinstance(said, Begun):
            self.begun[entry.index] = said
        elif isinstance(said, Certified):
            self.begun.pop(said.begun, None)
            self.certificates.append(Certificate(entry.sequence, entry.index, entry.captured_ms, said))
        elif isinstance(said, Placed):
            self.holds[said.number] = Hold(said, entry.captured_ms)
        elif isinstance(said, Ordered):
            self.taken.add(orders.digest(said.order))
            self._take_order(entry, orders.parse_order(said.order), said.also)

    def _take_order(self, entry: OpenEntry, order: Order, also: tuple[int, ...]) -> None:
        if isinstance(order, Shorten):
            self.shortenings.append(Shortening(order, entry.captured_ms, entry.sequence))
        elif isinstance(order, ReleaseHold):
            hold = self.holds[order.hold]
            is_second = hold.first is not None and hold.first.list_sha256 == order.list_sha256
            if hold.placed.kind == "automatic" or is_second:
                self.holds[order.hold] = replace(hold, ended_ms=entry.captured_ms)
            else:
                self.holds[order.hold] = replace(hold, first=order, first_ms=entry.captured_ms)
        elif isinstance(order, Quarantine):
            self.quarantined |= dict.fromkeys((*order.entries, *also), order.reference)
        elif isinstance(order, EndQuarantine):
            for index in (*order.entries, *also):
                self.quarantined.pop(index, None)


def read_book(home: Home) -> Book:
    """Return the state of a record from its open entries, without the recorder and without any key.

    Raises:
        Missing, Tampered, Unavailable: the record cannot be read.
    """
    book = Book()
    book.read(read_open(home, Stream.RETENTION))
    return book
