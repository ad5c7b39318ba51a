"""A permit ends, nobody decides for themselves, and pages are asked for anew: rules 3 and 4. R-5.2-f, R-5.2-g."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from muniment.policy.errors import BadInput, Missing, MunimentError, Refused
from muniment.record.opening import OpenRecord
from muniment.record.permit_text import NO_ROOM_KEY, PermitWindow, Requester
from tests.record.asking import (
    TOMAS,
    Permit,
    act,
    approve,
    permitted,
    query,
    release,
    request_for,
    selected,
)
from tests.record.recording import DAY_MS, Clock, check_record, mail, make_home, recording


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def record(tmp_path, clock: Clock) -> Iterator[OpenRecord]:
    """A record with Tomás' mail and that of others between."""
    home = make_home(tmp_path, clock)
    with recording(home, clock) as opened:
        opened.append([mail(n) for n in range(4)])
        other = msgspec.structs.replace(mail(9), addresses=("stella@training.example",))
        opened.append([other, mail(5)])
        yield opened
    check_record(home)


def record_it(record: OpenRecord, permit: Permit) -> Permit:
    record.append([permit.asking, permit.approving])
    return permit


# --- ways round rule 3


@pytest.mark.parametrize("name", ["revoke", "end", "withdraw", "refuse"])
def test_what_is_over_stays_over_even_when_it_is_asked_and_approved_again(record: OpenRecord, name: str):
    permit = permitted(record)
    record.append([act(name, reason="enough")])
    with pytest.raises(Refused, match=f"its {name}"):
        release(record, permit)
    record_it(record, permit)
    with pytest.raises(Refused, match=f"its {name}"):
        release(record, permit)


def test_an_act_on_another_permit_ends_nothing(record: OpenRecord):
    permit = permitted(record)
    record.append([act("revoke", number="2026-004", reason="x"), act("absent", number="", revision=0)])
    assert list(release(record, permit))


def test_a_permit_ends_at_its_minute_by_the_records_clock(record: OpenRecord, clock: Clock):
    permit = permitted(record)
    clock.advance(days=7, seconds=-1)
    assert list(release(record, permit))
    clock.advance(seconds=1)
    with pytest.raises(Refused, match="ended by itself"):
        release(record, permit)


def test_setting_the_clock_back_revives_nothing(record: OpenRecord, clock: Clock):
    permit = permitted(record)
    clock.advance(days=8)
    record.append([mail(7)])
    clock.advance(days=-8)
    with pytest.raises(Refused, match="ended by itself"):
        release(record, permit)


@pytest.mark.parametrize("days", [6, 8, 365])
def test_an_approval_for_other_days_than_were_asked_is_refused(record: OpenRecord, days: int):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    request = request_for(found, query(), now)
    permit = approve(record.home, request, found.selection, now, ends_ms=now + days * DAY_MS)
    record_it(record, permit)
    with pytest.raises(Refused, match="approved for another time"):
        release(record, permit)


@pytest.mark.parametrize("days", [-1.1, 1.1])
def test_an_approval_decided_long_before_or_after_it_was_recorded_is_refused(record: OpenRecord, days: float):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    request, decided = request_for(found, query(), now), now + int(days * DAY_MS)
    permit = approve(
        record.home,
        request,
        found.selection,
        now,
        decided_ms=decided,
        ends_ms=decided + request.days * DAY_MS,
    )
    record_it(record, permit)
    with pytest.raises(Refused, match="more than a day"):
        release(record, permit)


# --- ways round rule 4, and others


def requester(address: str) -> Requester:
    return Requester(id="x", name="X", role="managing_director", addresses=("x@training.example", address))


def window(address: str) -> PermitWindow:
    return PermitWindow(address=address, start_ms=0, end_ms=5, person="")


@pytest.mark.parametrize(
    "change",
    [
        {"requester": requester("morgan@training.example")},
        {"requester": requester("MORGAN@Training.Example")},
        {"windows": (window(TOMAS), window("morgan@training.example"))},
        {"windows": (window(TOMAS), window(" <Morgan@training.example> "))},
    ],
)
def test_nobody_approves_a_look_of_their_own_or_at_themselves(record: OpenRecord, change: dict[str, Any]):
    permit = permitted(record, **change)
    with pytest.raises(Refused, match=r"alternate, decides \(clause R-5\.2-g\)"):
        release(record, permit)


def test_an_exemption_opens_nothing(record: OpenRecord):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    request = request_for(
        found, query(), now, kind="exemption", sites=("news.example",), room_key=NO_ROOM_KEY
    )
    permit = approve(record.home, request, found.selection, now, release_sha256="")
    record_it(record, permit)
    with pytest.raises(Refused, match="opens nothing of the record"):
        release(record, permit)


def test_a_look_approved_without_a_release_opens_nothing(record: OpenRecord):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    permit = approve(record.home, request_for(found, query(), now), found.selection, now, release_sha256="")
    record_it(record, permit)
    with pytest.raises(Refused, match="opens nothing of the record"):
        release(record, permit)


def test_shielded_entries_need_a_permit_of_their_own(record: OpenRecord):
    record.append([msgspec.structs.replace(mail(20), shielded="union")])
    record.publish()
    found, now = selected(record, query(is_shielded=True)), record.record.now_ms()
    assert (found.entries, found.shielded) == (1, 5)
    dressed = request_for(found, query(), now)
    permit = record_it(record, approve(record.home, dressed, found.selection, now))
    with pytest.raises(Refused, match="the words of the request do not cover"):
        release(record, permit)


@pytest.mark.parametrize(
    "change",
    [
        {"request": "{}"},
        {"approval": "[]"},
        {"first": -1},
        {"most": 0},
        {"most": 10**9},
        {"selection": b"x"},
        {"surplus": 1},
        {"signature": 5},
    ],
)
def test_strange_arguments_are_bad_input(record: OpenRecord, change: dict[str, Any]):
    permit = permitted(record)
    with pytest.raises(MunimentError) as caught:
        release(record, permit, **change)
    assert isinstance(caught.value, BadInput)


def test_a_page_without_a_selection_is_asked_for_again(record: OpenRecord):
    permit = permitted(record)
    with pytest.raises(Missing, match="send it with the first page"):
        release(record, permit, selection=None)


def test_pages_join_to_the_whole(record: OpenRecord, monkeypatch: pytest.MonkeyPatch):
    permit = permitted(record)
    whole = list(release(record, permit))
    monkeypatch.setattr("muniment.record.inquiry.pages.PAGE_ITEMS", 2)
    assert list(release(record, permit)) == whole


def test_a_permit_revoked_between_two_pages_gives_no_second(
    record: OpenRecord, monkeypatch: pytest.MonkeyPatch
):
    permit = permitted(record)
    monkeypatch.setattr("muniment.record.inquiry.pages.PAGE_ITEMS", 2)
    items: Callable[[], object] = iter(release(record, permit)).__next__
    items(), items()
    record.append([act("revoke", reason="enough")])
    with pytest.raises(Refused, match="its revoke"):
        items()
