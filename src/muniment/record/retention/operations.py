"""What the recorder is asked on its socket about retention: holds, orders, what will go, the clock.

Each takes the arguments of docs/formats/recorder-socket.md and refuses others. Source: R-5.1-a; docs/formats/hold.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from muniment.policy.errors import BadInput, Conflict
from muniment.record import line
from muniment.record.entry import Entry, Kind
from muniment.record.retention import orders
from muniment.record.retention.book import DAY_MS, Book, day_of
from muniment.record.retention.erasure import decided, erase, whole_messages
from muniment.record.retention.forecast import forecast as forecast_of
from muniment.record.retention.holds import Bytes, Dying, dying_with
from muniment.record.retention.orders import EndQuarantine, Erase, Indexes, Quarantine, ReleaseHold, Shorten
from muniment.record.retention.statements import HeldAddress, Ordered, Placed, entry_of
from muniment.record.retention.taking import Bench, require_order, require_release, require_shortening
from muniment.record.wire import read_arguments

if TYPE_CHECKING:
    from muniment.record.opening import OpenRecord
    from muniment.record.retention.desk import RetentionDesk

LONGEST_HOLD_DAYS = 731
_Day = Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?\Z")]
_Words = Annotated[str, Meta(min_length=1, max_length=4000)]


class HoldAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A hold to place; addresses as (address, from day, until day), the days may be empty."""

    kind: Literal["automatic", "litigation"]
    case: _Words
    reason: _Words
    by: _Words
    addresses: Annotated[tuple[tuple[str, _Day, _Day], ...], Meta(max_length=1000)] = ()
    entries: Annotated[tuple[int, ...], Meta(max_length=10_000)] = ()
    ends: _Day = ""


class _Hold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hold: str


class _Entries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entries: Indexes


