"""Sealing on another core: the same bytes, and nothing lost however a worker ends.

Source: docs/decisions/0021-sealing-on-another-core.md; R-5.1-a.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from muniment.record.client import Recorder
from muniment.record.entry import Kind
from muniment.record.line import VERSION, Line
from muniment.record.seal import Seeds
from muniment.record.sealing import InPlace, Job, Place, Sealed, SealingLost
from muniment.serve.sealing_crew import MOST_WORKERS, Crew, spare_cores
from tests.record.recording import check_record, contents, mail, make_home, officer_view, recording
from tests.serve.house import house

SECONDS = 60.0


def _letters(count: int) -> list[bytes]:
    """Return letters of 6 KB, so many that a batch of them is worth sharing out."""
    return [b"Subject: %d\r\n\r\n" % number + b"Please return the form.\r\n" * 240 for number in range(count)]


def _jobs(count: int, size: int = 6_000) -> list[Job]:
    seeds = Seeds(bytes(32), bytes(range(32)), b"k" * 32)
    told = Line(VERSION, 2, size, 0, False, b"t" * 24, b"c" * 16, None, (), 0)
    return [
        Job(
            mail(at, content=b"%d\r\n" % at * (size // 4)),
            Place(1, at, 2, 3, at, bytes(32)),
            seeds,
            told,
            b"s" * 16,
            3,
        )
        for at in range(count)
    ]


def _until(is_so: Callable[[], bool]) -> None:
    """Wait until something another process does has happened."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        select.select([], [], [], 0.01)


def _ready(crew: Crew) -> None:
    _until(lambda: crew.count_ready() == 1)


def _ended(pid: int) -> bool:
    """Tell whether a process is gone, or waits only for somebody to ask how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class _Meanwhile(InPlace):
    """Does something to the worker while the recorder seals its own part of the first batch."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act: Callable[[], None] | None = act

    def seal(self, jobs: Sequence[Job]) -> list[Sealed]:
        act, self._act = self._act, None
        if act:
            act()
        return super().seal(jobs)


def test_a_worker_makes_the_same_bytes() -> None:
    jobs = _jobs(64)
    with Crew(1) as crew:
        _ready(crew)
        for _ in range(3):
            assert crew.seal(jobs) == InPlace().seal(jobs)
        assert crew.state == "in the recorder's process and 1 of 1 beside it"


def test_parts_larger_than_a_pipe_pass_through_several_workers() -> None:
    jobs = _jobs(6, 3 << 20)
    with Crew(2) as crew:
        _until(lambda: crew.count_ready() == 2)
        assert crew.seal(jobs) == InPlace().seal(jobs)


def test_one_message_is_sealed_here_even_if_the_worker_stands_still() -> None:
    with Crew(1) as crew:
        _ready(crew)
        os.kill(crew.pids[0], signal.SIGSTOP)
        assert crew.seal(_jobs(1)) == InPlace().seal(_jobs(1))
        os.kill(crew.pids[0], signal.SIGCONT)


