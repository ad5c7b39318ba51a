"""The person looked at is told: once, at five, of their own, and not while an order holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from muniment.account import notices
from muniment.account.notice_text import Notice
from muniment.account.notices import deliver_due
from muniment.account.trail import Trail, trail_of
from muniment.answer.look import Look, look_entry
from muniment.answer.room_wire import Looker
from muniment.permit.delays import delay_notice, end_delay
from muniment.policy.errors import Unavailable
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.open_entries import read_open
from tests.permit.desk import OUTSIDE, STELLA, TOMAS, Desk

HOURS, DAYS = 3600, 86_400


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Take the messages that would go out: the network is not there."""
    found: list[str] = []
    monkeypatch.setattr(notices, "send", lambda policy, address, index, now: found.append(address))
    yield found


def now(desk: Desk) -> datetime:
    return datetime.fromtimestamp(desk.clock() / 1000, UTC)


def approved(desk: Desk, *also: str) -> str:
    about = tuple(desk.person(name) for name in ("tomas", *also))
    number = desk.ask(people=about).permit.number
    desk.approve(number)
    return number


def read(desk: Desk, number: str, *entries: int, act: str = "content") -> None:
    """Record what a room records before it shows a message."""
    looker = Looker(str(desk.person("ida").pk), "Ida Byte", "it_support")
    desk.office.recorder.append(
        [look_entry(number, 1, looker, Look(act=act, entries=entries, reason="secret why"))]
    )


def told(desk: Desk, name: str = "tomas") -> list[Notice]:
    return list(trail(desk).notices_of(str(desk.person(name).pk)))


def trail(desk: Desk) -> Trail:
    return trail_of(desk.home)


def test_a_notice_goes_out_at_five_and_only_once(desk: Desk, sent: list[str]) -> None:
    index = desk.mail(TOMAS, OUTSIDE)
    number = approved(desk)
    read(desk, number, index)
    assert deliver_due(desk.home, now(desk)).recorded == 0
    desk.clock.advance(seconds=7 * HOURS)
    assert deliver_due(desk.home, now(desk)) == notices.Delivered(1, 1)
    assert deliver_due(desk.home, now(desk)) == notices.Delivered(0, 0)
    [notice] = told(desk)
    assert (notice.permit, notice.officer, notice.entries, notice.roles) == (
        number,
        "managing-director",
        1,
        ("IT support",),
    )
    assert sent == [TOMAS]


def test_a_notice_names_nobody_who_asked_no_case_no_reason_and_no_other_person(desk: Desk) -> None:
    index = desk.mail(TOMAS, STELLA)
    number = approved(desk, "stella")
    read(desk, number, index)
    desk.clock.advance(seconds=7 * HOURS)
    deliver_due(desk.home, now(desk))
    texts = [entry.plain for entry in read_open(desk.home, Stream.NOTICES)]
    mine = next(text for text in texts if str(desk.person("tomas").pk).encode() in text)
    for hidden in (
        str(desk.person("ida").pk),
        "Ida",
        "2026/17",
        "Orders",
        "secret",
        str(desk.person("stella").pk),
    ):
        assert hidden.encode() not in mine


def test_each_is_told_of_their_own_only(desk: Desk) -> None:
    his, hers, both = desk.mail(TOMAS, OUTSIDE), desk.mail(STELLA, OUTSIDE), desk.mail(TOMAS, STELLA)
    number = approved(desk, "stella")
    read(desk, number, hers)
    desk.clock.advance(seconds=7 * HOURS)
    deliver_due(desk.home, now(desk))
    assert (len(told(desk)), told(desk, "stella")[0].entries) == (0, 1)
    read(desk, number, his, both)
    desk.clock.advance(days=1)
    deliver_due(desk.home, now(desk))
    assert told(desk)[0].entries == 2
    assert [notice.entries for notice in told(desk, "stella")] == [1, 2]


