"""The recorder's real process answers select, listing and release over its socket, and refuses with a clause."""

from __future__ import annotations

import base64

import pytest

from muniment.policy.errors import BadInput, Refused
from muniment.record import wire
from muniment.record.client import Recorder
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.inquiry.listing import Listing
from muniment.record.open_entries import read_open
from muniment.record.opening import clock_ms
from muniment.record.permit_selection import parse_selection
from muniment.record.released import ReleasedView
from muniment.record.selection import Window
from tests.record.asking import TOMAS, act, approve, query, request_for
from tests.record.recording import check_record, mail, make_home, message
from tests.record.test_server import serving


def test_a_permit_is_asked_approved_and_opened_over_the_socket(tmp_path):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        receipts = recorder.append([mail(1), mail(2), mail(3)])
        recorder.publish()
        found = recorder.select(query())
        assert [item.idx for item in parse_selection(found.selection)] == [r.index for r in receipts]
        assert dict(found.by_address) == {TOMAS: 3} and found.entries == 3
        now = clock_ms()
        permit = approve(home, request_for(found, query(), now), found.selection, now)
        recorder.append([permit.asking])
        claim = (permit.request, permit.approval, permit.signature, permit.selection)
        with pytest.raises(Refused, match="does not hold this approval") as caught:
            recorder.release(*claim)
        assert caught.value.clause == "R-5.2-f" and str(caught.value).count("(clause") == 1
        recorder.append([permit.approving])
        releasing = recorder.release(*claim)
        view = ReleasedView(home, permit.covers, releasing, releasing.blobs)
        assert [view.open_faces(r.index)[0] for r in receipts] == [message(n) for n in (1, 2, 3)]
        recorder.append([act("revoke", reason="enough")])
        with pytest.raises(Refused, match="its revoke"):
            recorder.release(*claim)
        acts = list(read_open(home, Stream.PERMITS))
        assert [a.sequence for a in acts] == [1, 2, 3] and b'"revoke"' in acts[-1].plain
        assert list(read_open(home, Stream.PERMITS, after=3)) == []
    check_record(home)


def test_a_smaller_size_selects_on_the_ledger_as_it_was(tmp_path):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        recorder.append([mail(1)])
        before = recorder.publish().split("\n")
        recorder.append([mail(2)])
        recorder.publish()
        found = recorder.select(query(size=int(before[1])))
        assert (found.entries, found.size) == (1, int(before[1]))
        assert found.root == base64.b64decode(before[2])
        with pytest.raises(BadInput, match="and never 1000"):
            recorder.select(query(size=1000))
    check_record(home)


def test_what_is_not_yet_in_a_checkpoint_is_not_selected(tmp_path):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        recorder.publish()
        recorder.append([mail(1)])
        assert recorder.select(query()).entries == 0
        recorder.publish()
        assert recorder.select(query()).entries == 1
    check_record(home)


def test_a_listing_gives_numbers_and_sizes_the_newest_first(tmp_path):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        recorder.append([mail(n) for n in range(1, 6)])
        asked = Listing(
            windows=(Window(TOMAS), Window("someone1@outside.example")),
            from_ms=0,
            until_ms=2**42,
            streams=("mail-gateway",),
            most=2,
        )
        listed = recorder.listing(asked)
        assert [row.number for row in listed.rows] == ["mail-gateway/5", "mail-gateway/4"]
        assert listed.total == 5
        assert [row.size for row in listed.rows] == [len(message(5)), len(message(4))]
    check_record(home)


def test_an_open_entry_is_read_without_the_recorder(tmp_path):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        recorder.append([Entry(stream=Stream.NOTICES, kind=Kind.FACT, plain=b'{"a":1}'), mail(1)])
    [found] = read_open(home, Stream.NOTICES)
    assert (found.kind, found.plain) == (Kind.FACT, b'{"a":1}')
    assert list(read_open(home, Stream.MAIL_GATEWAY)) == []
    check_record(home)


@pytest.mark.parametrize("operation", ["select", "release", "listing"])
def test_other_arguments_are_bad_input_and_the_recorder_goes_on(tmp_path, operation: str):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        for arguments in ({}, {"windows": 5}, {"x": [[[]]]}, {"windows": (), "from_ms": 2**64 - 1}):
            with pytest.raises(BadInput):
                recorder._ask(operation, arguments=arguments)
        recorder.append([mail(1)])
    check_record(home)


@pytest.mark.parametrize(
    "stream", [Stream.KEYS, Stream.HEALTH, Stream.RETENTION, Stream.POLICY, Stream.MAIL_ATTACHMENT]
)
def test_nobody_states_an_officer_or_a_policy_over_the_socket(tmp_path, stream: Stream):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        own = list(read_open(home, stream))
        forged = own[0].plain if own else b"{}"
        with pytest.raises(Refused, match=r"the recorder itself.*R-2\.1-b"):
            recorder.append([mail(1), Entry(stream=stream, kind=Kind.EPOCH, plain=forged)])
        assert [entry for entry in read_open(home, stream) if entry.plain == forged] == own[:1]
        assert recorder.append([mail(1)])[0].sequence == 1
    check_record(home)


def test_an_error_comes_over_the_socket_as_what_it_was():
    for error in (Refused("no", clause="R-5.2-g"), BadInput("what")):
        with pytest.raises(type(error)) as caught:
            wire.parse_reply(wire.frame(wire.reply_of(error))[4:])
        assert str(caught.value) == str(error)
