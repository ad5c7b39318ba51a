"""Silent streams are told once; status says what was reconciled, what is silent and what alarmed. R-2.1-b."""

from __future__ import annotations

import json

from muniment.policy.streams import StreamRow
from muniment.record.entry import Kind, Stream
from muniment.record.home import Home
from muniment.record.open_entries import read_open
from muniment.record.statement.reconciliation import LogFile, Reconciliation, statement_of
from muniment.record.statement.silence import HOUR_MS, silences
from tests.record.recording import START_MS, Clock, check_record, mail, make_home, recording
from tests.record.test_message_ids import LETTER, entry

SILENT = {"streams__0__silence_hours": 24}
GATEWAY = StreamRow(name="mail-gateway", silence_hours=24)


def told(home: Home) -> list[dict[str, object]]:
    tables = [json.loads(e.plain) for e in read_open(home, Stream.HEALTH) if e.kind == Kind.FACT]
    return [table for table in tables if table["format"] == "muniment-silence/1"]


def beat(record, clock: Clock, hours: float) -> None:
    """Let time pass as it does while the recorder runs."""
    for _ in range(int(hours)):
        clock.advance(seconds=3600)
        record.append([record.heartbeat()])
        record.tick()


def test_a_stream_is_silent_after_its_hours_and_not_before():
    last = {int(Stream.MAIL_GATEWAY): (7, START_MS)}
    due = START_MS + 24 * HOUR_MS
    assert list(silences([GATEWAY], last, 0, due - 1)) == []
    (found,) = silences([GATEWAY], last, 0, due)
    assert found == ("mail-gateway", 7, START_MS, 24)
    assert list(silences([GATEWAY], last, START_MS + 1, due)) == []
    assert list(silences([StreamRow(name="mail-gateway")], last, 0, due * 2)) == []
    assert [each.after for each in silences([GATEWAY], {}, START_MS, due)] == [0]


def test_a_silence_is_told_once_and_again_when_it_begins_anew(tmp_path):
    home, clock = make_home(tmp_path, **SILENT), Clock()
    with recording(home, clock) as record:
        record.append([mail(1)])
        beat(record, clock, 23)
        assert told(home) == [] and record.status()["silences"] == []
        beat(record, clock, 30)
        assert [(table["stream"], table["after"], table["hours"]) for table in told(home)] == [
            ("mail-gateway", 1, 24)
        ]
        assert record.status()["silences"] == [
            {"stream": "mail-gateway", "after": 1, "since_ms": START_MS, "hours": 24}
        ]
    with recording(home, clock) as record:
        beat(record, clock, 3)
        assert len(told(home)) == 1, "a restart tells it no second time"
        record.append([mail(2)])
        assert record.status()["silences"] == []
        beat(record, clock, 25)
        assert [table["after"] for table in told(home)] == [1, 2]
    check_record(home)


def test_time_in_which_the_recorder_did_not_run_is_no_silence(tmp_path):
    home, clock = make_home(tmp_path, **SILENT), Clock()
    with recording(home, clock) as record:
        record.append([mail(1)])
    clock.advance(days=3)
    with recording(home, clock) as record:
        beat(record, clock, 23)
        assert told(home) == []
        beat(record, clock, 1)
        assert [table["since_ms"] for table in told(home)] == [START_MS + 3 * 86_400_000]
        assert record.status()["gaps"] == 1, "the time without the recorder is a gap; a silence is none"
    check_record(home)


def test_status_says_the_last_reconciliation_and_the_newest_alarms_after_a_restart_too(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    file = LogFile(name="mail.log", sha256="a" * 64, bytes=1, lines=1)
    with recording(home, clock) as record:
        assert record.status()["reconciliation"] is None
        for accepted in (1, 2):
            stated = Reconciliation(
                files=(file,), from_ms=1, until_ms=2, accepted=accepted, recorded=accepted, missing=0
            )
            record.append([statement_of(stated, record.record.size)])
        for day in (b"Tuesday", b"Monday", b"Friday"):
            record.append([entry(LETTER.replace(b"Tuesday", day))])
        record.tick()
        before = record.status()
        assert before["reconciliation"]["accepted"] == 2 and before["reconciliation"]["tallies"] is True
        assert before["alarms"]["total"] == 2
        assert [each["entry"] for each in before["alarms"]["newest"]] == ["mail-gateway/3", "mail-gateway/2"]
    with recording(home, clock) as record:
        after = record.status()
        assert (after["reconciliation"], after["alarms"]) == (before["reconciliation"], before["alarms"])
    check_record(home)
