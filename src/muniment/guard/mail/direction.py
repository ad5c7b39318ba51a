"""Which way a message goes, told from the door it came in by and the domains of its recipients.

What comes in by the outside door is inbound, and that door takes mail for the organisation's own domains only.
What comes in by the inside door is internal when every recipient is our own, else outbound.
Source: R-2.2-b (the particulars go on what leaves the organisation).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from functools import lru_cache

from muniment.record.entry import Direction


class Door(StrEnum):
    """The listener a client connected to."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    JOURNAL = "journal"


@lru_cache(maxsize=4096)
def fold_domain(domain: str) -> str:
    """Return a domain in the one form that is compared: ASCII (IDNA), lower case, without a closing dot."""
    folded = domain.rstrip(".").lower()
    if folded.isascii():
        return folded
    try:
        return folded.encode("idna").decode("ascii").lower()
    except UnicodeError:  # no name of the domain system; it equals only itself
        return folded


def domain_of(address: str) -> str:
    """Return the folded domain of an address, "" when it has none."""
    _, at, domain = address.rpartition("@")
    return "" if not at or domain.endswith('"') else fold_domain(domain)


def is_own(address: str, own_domains: Collection[str]) -> bool:
    """Whether an address is the organisation's; one without a domain is local and so its own."""
    domain = domain_of(address)
    return not domain or domain in own_domains


def classify(door: Door, recipients: Iterable[str], own_domains: Collection[str]) -> Direction:
    """Return the direction of a message with these accepted recipients; `own_domains` are folded."""
    if door is Door.JOURNAL:
        return Direction.NONE
    if door is Door.OUTSIDE:
        return Direction.INBOUND
    return Direction.INTERNAL if all(is_own(each, own_domains) for each in recipients) else Direction.OUTBOUND
