"""The recorder tells which messages it has, and states a reconciliation that the next checkpoint signs. R-2.1-b."""

from __future__ import annotations

import json

import msgspec
import pytest

from muniment.policy.errors import BadInput, Refused
from muniment.record.client import Recorder
from muniment.record.entry import Capture, Channel, Direction, Entry, Kind, Retention, Stream
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.note import parse_note
from muniment.record.open_entries import read_open
from muniment.record.opening import clock_ms
from muniment.record.statement.reconciliation import LogFile, Reconciliation, statement_of
from tests.record.recording import check_record, mail, make_home
from tests.record.test_server import serving

FILE = LogFile(name="mail.log", sha256="a" * 64, bytes=10, lines=2)


def outcome(about: int, said: str, reply: str) -> Entry:
    facts = {"format": 1, "hop": "127.0.0.1:2580", "outcome": said, "code": 250, "reply": reply}
    return Entry(
        stream=Stream.MAIL_OUTCOME,
        kind=Kind.OUTCOME,
        channel=Channel.SMTP,
        retention=Retention.MAIL,
        capture=Capture.WIRE,
        direction=Direction.OUTBOUND,
        facts=msgspec.msgpack.encode(facts),
        about=about,
    )


def test_presence_tells_which_numbers_exist_and_what_became_of_them(tmp_path):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        first, second, _ = recorder.append([mail(1), mail(2), mail(1)])
        recorder.append([outcome(first.index, "accepted", "2.0.0 Ok: queued as 4D2F31A0B")])
        recorder.append([outcome(second.index, "refused", "5.1.1 nobody here")])
        asked = [
            "mail-gateway/1",
            "mail-gateway/2",
            "mail-gateway/3",
            "mail-gateway/4",
            "keys/1",
            "x",
            "mail-gateway/01",
        ]
        found = recorder.present(asked)
        assert sorted(found) == ["mail-gateway/1", "mail-gateway/2", "mail-gateway/3"]
        one, two, three = (found[f"mail-gateway/{number}"] for number in (1, 2, 3))
        assert (one.outcome, one.queue_id, one.hop) == ("accepted", "4D2F31A0B", "127.0.0.1:2580")
        assert one.captured_ms == first.captured_ms <= one.told_ms
        assert (two.outcome, two.queue_id) == ("refused", "")
        assert (three.outcome, three.again, three.told_ms) == ("", "mail-gateway/1", 0)
        assert list(recorder.passing(0, clock_ms() + 1000)) == [one, two, three]
        assert list(recorder.passing(clock_ms() + 1000, 1 << 60)) == []
        with pytest.raises(BadInput, match="other arguments"):
            recorder._ask("presence", arguments={"numbers": ["mail-gateway/1"] * 1001})
    check_record(home)


def test_passing_goes_on_page_by_page(tmp_path):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        for _ in range(9):
            recorder.append([mail(number) for number in range(250)])
        found = list(recorder.passing(0, 1 << 60))
        assert [row.number for row in found] == [f"mail-gateway/{number}" for number in range(1, 2251)]
        assert len(recorder.present([row.number for row in found])) == 2250
    check_record(home)


def test_a_statement_is_an_open_entry_of_the_recorder_s_own(tmp_path):
    home = make_home(tmp_path)
    stated = Reconciliation(files=(FILE,), from_ms=1, until_ms=2, accepted=3, recorded=3, missing=0)
    with serving(home), Recorder(home.socket) as recorder:
        with pytest.raises(Refused):
            recorder.append([statement_of(stated, 1)])
        receipt, checkpoint = recorder.state(stated)
        assert receipt.stream is Stream.HEALTH
        assert parse_checkpoint(parse_note(checkpoint.encode()).text).size > receipt.index
    (entry,) = [entry for entry in read_open(home, Stream.HEALTH) if entry.sequence == receipt.sequence]
    table = json.loads(entry.plain)
    assert table["format"] == "muniment-reconciliation/1"
    assert (table["accepted"], table["size"], table["files"][0]["name"]) == (3, entry.index, "mail.log")
    check_record(home)


@pytest.mark.parametrize(
    "change",
    [
        {"recorded": 4},
        {"missing": 1},
        {"unnamed": 1},
        {"from_ms": 3},
        {"files": []},
        {"note": "all is well"},
        {"accepted": -1},
        {"handed_on": 1},
    ],
)
def test_figures_that_contradict_each_other_are_not_stated(tmp_path, change):
    home = make_home(tmp_path)
    stated = Reconciliation(files=(FILE,), from_ms=1, until_ms=2, accepted=3, recorded=3, missing=0)
    with serving(home), Recorder(home.socket) as recorder, pytest.raises(BadInput):
        recorder._ask("reconciled", arguments=msgspec.to_builtins(stated) | change)
    check_record(home)
