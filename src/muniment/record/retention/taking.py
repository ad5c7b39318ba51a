"""Which signed orders the recorder takes: the rules of docs/formats/hold.md, "Orders", asked of the record alone.

Nothing here asks a database, and whoever brings an order has no say. Source: R-5.1-a, R-5.2-g.
"""

from __future__ import annotations

from dataclasses import dataclass

from muniment.policy.errors import Conflict, Refused
from muniment.policy.schedule import Term
from muniment.record.officers import OfficerSet
from muniment.record.retention.book import ANNOUNCED_DAYS, COOLING_MS, DAY_MS, Book, Hold, day_of
from muniment.record.retention.holds import Dying
from muniment.record.retention.orders import (
    Order,
    ReleaseHold,
    Shorten,
    SignedOrder,
    digest,
    parse_order,
    require_signed,
)

_CLAUSE = "R-5.1-a"
_OLDEST_MS, _EARLIEST_MS = 7 * DAY_MS, DAY_MS
_DIRECTOR = "managing_director"


@dataclass(frozen=True)
class Bench:
    """What the record says when an order comes: its name, its officers, the state of the stream, a trusted time."""

    origin: str
    officers: OfficerSet
    book: Book
    now_ms: int


def require_order(signed: SignedOrder, bench: Bench) -> Order:
    """Return the order when an officer of today signed it, for this record, lately, and for the first time.

    Raises:
        BadInput: it is none. Refused: its officer or signature does not stand. Conflict: it was taken before.
    """
    order = parse_order(signed.order)
    if order.origin != bench.origin:
        raise Refused(
            f"the order is one of the record {order.origin}; this is {bench.origin}", clause=_CLAUSE
        )
    signing_key = bench.officers.signing_keys.get(order.officer)
    if signing_key is None:
        raise Refused(
            f"{order.officer[:40]!r} is no officer of this record now; an officer must sign", clause=_CLAUSE
        )
    require_signed(signed, signing_key)
    if not bench.now_ms - _OLDEST_MS <= order.decided_ms <= bench.now_ms + _EARLIEST_MS:
        raise Refused(
            "the order was signed more than seven days ago, or is dated ahead; prepare and sign it again",
            clause=_CLAUSE,
        )
    if digest(signed.order) in bench.book.taken:
        raise Conflict("this order was taken already; nothing is done twice")
    return order


def require_release(order: ReleaseHold, bench: Bench, dying: Dying) -> Hold:
    """Return the hold when an order may go towards its release, or release it.

    Raises:
        Conflict: it is over, the list is another one, or it is too early. Refused: the same officer signed before.
    """
    hold = bench.book.holds.get(order.hold)
    if hold is None or not hold.is_in_force(bench.now_ms // DAY_MS):
        raise Conflict(f"hold {order.hold} keeps nothing now; see `muniment retention holds`")
    if (order.list_sha256, order.entries) != (dying.sha256, len(dying.indexes)):
        raise Conflict(
            f"hold {order.hold} alone keeps {len(dying.indexes):,} entries, and not those that the order lists; "
            "prepare it again, and read the list"
        )
    if hold.first is None or hold.placed.kind == "automatic":
        return hold
    if hold.first.list_sha256 != order.list_sha256:
        return hold  # the list changed: this signature is the first of a new pair
    if hold.first.officer == order.officer:
        raise Refused(
            f"{order.officer} signed for the release of hold {order.hold} already; another officer must",
            clause="R-5.2-g",
        )
    if bench.now_ms < hold.first_ms + COOLING_MS:
        raise Conflict(
            f"hold {order.hold} can be released seven days after the first signature; come back then"
        )
    return hold


def require_shortening(order: Shorten, bench: Bench, term: Term | None) -> None:
    """Return when the Managing Director shortens a term that can be shortened, with advice and time to object.

    Raises:
        Refused: somebody else signs. Conflict: the class lasts or is unknown, or it was announced too late.
    """
    roles = {r.id: role for r, role in zip(bench.officers.recipients, bench.officers.roles, strict=True)}
    if roles[order.officer] != _DIRECTOR:
        raise Refused(
            "a term is shortened by the Managing Director alone, on the data protection officer's written reason",
            clause=_CLAUSE,
        )
    if term is None or term.is_lasting:
        raise Conflict(
            f"the class {order.retention[:40]!r} is not one that expires; see `muniment policy check`"
        )
    today = bench.now_ms // DAY_MS
    if day_of(order.effective) < today + ANNOUNCED_DAYS:
        raise Conflict(
            f"a shorter term is announced {ANNOUNCED_DAYS} days before it takes effect; name a later day"
        )
    if day_of(order.advised) > today:
        raise Conflict("the data protection officer's reason is dated ahead; name the day it was written")
