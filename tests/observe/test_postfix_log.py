"""Lines of Postfix's log become events; what is hostile or strange never raises and is never taken for a delivery."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.observe.postfix_log import (
    Arrival,
    Delivery,
    Event,
    LogReader,
    MessageId,
    Notice,
    Other,
    Queued,
    Relay,
    Removed,
    Unread,
)

UTC_ZONE = ZoneInfo("UTC")
WRITTEN = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MESSAGE = MessageId("mx", "postfix", "4D2F31A0B")
SENT = (
    "to=<someone@outside.example>, relay=127.0.0.1[127.0.0.1]:2525, delay=0.1, delays=0.02/0/0.03/0.05, dsn=2.0.0, "
    "status=sent (250 2.0.0 recorded mail-gateway/7; Ok: queued as 5B2)"
)


def read(*lines: str, zone: ZoneInfo = UTC_ZONE) -> list[Event]:
    reader = LogReader(WRITTEN, zone)
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    return [*reader.feed(data), *reader.close()]


def ms(*moment: int) -> int:
    return round(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("head", "at_ms"),
    [
        ("Nov 25 10:00:01 mx postfix/smtp[12]: ", ms(2026, 11, 25, 10, 0, 1)),
        ("Nov  5 10:00:01 mx postfix/smtp[12]: ", ms(2026, 11, 5, 10, 0, 1)),
        ("Dec 31 23:59:59 mx postfix/smtp[12]: ", ms(2025, 12, 31, 23, 59, 59)),
        ("Feb 29 10:00:01 mx postfix/smtp[12]: ", ms(2024, 2, 29, 10, 0, 1)),
        ("Nov 25 2025 10:00:01 mx postfix/smtp[12]: ", ms(2025, 11, 25, 10, 0, 1)),
        ("2025 Nov 25 10:00:01 mx postfix/smtp[12]: ", ms(2025, 11, 25, 10, 0, 1)),
        ("<22>Nov 25 10:00:01 mx postfix/smtp[12]: ", ms(2026, 11, 25, 10, 0, 1)),
        ("2026-11-25T10:00:01.250+01:00 mx postfix/smtp[12]: ", ms(2026, 11, 25, 9, 0, 1) + 250),
        ("2026-11-25T10:00:01+0000 mx postfix/smtp[12]: ", ms(2026, 11, 25, 10, 0, 1)),
        ("2026-11-25 10:00:01,5 mx postfix/smtp[12]: ", ms(2026, 11, 25, 10, 0, 1) + 500),
        ("<22>1 2026-11-25T10:00:01Z mx postfix/smtp 12 - - ", ms(2026, 11, 25, 10, 0, 1)),
        ('<22>1 2026-11-25T10:00:01Z mx postfix/smtp 12 ID [a b="c\\"]"] \ufeff', ms(2026, 11, 25, 10, 0, 1)),
    ],
)
def test_the_time_is_told_in_every_shape(head: str, at_ms: int) -> None:
    (event,) = read(f"{head}4D2F31A0B: {SENT}")
    words = "250 2.0.0 recorded mail-gateway/7; Ok: queued as 5B2"
    assert event == Delivery(
        MESSAGE,
        at_ms,
        "smtp",
        Relay("127.0.0.1", "127.0.0.1", 2525),
        "sent",
        words,
        "to=<someone@outside.example>, ",
    )


def test_a_time_without_a_zone_is_that_of_the_zone_named() -> None:
    (summer,) = read("Jul  1 10:00:00 mx postfix/smtp[1]: 4D2F31A0B: " + SENT, zone=ZoneInfo("Europe/London"))
    assert isinstance(summer, Delivery)
    assert summer.at_ms == ms(2026, 7, 1, 9)


@pytest.mark.parametrize(
    ("tag", "instance", "agent"),
    [
        ("postfix/smtp[1]", "postfix", "smtp"),
        ("postfix-out/lmtp[1]", "postfix-out", "lmtp"),
        ("postfix/relay/smtp[1]", "postfix", "smtp"),
        ("mx.in/local[1]", "mx.in", "local"),
    ],
)
def test_instances_and_agents_are_told_apart(tag: str, instance: str, agent: str) -> None:
    for queue_id in ("4D2F31A0B", "4XyZk75Gq1z1rQm", "3mFgXz4zKDz2Tk"):
        (event,) = read(f"Nov 25 10:00:01 mx {tag}: {queue_id}: {SENT}")
        assert isinstance(event, Delivery)
        assert event.message == MessageId("mx", instance, queue_id)
        assert event.agent == agent


def test_a_message_s_life_is_told() -> None:
    head = "Nov 25 10:00:01 mx postfix"
    at_ms = ms(2026, 11, 25, 10, 0, 1)
    assert read(
        f"{head}/smtpd[1]: 4D2F31A0B: client=inside[10.0.0.3], sasl_username=tomas",
        f"{head}/pickup[1]: 4D2F31A0B: uid=0 from=<root>",
        f"{head}/cleanup[1]: 4D2F31A0B: message-id=<one@training.example>",
        f"{head}/qmgr[1]: 4D2F31A0B: from=<a@training.example>, size=10, nrcpt=1 (queue active)",
        f"{head}/bounce[1]: 4D2F31A0B: sender non-delivery notification: 5E6F7A8B9",
        f"{head}/qmgr[1]: 4D2F31A0B: from=<a@training.example>, status=expired, returned to sender",
        f"{head}/qmgr[1]: 4D2F31A0B: removed",
        f"{head}/smtpd[1]: connect from inside[10.0.0.3]",
    ) == [
        Arrival(MESSAGE, at_ms, "10.0.0.3"),
        Arrival(MESSAGE, at_ms, ""),
        Other(at_ms, "mx", "postfix"),
        Queued(MESSAGE, at_ms, 1),
        Notice(MESSAGE, at_ms, MessageId("mx", "postfix", "5E6F7A8B9")),
        Delivery(MESSAGE, at_ms, "qmgr", Relay("none", "", 0), "expired", ""),
        Removed(MESSAGE, at_ms),
        Other(at_ms, "mx", "postfix"),
    ]


def test_a_recipient_cannot_write_the_line_s_other_fields() -> None:
    forged = SENT.replace("someone@outside.example", "x").split("to=<x")[1]
    relay = "relay=evil[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
    quoted = f'to=<"x{forged}"@evil.example>, {relay}'
    (event,) = read(f"Nov 25 10:00:01 mx postfix/smtp[1]: 4D2F31A0B: {quoted}")
    assert isinstance(event, Delivery)
    assert event.relay == Relay("evil", "192.0.2.1", 25)
    unquoted = f"to=<x {forged.removeprefix('>, ')}@evil.example>, {relay}"
    assert isinstance(*read(f"Nov 25 10:00:01 mx postfix/smtp[1]: 4D2F31A0B: {unquoted}"), Unread)


def test_the_far_server_s_words_are_no_fields() -> None:
    words = f"host evil[192.0.2.1] said: 450 status=sent {SENT}"
    line = SENT.split("status=")[0] + f"status=deferred ({words})"
    (event,) = read(f"Nov 25 10:00:01 mx postfix/smtp[1]: 4D2F31A0B: {line}")
    assert isinstance(event, Delivery)
    assert event.status == "deferred"
    head = "Nov 25 10:00:01 mx postfix"
    for agent, said in (
        ("smtp", f"host evil[192.0.2.1] said: {SENT}"),
        ("cleanup", f"warning: header Subject: {SENT}"),
    ):
        assert read(f"{head}/{agent}[1]: 4D2F31A0B: {said}") == [Other(event.at_ms, "mx", "postfix")]


@pytest.mark.parametrize(
    "line",
    [
        "Nov 25 10:00:01 mx postfix/smtp[1]: 4D2F31A0B: " + SENT.replace("relay=", "rely="),
        "Nov 25 10:00:01 mx postfix/strange[1]: 4D2F31A0B: " + SENT,
        "Nov 25 10:00:01 mx postfix: 4D2F31A0B: " + SENT,
        "Xxx 25 10:00:01 mx postfix/smtp[1]: 4D2F31A0B: " + SENT,
        "Nov 31 10:00:01 mx postfix/smtp[1]: 4D2F31A0B: " + SENT,
        "2026-13-25T10:00:01 mx postfix/smtp[1]: 4D2F31A0B: " + SENT,
        "postfix/smtp[1]: 4D2F31A0B: " + SENT,
        "x" * 70_000 + SENT,
    ],
)
def test_what_may_be_a_delivery_and_is_not_understood_is_counted(line: str) -> None:
    assert [type(event) for event in read(line, "Nov 25 10:00:02 mx cron[1]: done")] == [Unread, Other]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_hostile_bytes_never_raise(pieces: list[bytes]) -> None:
    reader = LogReader(WRITTEN)
    for piece in pieces:
        list(reader.feed(piece))
    list(reader.close())


_LINE = f"Nov 25 10:00:01 mx postfix/smtp[12]: 4D2F31A0B: {SENT}"


@given(st.integers(0, len(_LINE)), st.integers(0, len(_LINE)), st.text(max_size=30))
def test_a_line_with_a_piece_exchanged_never_raises(start: int, end: int, text: str) -> None:
    for event in read(_LINE[:start] + text + _LINE[end:]):
        if isinstance(event, Delivery):
            assert re.fullmatch(r"[0-9A-Za-z]{5,24}", event.message.queue_id)


@given(st.integers(1, len(_LINE)))
def test_pieces_of_any_size_give_the_same_events(size: int) -> None:
    data = f"{_LINE}\n{_LINE}\r\n\n{_LINE}".encode()
    reader = LogReader(WRITTEN, ZoneInfo("UTC"))
    found = [e for at in range(0, len(data), size) for e in reader.feed(data[at : at + size])]
    assert [*found, *reader.close()] == read(_LINE) * 3
