"""What a mail server's log says of each message: handed to the gateway, delivered around it, refused, put off.

Events go in, in any order; the same line may come twice, as rotated logs overlap.
Source: docs/formats/reconciliation.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from muniment.observe.postfix_log import (
    Arrival,
    Delivery,
    Event,
    MessageId,
    Notice,
    Other,
    Queued,
    Relay,
    Removed,
    Unread,
)

_RECORDED = re.compile(r"250 2\.0\.0 recorded ([a-z-]{1,40}/[1-9]\d{0,17})(?:;|$)")
_REFUSED = re.compile(r"; recorded (mail-refused/[1-9]\d{0,17})(?![\d/])")
_ANYWHERE = ("0.0.0.0", "::", "*")  # noqa: S104 - compared with, never bound


class Place(NamedTuple):
    """Host and port of a server a delivery may go to; a host that stands for every address fits all."""

    host: str
    port: int

    def is_at(self, relay: Relay) -> bool:
        """Tell whether a delivery went here."""
        return self.port == relay.port and self.host in (*_ANYWHERE, relay.address, relay.name)


@dataclass
class Seen:
    """What the log says of one message; times are milliseconds since 1970, the earliest of each."""

    arrived_ms: int | None = None
    first_ms: int = 1 << 62
    named: dict[str, int] = field(default_factory=dict)  # numbers of the gateway's 250, several after a retry
    refused: dict[str, int] = field(default_factory=dict)
    unnumbered_ms: int | None = None  # the gateway's 250 without a number
    around_ms: int | None = None  # delivered to somebody, and not by the gateway
    recipients: int = 0  # how many it was taken up for, at most
    ended: set[int] = field(default_factory=set)  # recipients, hashed, of whom a line says what became
    is_expired: bool = False
    is_removed: bool = False
    is_filtered: bool = False
    is_deferred: bool = False
    is_bounced: bool = False
    is_notice: bool = False

    @property
    def lacks_lines(self) -> bool:
        """Tell whether it came and left the queue without a line for each recipient."""
        is_whole = self.is_removed and self.arrived_ms is not None and not self.is_expired
        return is_whole and len(self.ended) < max(1, self.recipients)


class Span(NamedTuple):
    """From the first to the last line; both 0 when there is none."""

    first_ms: int = 0
    last_ms: int = 0

    def over(self, at_ms: int) -> Span:
        """Return the span that takes in another moment."""
        return Span(min(self.first_ms or at_ms, at_ms), max(self.last_ms, at_ms))


class MailLog:
    """Collects the events of all log files; `gateway` are its doors, `filters` servers whose mail comes back."""

    def __init__(
        self,
        gateway: Iterable[Place],
        filters: Iterable[Place] = (),
        since_ms: int = 0,
        until_ms: int = 1 << 62,
    ) -> None:
        self._gateway, self._filters = tuple(gateway), tuple(filters)
        self._since_ms, self._until_ms = since_ms, until_ms
        self.messages: dict[MessageId, Seen] = {}
        self.span = Span()
        self.spans: dict[tuple[str, str], Span] = {}  # by host and instance
        self.unread_lines = 0

    def take(self, event: Event) -> None:
        """Take one event; of a time that is not asked about only arrivals count."""
        if isinstance(event, Unread):
            self.unread_lines += 1
            return
        is_asked = self._since_ms <= event.at_ms < self._until_ms
        if event.at_ms and is_asked:
            self.span = self.span.over(event.at_ms)
            if key := _instance_of(event):
                self.spans[key] = self.spans.get(key, Span()).over(event.at_ms)
        if isinstance(event, Other):
            return
        if isinstance(event, Arrival):
            seen = self._seen(event.message)
            seen.arrived_ms = min(seen.arrived_ms or event.at_ms, event.at_ms)
        elif isinstance(event, Notice):
            self._seen(event.notice).is_notice = True
        elif isinstance(event, Queued):
            seen = self._seen(event.message)
            seen.recipients = max(seen.recipients, event.recipients)
        elif isinstance(event, Removed):
            self._seen(event.message).is_removed |= is_asked
        else:
            self._end(event)
            if is_asked:
                self._deliver(event)
        if is_asked:
            seen = self._seen(event.message)
            seen.first_ms = min(seen.first_ms, event.at_ms)

    def _seen(self, message: MessageId) -> Seen:
        return self.messages.setdefault(message, Seen())

    def _end(self, event: Delivery) -> None:
        seen = self._seen(event.message)
        if event.status in ("sent", "bounced"):
            seen.ended.add(hash(event.recipient))
        elif event.status == "expired":
            seen.is_expired = True

    def _deliver(self, event: Delivery) -> None:
        seen = self._seen(event.message)
        if event.status == "sent":
            self._sent(seen, event)
        elif event.status in ("bounced", "expired"):
            seen.is_bounced = True
            if self._is_gateway(event.relay) and (found := _REFUSED.search(event.words)):
                seen.refused.setdefault(found[1], event.at_ms)
        elif event.status == "deferred":
            seen.is_deferred = True

    def _sent(self, seen: Seen, event: Delivery) -> None:
        if self._is_gateway(event.relay):
            found = _RECORDED.match(event.words)
            if found:
                seen.named[found[1]] = min(seen.named.get(found[1], event.at_ms), event.at_ms)
            else:
                seen.unnumbered_ms = seen.unnumbered_ms or event.at_ms
        elif any(place.is_at(event.relay) for place in self._filters):
            seen.is_filtered = True
        elif event.agent != "discard":
            seen.around_ms = min(seen.around_ms or event.at_ms, event.at_ms)

    def _is_gateway(self, relay: Relay) -> bool:
        return any(place.is_at(relay) for place in self._gateway)


def _instance_of(event: Arrival | Delivery | Notice | Queued | Removed | Other) -> tuple[str, str] | None:
    if isinstance(event, Other):
        return (event.host, event.instance) if event.instance else None
    return event.message.host, event.message.instance