def test_a_stop_meant_for_the_recorder_leaves_the_worker_at_work() -> None:
    with Crew(1) as crew:
        _ready(crew)
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(crew.pids[0], number)
        assert crew.seal(_jobs(40)) == InPlace().seal(_jobs(40))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_killed_or_hung_under_load_loses_nothing_and_no_key_is_used_twice(
    tmp_path: Path, end: signal.Signals
) -> None:
    home = make_home(tmp_path)
    letters = _letters(120)
    with Crew(1, reply_seconds=0.5, retry_seconds=0) as crew, recording(home) as record:
        _ready(crew)
        pid = crew.pids[0]
        os.kill(pid, signal.SIGSTOP)  # so that it is still at its part when it is ended
        crew.here = _Meanwhile(lambda: os.kill(pid, end))
        record.record.parts.sealer = crew
        # The batch that opens an epoch is sealed here, whatever its size.
        receipts = list(record.append([mail(n, content=letters[n]) for n in range(40)]))
        assert crew.pids == [pid]
        for at in range(40, len(letters), 40):
            entries = [mail(n, content=letters[n]) for n in range(at, at + 40)]
            receipts += record.append(entries)
        assert _ended(pid)
        _ready(crew)
        assert crew.pids != [pid]
    found = contents(home)
    assert [found[receipt.index] for receipt in receipts] == letters
    with officer_view(home) as view:
        positions = [view.catalogue.row(receipt.index).position for receipt in receipts]
        # 41 positions for the first batch and the opening of its epoch; the 40 after them are burnt.
        assert positions == [*range(1, 41), *range(81, 161)]
        gaps = [json.loads(view.open(row.idx).plain) for row in view.catalogue.rows("kind = ?", (Kind.GAP,))]
    assert [gap["cause"] for gap in gaps] == ["sealing beside the recorder was lost; it was done again"]
    check_record(home)


def test_what_a_worker_cannot_seal_is_lost_and_then_fails_here() -> None:
    jobs = _jobs(40)
    jobs[0] = jobs[0]._replace(place=jobs[0].place._replace(captured_ms=-1))
    with Crew(1) as crew:
        _ready(crew)
        with pytest.raises(SealingLost, match="a sealing process failed: error"):
            crew.seal(jobs)
        with pytest.raises(struct.error):
            crew.seal(jobs)
        assert crew.pids == []


def test_without_a_second_core_or_a_process_all_is_sealed_here() -> None:
    jobs = _jobs(40)
    with Crew(0) as crew:
        assert crew.seal(jobs) == InPlace().seal(jobs)
        assert (
            crew.state == "in the recorder's own process: the other cores are needed for what hands it mail"
        )
    with Crew(1, command=["/nonexistent/python"]) as crew:
        assert crew.seal(jobs) == InPlace().seal(jobs)
        assert "no process could be started: No such file or directory" in crew.state
    with Crew(1, command=["/bin/true"]) as crew:
        _until(lambda: crew.seal(jobs) == InPlace().seal(jobs) and crew.pids == [])
        assert crew.state.endswith("a sealing process did not start")


def test_a_worker_holds_no_descriptor_of_ours_and_leaves_no_core(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("wb") as ours, Crew(1) as crew:
        os.set_inheritable(ours.fileno(), True)
        _ready(crew)
        process = Path(f"/proc/{crew.pids[0]}")
        assert sorted(path.name for path in (process / "fd").iterdir()) == ["0", "1", "2"]
        limit = next(
            line for line in (process / "limits").read_text().splitlines() if line.startswith("Max core")
        )
        assert limit.split()[4:6] == ["0", "0"]
        names = {line.split(b"=")[0] for line in (process / "environ").read_bytes().split(b"\0") if line}
        assert names <= {b"PATH", b"LD_LIBRARY_PATH", b"LANG"}


_PARENT = """
import signal
from muniment.serve.sealing_crew import Crew
crew = Crew(1)
while not crew.count_ready(): pass
print(crew.pids[0], flush=True)
signal.pause()
"""


def test_a_worker_ends_with_a_recorder_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, signal.SIGSTOP)  # it cannot even see that its input has ended
        parent.kill()
    _until(lambda: _ended(pid))


def test_the_recorder_says_where_it_seals_and_leaves_no_process_behind(tmp_path: Path) -> None:
    with house(tmp_path, "recorder") as found:
        pid = found.processes["recorder"].popen.pid
        with Recorder(found.home.socket) as recorder:
            assert recorder.status()["sealing"].startswith("in the recorder's ")
            letters = _letters(100)
            receipts = recorder.append([mail(n, content=letter) for n, letter in enumerate(letters)])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert len(children) == min(MOST_WORKERS, spare_cores())
    assert all(_ended(int(child)) for child in children)
    assert len(receipts) == 100
    assert set(letters) <= set(contents(found.home).values())
