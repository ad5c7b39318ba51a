"""The clockwork ends what is over, drafts what is to be renewed, and repeats nothing however often it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from muniment.people.register import import_people
from muniment.permit.delays import delay_notice
from muniment.permit.office import Office
from muniment.permit.replay import read_history
from muniment.permit.rows import check_rows
from muniment.permit.state import Doing
from muniment.policy.policyfile import load
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.opening import clock_ms
from muniment.site import prepare
from muniment.site.database import sqlite
from tests.people.database import connected
from tests.people.files import people_file
from tests.permit.desk import OUTSIDE, PEOPLE, TOMAS, Desk, serving
from tests.record.recording import DAY_MS, Clock, check_record, make_home

SECONDS = 60.0


def started(home: Home, said: Path) -> subprocess.Popen[bytes]:
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("MUNIMENT", "DJANGO"))}
    with said.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "muniment.serve.clockwork", str(home.path)],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
        )


def await_(holds: Callable[[], bool], said: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)


def acts(home: Home) -> Counter[str]:
    history = read_history(home)
    return Counter(event.act.act.value for each in history.permits.values() for event in each.events)


def test_what_is_due_is_done_once_however_often_the_clockwork_is_killed(tmp_path: Path) -> None:
    """R-5.2-f, R-5.3-c"""
    clock = Clock(clock_ms() - 8 * DAY_MS)
    home, said = make_home(tmp_path, clock), tmp_path / "said"
    prepare(home)
    with connected(sqlite(home.console_db)), serving(home, clock), Recorder(home.socket) as recorder:
        now = datetime.fromtimestamp(clock() / 1000).astimezone()
        import_people(people_file(*PEOPLE), moment=now, example=True)
        desk = Desk(home, clock, Office(home, load(home.policy_file), recorder, clock))
        desk.mail(TOMAS, OUTSIDE)
        times = {"start": now - timedelta(days=30), "until": now + timedelta(days=20)}
        over = desk.ask(**(times | {"days": 2, "until": now})).permit.number
        going_on = desk.ask(**(times | {"days": 31})).permit.number
        for number in (over, going_on):
            desk.approve(number)
        delay_notice(
            desk.office, over, "managing-director", clock() + DAY_MS, "prejudice", "He would delete it."
        )
        clock.advance(days=8)  # a row that is missing is made for an act of the last hour only
        for pause in (0.6, 0.9, 1.2, 1.5, 2.0):
            process = started(home, said)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=SECONDS)
        process = started(home, said)
        assert process.stdout is not None and process.stdout.readline().startswith(b"ready")
        await_(
            lambda: acts(home)["end"] == 1 and acts(home)["ask"] == 3 and acts(home)["end-delay"] == 1, said
        )
        await_(lambda: check_rows(home) == [], said)
        process.terminate()
        process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        assert acts(home) == {"ask": 3, "approve": 2, "delay": 1, "end": 1, "end-delay": 1}
        renewal = read_history(home).permits["2026-003"]
        assert renewal.request.parent == going_on and renewal.events[0].act.act is Doing.ASK
    check_record(home)


def test_the_clockwork_says_what_it_cannot_do_once_and_goes_on(tmp_path: Path) -> None:
    """No recorder answers; mail must not stop for that."""
    home, said = make_home(tmp_path, clock_ms), tmp_path / "said"
    prepare(home)
    process = started(home, said)
    await_(lambda: b"the recorder does not answer" in said.read_bytes(), said)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=SECONDS)
    assert process.returncode == 0


def test_the_clockwork_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    home, said = make_home(tmp_path, clock_ms), tmp_path / "said"
    process = started(home, said)
    assert process.stdout is not None and process.stdout.readline().startswith(b"ready")
    time.sleep(0.3)
    process.terminate()
    process.communicate(timeout=SECONDS)
    assert process.returncode == 0
