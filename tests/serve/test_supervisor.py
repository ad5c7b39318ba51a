"""`muniment up` starts everything a home needs, and nothing of it outlives the one that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from muniment.cli.stage import Stage
from muniment.record.client import Recorder
from muniment.record.home import Home


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(Home(tmp_path / "home"))
    assert made.command("init", str(made.home.path), "--example").code == 0
    made.take_free_ports()
    return made


@contextmanager
def up(stage: Stage) -> Iterator[subprocess.Popen[str]]:
    """Run `muniment up` until the block ends; it has said that everything runs when the block begins."""
    command = [sys.executable, "-m", "muniment.cli", "up", "--home", str(stage.home.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    try:
        assert "everything runs" in process.stdout.readline()
        yield process
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def of_home(home: Home) -> list[int]:
    """Return the processes that have the home on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(home.path).encode() in words:
                found.append(int(entry.name))
    return found


def wait_for(condition, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_up_runs_everything_and_stops_it_when_asked(stage: Stage) -> None:
    with up(stage) as process:
        code, _ = stage.send(
            "inside", f"a@{stage.domain}", "b@outside.example", b"Subject: Hello\r\n\r\nHello\r\n"
        )
        assert code == 250
        assert len(stage.arrived()) == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert not of_home(stage.home)


def test_nothing_outlives_a_killed_up(stage: Stage) -> None:
    with up(stage) as process:
        assert len(of_home(stage.home)) >= 5
        process.kill()
        process.wait(20)
        wait_for(lambda: not of_home(stage.home))
    with up(stage), Recorder(stage.home.socket) as recorder:
        assert not recorder.status()["problems"]


@pytest.mark.parametrize("name", ["recorder", "gateway", "sink", "console"])
def test_when_one_ends_by_itself_everything_stops_and_says_which(stage: Stage, name: str) -> None:
    with up(stage) as process:
        [pid, *_] = [pid for pid in of_home(stage.home) if f"muniment.serve.{name}" in _command(pid)]
        os.kill(pid, signal.SIGKILL)
        assert process.wait(60) == 7
    wait_for(lambda: not of_home(stage.home))


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
