"""The clockwork runs the backup when it is due, and at once when something was forgotten. R-5.1-a."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment.policy.errors import Missing
from muniment.record.backup.run import newest
from muniment.record.backup.sealing import Seals, root_of
from muniment.record.backup.target import Directory
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.opening import clock_ms
from muniment.serve.backups import BackupRuns, is_due
from muniment.serve.clockwork import Clockwork
from tests.record.recording import SECRET, Clock, check_record, mail, make_home, recording
from tests.record.test_server import serving

HOUR_MS = 3_600_000


def backed(path: Path, **backup: object) -> tuple[Home, Path]:
    folder = path / "backup"
    folder.mkdir()
    return make_home(path, Clock(clock_ms() - HOUR_MS), backup__to=str(folder), **backup), folder


def runs_of(folder: Path) -> int:
    found = newest(Directory(folder), Seals(root_of(SECRET)))
    return found.run if found else 0


def test_a_backup_is_due_at_its_interval_elsewhere_and_after_a_turn():
    copied = {"where": "/b", "time_ms": 1000}
    status = {"copied": copied, "must_forget": False}
    assert is_due({"copied": None, "must_forget": False}, "/b", 1, 1000)
    assert not is_due(status, "/b", 1, 999 + HOUR_MS)
    assert is_due(status, "/b", 1, 1000 + HOUR_MS)
    assert not is_due(status, "/b", 24, 1000 + HOUR_MS)
    assert is_due(status, "/c", 1, 1000)
    assert is_due(status | {"must_forget": True}, "/b", 1, 1000)


def test_the_clockwork_backs_up_once_an_interval_and_at_once_after_a_turn(tmp_path: Path):
    home, folder = backed(tmp_path)
    clock = Clock(clock_ms())
    with serving(home), Recorder(home.socket) as recorder:
        [receipt] = recorder.append([mail(1)])
        runs = BackupRuns(home, clock)
        runs.look()
        runs.wait()
        assert runs_of(folder) == 1
        runs.look()
        runs.wait()
        assert runs_of(folder) == 1
        clock.advance(seconds=2 * 3600)
        runs.look()
        runs.wait()
        assert runs_of(folder) == 2
    with recording(home, Clock(clock_ms())) as opened:
        row = opened.record.parts.catalogue.row(receipt.index)
        opened.retention.erase([row.idx], authority="Exampletown County Court", clause="R-5.1-a")
    clock.now_ms = clock_ms()
    with serving(home), Recorder(home.socket) as recorder:
        assert recorder.status()["backup"]["must_forget"]
        runs.look()
        runs.wait()
        assert runs_of(folder) == 3
        assert not recorder.status()["backup"]["must_forget"]
    check_record(home)


def test_a_run_that_fails_is_said_and_tried_ten_minutes_later(tmp_path: Path):
    home, folder = backed(tmp_path)
    folder.rmdir()
    clock = Clock(clock_ms())
    with serving(home):
        runs = BackupRuns(home, clock)
        runs.look()
        with pytest.raises(Missing, match="mount it"):
            runs.wait()
        folder.mkdir()
        runs.look()
        runs.wait()
        assert runs_of(folder) == 0
        clock.advance(seconds=601)
        runs.look()
        runs.wait()
        assert runs_of(folder) == 1
    check_record(home)


def test_without_a_place_nothing_is_backed_up_and_nothing_is_said(tmp_path: Path):
    home = make_home(tmp_path)
    runs = BackupRuns(home, Clock())
    runs.look()
    runs.wait()
    assert not (home.run / "backup.lock").exists()


def test_the_clockwork_can_be_ended_while_a_run_is_under_way(tmp_path: Path):
    home, folder = backed(tmp_path)
    said: list[str] = []
    with serving(home):
        clockwork = Clockwork(home, said.append, Clock(clock_ms()))
        clockwork._back_up()
        clockwork.stop()
        again = BackupRuns(home, Clock(clock_ms()))
        again.look()
        again.wait()
        assert runs_of(folder) >= 1
    assert said == []
    check_record(home)
