"""A room knows from the record and the clock alone whether its permit holds, and when nobody needs it any more."""

from __future__ import annotations

import json
import time

import pytest

from muniment.answer.look import LookBook
from muniment.answer.room_acts import IDLE_MS, RoomActs
from muniment.answer.room_open import RoomFiles
from muniment.answer.room_values import RoomState
from muniment.answer.room_watch import PermitWatch, marked_of
from muniment.answer.room_wire import Request
from muniment.answer.rooms import RoomPlace, end_all, is_running, start
from muniment.policy.errors import Refused
from muniment.record.client import Recorder
from muniment.record.entry import Entry, Kind, Stream
from tests.answer.room.granting import HANNAH, act, grant, letter, mark, recorded
from tests.record.recording import Clock


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with recorded(tmp_path_factory.mktemp("watch"), [letter(1, "One", "Text.")]) as found:
        yield found


def watch_of(house, granted, clock) -> PermitWatch:
    request = granted.request
    return PermitWatch(house.home, request.number, request.revision, clock.now_ms + 1000, clock)


@pytest.mark.parametrize(
    ("what", "said"), [("revoke", "revoked"), ("end", "ended"), ("withdraw", "withdrawn")]
)
def test_an_act_in_the_record_ends_it(house, what, said):
    granted = grant(house.home, number=f"2026-3{len(what):02}")
    watch = watch_of(house, granted, Clock())
    assert watch.look() == ""
    with Recorder(house.home.socket) as recorder:
        act(recorder, what, granted.request, "managing-director")
    assert said in watch.look()
    with pytest.raises(Refused, match=said) as refused:
        watch.require()
    assert refused.value.clause == "R-5.2-f"


def test_acts_on_others_and_what_is_no_act_change_nothing(house):
    granted, other = grant(house.home, number="2026-320"), grant(house.home, number="2026-321")
    watch = watch_of(house, granted, Clock())
    junk = [
        b"{}",
        b"[]",
        b"not json",
        b'{"number":"2026-320","act":"revoke"}',
        b'{"format":"x","number":"2026-320"}',
    ]
    plain = {"format": "other/1", "act": "revoke", "number": "2026-320", "revision": 1}
    entries = [
        *(Entry(stream=Stream.PERMITS, kind=Kind.APPROVAL, plain=data) for data in junk),
        Entry(stream=Stream.PERMITS, kind=Kind.APPROVAL, plain=json.dumps(plain).encode()),
    ]
    with Recorder(house.home.socket) as recorder:
        act(recorder, "revoke", other.request, "managing-director")
        recorder.append(entries)
    assert watch.look() == ""
    watch.require()


def test_the_clock_ends_it_without_an_act(house):
    clock = Clock()
    watch = watch_of(house, grant(house.home, number="2026-330"), clock)
    clock.advance(seconds=1)
    with pytest.raises(Refused, match="has ended"):
        watch.require()
    assert watch.look() == "has ended"


def test_the_newest_mark_of_an_entry_counts_and_nobody_lifts_anothers(house):
    mark(house.home, 3)
    mark(house.home, 4)
    mark(house.home, 4, "")
    mark(house.home, 5, by="tomas")
    mark(house.home, 5, by="dana")
    mark(house.home, 5, "", by="dana")
    mark(house.home, 6, "", by="dana")
    with Recorder(house.home.socket) as recorder:
        recorder.append([Entry(stream=Stream.NOTICES, kind=Kind.FACT, plain=b'{"format":"muniment-mark/1"}')])
    assert marked_of(house.home) == {3, 5}


def test_a_room_nobody_asks_anything_for_eight_hours_is_idle(house):
    granted, clock = grant(house.home, number="2026-340"), Clock()
    watch = PermitWatch(house.home, "2026-340", 1, clock.now_ms + 10 * IDLE_MS, clock)
    book = LookBook(house.home.socket, "2026-340", 1)
    acts = RoomActs(RoomFiles.read(granted.place), watch, book, clock, ["a fence"])
    clock.advance(seconds=IDLE_MS / 1000 - 1)
    assert not acts.is_idle()
    state = acts.answer(Request("state", HANNAH))  # looking whether it is open is no use of it
    assert isinstance(state, RoomState) and state.state == "locked"
    clock.advance(seconds=1)
    assert acts.is_idle()
    acts.end()
    assert acts.ended.is_set()
    assert book.answers()
    book.close()


def test_when_a_home_stops_its_rooms_end_at_once(house):
    granted = grant(house.home, number="2026-390")
    place = RoomPlace(house.home, "2026-390", 1)
    start(place)
    assert is_running(place)
    assert end_all(house.home) >= 1
    deadline = time.monotonic() + 20
    while place.socket.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(place)
    assert end_all(house.home) == 0
    with granted.entered() as client:  # and its six words open it again
        assert client.state().state == "locked"