def test_new_looks_are_told_again_and_the_same_ones_are_not(desk: Desk) -> None:
    first, second = desk.mail(TOMAS, OUTSIDE), desk.mail(TOMAS, OUTSIDE)
    number = approved(desk)
    read(desk, number, first)
    for _ in range(3):
        desk.clock.advance(days=1)
        deliver_due(desk.home, now(desk))
    assert [notice.entries for notice in told(desk)] == [1]
    read(desk, number, second)
    desk.clock.advance(days=1)
    deliver_due(desk.home, now(desk))
    assert [notice.entries for notice in told(desk)] == [1, 2]


def test_an_order_keeps_it_back_and_when_it_ends_the_delay_is_told_too(desk: Desk, sent: list[str]) -> None:
    """R-5.3-c"""
    index = desk.mail(TOMAS, OUTSIDE)
    number = approved(desk)
    until = desk.clock() + 30 * DAYS * 1000
    delay_notice(desk.office, number, "managing-director", until, "prejudice", "He would delete it.")
    read(desk, number, index)
    for _ in range(29):
        desk.clock.advance(days=1)
        deliver_due(desk.home, now(desk))
    assert told(desk) == [] and sent == []
    desk.clock.advance(days=1)
    deliver_due(desk.home, now(desk))
    [notice] = told(desk)
    assert (notice.entries, notice.delayed_until_ms) == (1, until)


def test_an_order_taken_back_early_lets_the_notice_out(desk: Desk) -> None:
    index = desk.mail(TOMAS, OUTSIDE)
    number = approved(desk)
    until = desk.clock() + 30 * DAYS * 1000
    delay_notice(desk.office, number, "managing-director", until, "prejudice", "He would delete it.")
    read(desk, number, index)
    desk.clock.advance(days=2)
    end_delay(desk.office, number, "managing-director", "Spoken to him.")
    deliver_due(desk.home, now(desk))
    assert told(desk)[0].delayed_until_ms == desk.clock()


def test_a_message_that_could_not_go_is_sent_by_the_next_run_and_the_notice_not_repeated(
    desk: Desk, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("the gateway does not answer")

    index = desk.mail(TOMAS, OUTSIDE)
    number = approved(desk)
    read(desk, number, index)
    desk.clock.advance(seconds=7 * HOURS)
    with monkeypatch.context() as broken:
        broken.setattr(notices, "send", fail)
        with pytest.raises(Unavailable, match="1 notices were recorded and not mailed"):
            deliver_due(desk.home, now(desk))
    assert deliver_due(desk.home, now(desk)) == notices.Delivered(0, 1)
    assert len(told(desk)) == 1 and sent == [TOMAS]


def test_looks_under_a_permit_nobody_approved_tell_nothing(desk: Desk) -> None:
    index = desk.mail(TOMAS, OUTSIDE)
    number = desk.ask().permit.number
    read(desk, number, index)
    desk.clock.advance(days=1)
    assert deliver_due(desk.home, now(desk)).recorded == 0


def test_nonsense_in_the_streams_stops_nobody_from_being_told(desk: Desk, sent: list[str]) -> None:
    index = desk.mail(TOMAS, OUTSIDE)
    number = approved(desk)
    read(desk, number, index)
    forged = json.dumps(json.loads(_forged()))
    for stream, kind in ((Stream.LOOKS, Kind.LOOK), (Stream.NOTICES, Kind.FACT)):
        for plain in (b"{}", b'"x"', b"[1]", b'{"format":"muniment-mark/9"}', forged.encode()):
            desk.office.recorder.append([Entry(stream=stream, kind=kind, plain=plain)])
    desk.clock.advance(days=1)
    deliver_due(desk.home, now(desk))
    assert len(told(desk)) == 1 and sent == [TOMAS]
    assert trail(desk).unreadable["notices"] >= 4


def _forged() -> str:
    notice = Notice(
        person="nobody at all",
        permit="2026-999",
        revision=1,
        officer="x",
        roles=(),
        purpose="other",
        entries=1,
        first_ms=0,
        last_ms=0,
        looks_below=1,
        delayed_until_ms=0,
        at_ms=2**50,
    )
    from muniment.account.notice_text import entry_of

    return entry_of(notice).plain.decode()
