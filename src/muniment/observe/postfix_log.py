"""Reads the log of Postfix: bytes in, events out, no file and no clock of its own; hostile lines never raise.

A line is told by its shape, field by field from the left, because the far server's words stand at its end and a
recipient's address may hold anything in quotes. A line that reports a delivery and does not have that shape is an
`Unread`: whoever counts must not call such a log whole.

Taken are classic syslog lines with or without a year, ISO 8601 times, and RFC 5424, of any instance.
Source: R-2.1-b; docs/formats/reconciliation.md; RFC 3164, RFC 5424 section 6; Postfix `smtp_addr`, `log_adhoc`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

LINE_LIMIT_BYTES = 65_536
WORDS_LIMIT = 1_000
_LATEST = timedelta(days=1)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PRIORITY = r"(?:<\d{1,3}>)?"
_CLOCK = r"\d\d:\d\d:\d\d"
_CLASSIC = re.compile(
    rf"{_PRIORITY}(?:(?P<before>\d{{4}}) )?(?P<month>[A-Z][a-z]{{2}}) {{1,2}}(?P<day>\d{{1,2}})"
    rf"(?: (?P<after>\d{{4}}))? (?P<clock>{_CLOCK})(?:\.\d{{1,9}})? (?P<host>[^\s]{{1,255}}) "
)
_ISO = re.compile(
    rf"{_PRIORITY}(?P<is5424>1 )?(?P<date>\d{{4}}-\d\d-\d\d)[T ](?P<clock>{_CLOCK})(?:[.,](?P<part>\d{{1,9}}))?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)? (?P<host>[^\s]{1,255}) "
)
_TAG = re.compile(
    r"(?P<instance>[\w.-]{1,64})(?:/[\w.-]{1,64}){0,3}?/(?P<agent>[\w-]{1,32})(?:\[\d{1,10}\])?: "
)
_TAG_5424 = re.compile(
    r"(?P<instance>[\w.-]{1,64})(?:/[\w.-]{1,64}){0,3}?/(?P<agent>[\w-]{1,32}) [^\s]{1,128} [^\s]{1,32} "
    r'(?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+) (?:\ufeff)?'
)
_QUEUE_ID = re.compile(r"([0-9A-Za-z]{5,24}): ")
_ADDRESS = r'<(?:[^<>"\s,]|"(?:[^"\\]|\\.)*")*>'
_DELIVERY = re.compile(
    rf"(?P<recipient>to={_ADDRESS}, (?:orig_to={_ADDRESS}, )?)"
    r"relay=(?P<relay>[^,\s]{1,600}), (?:conn_use=\d{1,9}, )?"
    r"delay=[\d.]{1,20}, delays=[\d./]{1,60}, dsn=\d\.\d{1,3}\.\d{1,3}, "
    r"status=(?P<status>[A-Za-z-]{1,32})(?: \((?P<words>.*))?$"
)
_CLIENT = re.compile(r"client=(?P<name>[^\[\s,]{0,255})\[(?P<address>[^\]\s]{1,255})\]")
_QUEUED = re.compile(r"from=.* nrcpt=(\d{1,9}) \(queue active\)$")
_EXPIRED = re.compile(r"from=.*, status=(?:force-)?expired, returned to sender$")
_NOTICE = re.compile(r"sender (?:non-delivery|delivery status|delay) notification: ([0-9A-Za-z]{5,24})$")
_RELAY = re.compile(r"(?P<name>[^\[\]]{0,255})\[(?P<address>[^\]]{1,255})\](?::(?P<port>\d{1,5}))?$")
_DELIVERERS = frozenset({"smtp", "lmtp", "local", "virtual", "pipe", "error", "discard", "relay", "retry"})


class MessageId(NamedTuple):
    """One message in one queue: queue ids are reused, so a time belongs to every comparison."""

    host: str
    instance: str
    queue_id: str


class Relay(NamedTuple):
    """Where a delivery went; `port` is 0 when it was no server on a network."""

    name: str
    address: str
    port: int


class Delivery(NamedTuple):
    """One recipient's line: `words` is what the far side said, cut to 1,000 characters.

    The queue manager's line that gives a message up has no recipient and stands for all that were left.
    """

    message: MessageId
    at_ms: int
    agent: str
    relay: Relay
    status: str
    words: str
    recipient: str = ""


class Queued(NamedTuple):
    """A message was taken up to be delivered to so many recipients."""

    message: MessageId
    at_ms: int
    recipients: int


class Arrival(NamedTuple):
    """A message was taken; `client` is the address of the server that handed it in, empty for a local program."""

    message: MessageId
    at_ms: int
    client: str


class Notice(NamedTuple):
    """The mail server made a message of its own that tells a sender what became of theirs."""

    message: MessageId
    at_ms: int
    notice: MessageId


class Removed(NamedTuple):
    """A message left the queue, after a line for each recipient."""

    message: MessageId
    at_ms: int


class Other(NamedTuple):
    """A line that says nothing a comparison needs but how far a log reaches; its instance is empty when it has none."""

    at_ms: int
    host: str = ""
    instance: str = ""


class Unread(NamedTuple):
    """A line that may report a delivery and could not be read; `why` is ours, never the line's own words."""

    why: str


Event = Delivery | Arrival | Notice | Queued | Removed | Other | Unread