class _Days(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    days: Annotated[int, Meta(ge=1, le=36_500)] = 31


class _By(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    by: _Words


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order: str
    signature: bytes


class RetentionOperations:
    """The operations on one open record."""

    def __init__(self, opened: OpenRecord) -> None:
        self._opened = opened

    @property
    def _desk(self) -> RetentionDesk:
        return self._opened.retention

    def _finder(self) -> Bytes:
        parts = self._opened.record.parts
        return Bytes(self._opened.home, parts.catalogue, parts.keeper)

    def hold(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Place a hold; return its number."""
        asked = read_arguments(arguments, HoldAsked)
        today = self._desk.clock.trusted_ms() // DAY_MS
        _require_end(asked, today)
        if not asked.addresses and not asked.entries:
            raise BadInput("a hold names addresses or entries; it would keep nothing")
        key = self._opened.record.parts.keeper.token_key
        placed = Placed(
            number=_next_number(self._desk.book(), today),
            kind=asked.kind,
            case=asked.case,
            reason=asked.reason,
            by=asked.by,
            addresses=tuple(
                HeldAddress(line.token(key, a), start, until) for a, start, until in asked.addresses
            ),
            entries=tuple(sorted(set(asked.entries))),
            ends=asked.ends,
        )
        self._opened.append([entry_of(placed, Kind.HOLD)])
        return {"number": placed.number}

    def dying(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return what a hold alone keeps: the list that its release names."""
        number, book = read_arguments(arguments, _Hold).hold, self._desk.book()
        size = self._opened.record.size
        dying = self._list(book, number, size)
        return {
            "size": size,
            "indexes": list(dying.indexes),
            "due": dying.due,
            "list_sha256": dying.sha256,
        }

    def _list(self, book: Book, number: str, size: int) -> Dying:
        if number not in book.holds:
            raise Conflict(f"there is no hold {number[:20]}; see `muniment retention holds`")
        today = self._desk.clock.trusted_ms() // DAY_MS
        return dying_with(self._finder(), book, book.holds[number], size, today)

    def scope(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the whole messages that entries belong to."""
        return {"entries": sorted(whole_messages(self._opened, read_arguments(arguments, _Entries).entries))}

    def forecast(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return what will be forgotten in the next days, and what is held."""
        days, clock = read_arguments(arguments, _Days).days, self._desk.clock
        told = forecast_of(self._finder(), self._desk.book(), clock.trusted_ms() // DAY_MS, days)
        return told | {"waiting": clock.waiting()}

    def clock_is_right(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Believe the clock from now on, because somebody says it is right."""
        said = self._desk.confirm_clock(read_arguments(arguments, _By).by)
        return {"clock_ms": said.clock_ms, "trusted_ms": said.trusted_ms}

    def order(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Take an officer's signed order: record it, and do what it says."""
        asked = read_arguments(arguments, _Signed)
        signed = orders.SignedOrder(order=asked.order, signature=asked.signature)
        book = self._desk.book()
        officers = self._opened.record.parts.officers
        bench = Bench(self._opened.origin, officers, book, self._desk.clock.now_ms())
        order = require_order(signed, bench)
        also: tuple[int, ...] = ()
        if isinstance(order, ReleaseHold):
            require_release(order, bench, self._list(book, order.hold, order.size))
        elif isinstance(order, Shorten):
            require_shortening(order, bench, self._opened.policy.retention.get(order.retention))
        elif isinstance(order, Quarantine | EndQuarantine):
            also = tuple(sorted(whole_messages(self._opened, order.entries).keys() - set(order.entries)))
        if isinstance(order, EndQuarantine) and not book.quarantined.keys() >= set(order.entries):
            raise Conflict("not all of these entries are in quarantine; see `muniment retention next`")
        ordered = entry_of(Ordered(order=signed.order, signature=signed.signature, also=also), Kind.HOLD)
        if isinstance(order, Erase):
            self._erase(
                book, order.entries, order.authority, order.clause, ordered, signed, is_released=False
            )
        elif isinstance(order, EndQuarantine) and order.outcome == "erase":
            named, police = sorted({*order.entries, *also}), f"police, {order.reference}"
            self._erase(book, named, police, "R-5.1-a", ordered, signed, is_released=True)
        else:
            self._opened.append([ordered])
        return {"act": type(order).__name__, "also": list(also)}

    def _erase(
        self,
        book: Book,
        entries: Sequence[int],
        authority: str,
        clause: str,
        ordered: Entry,
        signed: orders.SignedOrder,
        *,
        is_released: bool,
    ) -> None:
        day, order = self._desk.clock.now_ms() // DAY_MS, orders.digest(signed.order)
        ground = decided(day, authority=authority, clause=clause, order=order)
        erase(self._opened, book, entries, ground, [ordered], is_released=is_released)


def _act(
    operation: Callable[[RetentionOperations, dict[str, Any]], dict[str, Any]],
) -> Callable[[OpenRecord, dict[str, Any]], dict[str, Any]]:
    return lambda opened, arguments: operation(RetentionOperations(opened), arguments)


OPERATIONS: Final[Mapping[str, Callable[[OpenRecord, dict[str, Any]], dict[str, Any]]]] = {
    "hold": _act(RetentionOperations.hold),
    "dying": _act(RetentionOperations.dying),
    "erasure-scope": _act(RetentionOperations.scope),
    "order": _act(RetentionOperations.order),
    "forecast": _act(RetentionOperations.forecast),
    "clock-is-right": _act(RetentionOperations.clock_is_right),
}


def _require_end(asked: HoldAsked, today: int) -> None:
    if (asked.kind == "automatic") != bool(asked.ends):
        raise BadInput(
            "an automatic hold has an end day, a litigation hold has none; it is released by two officers"
        )
    try:
        days = [day for _, *both in asked.addresses for day in both if day]
        ends = day_of(asked.ends) if asked.ends else None
        list(map(day_of, days))
    except ValueError:
        raise BadInput("a hold names a day that the calendar does not have") from None
    if ends is not None and not today < ends <= today + LONGEST_HOLD_DAYS:
        raise BadInput(f"an automatic hold ends after today and within {LONGEST_HOLD_DAYS} days")


def _next_number(book: Book, today: int) -> str:
    year = datetime.fromtimestamp(today * 86_400, UTC).year
    taken = [int(number[6:]) for number in book.holds if number.startswith(f"H{year}-")]
    return f"H{year}-{max(taken, default=0) + 1:03}"