class LogReader:
    """Reads one log; `written` is when it was written last, by which a year that is not said is told.

    `zone` is that of times without one; None stands for the machine's own.
    """

    def __init__(self, written: datetime, zone: tzinfo | None = None) -> None:
        self._latest = written + _LATEST
        self._zone = zone
        self._rest = b""
        self._is_skipping = False
        self._classic = lru_cache(maxsize=64)(self._classic_ms)

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield the events of every line that `data` ends; what is left waits for more."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            yield from self._take(line)
        if len(self._rest) > LINE_LIMIT_BYTES:
            self._rest = b""
            if not self._is_skipping:
                self._is_skipping = True
                yield Unread("a line is too long")

    def close(self) -> Iterator[Event]:
        """Yield the event of a last line without an end: a log that is being written may end in the middle of one."""
        rest, self._rest = self._rest, b""
        if rest:
            yield from self._take(rest)

    def _take(self, line: bytes) -> Iterator[Event]:
        if self._is_skipping:
            self._is_skipping = False
        elif len(line) > LINE_LIMIT_BYTES:
            yield Unread("a line is too long")
        elif line.strip():
            yield self._event(line.decode("utf-8", "replace").rstrip("\r"))

    def _event(self, line: str) -> Event:
        head = _CLASSIC.match(line) or _ISO.match(line)
        at_ms = self._time_ms(head) if head else None
        if head is None or at_ms is None:
            is_ours = ": to=<" in line or ": client=" in line
            return Unread("a line without a time it could be told by") if is_ours else Other(0)
        is_5424 = bool(head.groupdict().get("is5424"))
        tag = (_TAG_5424 if is_5424 else _TAG).match(line, head.end())
        if tag is None:
            return _untagged(line, at_ms)
        return _message_event(line[tag.end() :], head["host"], tag["instance"], tag["agent"], at_ms)

    def _time_ms(self, head: re.Match[str]) -> int | None:
        fields = head.groupdict()
        if "month" in fields:
            return self._classic(
                fields["before"] or fields["after"] or "", fields["month"], fields["day"], fields["clock"]
            )
        zone = (fields["zone"] or "").replace("Z", "+00:00")
        try:
            moment = datetime.fromisoformat(f"{fields['date']}T{fields['clock']}{zone}")
            part = int(fields["part"][:3].ljust(3, "0")) if fields["part"] else 0
            return self._as_ms(moment) + part
        except (ValueError, OverflowError, OSError):
            return None

    def _classic_ms(self, year: str, month: str, day: str, clock: str) -> int | None:
        if month not in _MONTHS:
            return None
        number, latest = _MONTHS.index(month) + 1, self._latest.year
        # 29 February comes every fourth year, and once after eight.
        for guess in [int(year)] if year else range(latest, latest - 9, -1):
            try:
                at_ms = self._as_ms(datetime.fromisoformat(f"{guess}-{number:02}-{int(day):02}T{clock}"))
            except (ValueError, OverflowError, OSError):
                continue
            if year or at_ms <= self._latest.timestamp() * 1000:
                return at_ms
        return None

    def _as_ms(self, moment: datetime) -> int:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone) if self._zone else moment.astimezone()
        return round(moment.astimezone(UTC).timestamp()) * 1000


def _untagged(line: str, at_ms: int) -> Event:
    """Return what a line of no instance is: lines of other programs are passed over."""
    return Unread("a delivery of no instance") if ": to=<" in line and " status=" in line else Other(at_ms)


def _message_event(text: str, host: str, instance: str, agent: str, at_ms: int) -> Event:
    found = _QUEUE_ID.match(text)
    other = Other(at_ms, host, instance)
    if found is None:
        return other
    message, rest = MessageId(host, instance, found[1]), text[found.end() :]
    if agent in _DELIVERERS:
        return _delivery(message, agent, rest, at_ms) or other
    if agent == "smtpd" and (client := _CLIENT.match(rest)):
        return Arrival(message, at_ms, client["address"])
    if agent == "pickup" and rest.startswith("uid="):
        return Arrival(message, at_ms, "")
    if agent == "qmgr":
        return _queue_event(message, rest, at_ms) or other
    if agent == "bounce" and (notice := _NOTICE.match(rest)):
        return Notice(message, at_ms, MessageId(host, instance, notice[1]))
    return Unread("a delivery by an agent that is not known") if _reports(rest) else other


def _queue_event(message: MessageId, rest: str, at_ms: int) -> Event | None:
    if rest == "removed":
        return Removed(message, at_ms)
    if queued := _QUEUED.match(rest):
        return Queued(message, at_ms, int(queued[1]))
    if _EXPIRED.match(rest):
        return Delivery(message, at_ms, "qmgr", Relay("none", "", 0), "expired", "")
    return None


def _delivery(message: MessageId, agent: str, rest: str, at_ms: int) -> Event | None:
    found = _DELIVERY.match(rest)
    if found is None:
        return Unread("a delivery of another shape") if _reports(rest) else None
    words = (found["words"] or "").removesuffix(")")[:WORDS_LIMIT]
    return Delivery(message, at_ms, agent, _relay(found["relay"]), found["status"], words, found["recipient"])


def _reports(rest: str) -> bool:
    """Tell whether a line reports a delivery; words of a far server that say so stand further right."""
    return rest.startswith("to=")


def _relay(text: str) -> Relay:
    found = _RELAY.match(text)
    if found is None:
        return Relay(text, "", 0)
    return Relay(found["name"], found["address"], int(found["port"] or 0))
