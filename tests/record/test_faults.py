"""Each write step is broken twice: it fails and nothing was stored; it fails and it was stored. R-5.1-a, R-2.1-b.

Whatever fails, nothing acknowledged is lost, nothing is doubled unmarked, and the record is whole afterwards.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from muniment.policy.errors import MunimentError, Unavailable
from muniment.record.entry import Kind
from tests.record.faulty import FaultyDisk
from tests.record.recording import (
    Clock,
    check_record,
    contents,
    mail,
    make_home,
    message,
    officer_view,
    recording,
)

BATCHES = [[0, 1], [2], [3, 4, 5]]


def record_batches(home, disk) -> list[int]:
    """Record every batch, each tried until it is acknowledged; return the acknowledged numbers."""
    acknowledged: list[int] = []
    for attempt in range(3):
        try:
            with recording(home, disk=disk) as record:
                for batch in BATCHES:
                    if batch[0] in acknowledged:
                        continue
                    append_until_stored(record, batch)
                    acknowledged += batch
                    record.tick()
            return acknowledged
        except MunimentError:
            assert attempt < 2, "one fault may fail two runs at the most"
    raise AssertionError


def append_until_stored(record, batch: list[int]) -> None:
    try:
        record.append([mail(n) for n in batch])
    except Unavailable:
        record.append([mail(n) for n in batch])


def count_calls(tmp_path: Path) -> int:
    disk = FaultyDisk()
    home = make_home(tmp_path / "count")
    record_batches(home, disk)
    return disk.calls["any"]


@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
def test_every_disk_call_may_fail_and_nothing_acknowledged_is_lost(tmp_path, stored):
    calls = count_calls(tmp_path)
    assert calls > 20
    for at in range(1, calls + 1):
        home = make_home(tmp_path / f"{at}")
        disk = FaultyDisk("any", at, stored=stored)
        record_batches(home, disk)
        found = contents(home)
        assert set(found.values()) == {message(n) for n in range(6)}, f"call {at}: {disk.log[at - 1]}"
        with officer_view(home) as view:
            first = {}
            for index, content in found.items():
                row = view.catalogue.row(index)
                assert content not in first or row.about == first[content], f"call {at}: doubled unmarked"
                first.setdefault(content, index)
        check_record(home)


def test_a_failed_flush_ends_the_segment_quarantines_its_tail_and_leaves_a_gap_entry(tmp_path):
    home = make_home(tmp_path)
    disk = FaultyDisk("flush", 4, stored=True)
    with recording(home, disk=disk) as record:
        record.append([mail(0)])
        with pytest.raises(Unavailable):
            while True:
                record.append([mail(1)])
        before = {row.segment for row in record.record.parts.catalogue.segments()}
        [receipt] = record.append([mail(2)])
        row = record.record.parts.catalogue.row(receipt.index)
        assert row.segment not in before
        [gap] = record.record.parts.catalogue.rows("kind = ?", (Kind.GAP,))
    tails = list(home.quarantine.glob("*.tail"))
    assert len(tails) == 1
    assert tails[0].stat().st_size > 0
    with officer_view(home) as view:
        assert b"a write failed" in view.open(gap.idx).plain
    check_record(home)


def test_a_disk_that_fills_up_answers_try_later_and_recovers_when_there_is_room(tmp_path):
    home = make_home(tmp_path)

    class Full(FaultyDisk):
        is_full = False

        def is_due(self, kind: str, path: Path) -> bool:
            return self.is_full and kind in ("write", "write_durable", "open")

    disk = Full()
    with recording(home, disk=disk) as record:
        record.append([mail(0)])
        disk.is_full = True
        for _ in range(5):
            with pytest.raises(Unavailable):
                record.append([mail(1)])
        disk.is_full = False
        record.append([mail(1)])
    assert [c for c in contents(home).values() if c == message(1)] == [message(1)]
    check_record(home)


def test_a_killed_recorder_loses_nothing_it_acknowledged(tmp_path):
    """SIGKILL at instants spread over a run that never stops writing."""
    for round_number in range(12):
        home = make_home(tmp_path / f"{round_number}")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.record.endless", str(home.path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        told = b"".join(process.stdout.readline() for _ in range(2))
        time.sleep(0.011 * round_number)
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read()
        process.wait()
        process.stdout.close()
        acknowledged = [int(line) for line in told.splitlines(keepends=True)[1:] if line.endswith(b"\n")]
        with recording(home, Clock()):
            pass
        found = list(contents(home).values())
        assert len(acknowledged) > 0
        missing = [n for n in acknowledged if message(n) not in found]
        assert missing == [], f"round {round_number}"
        assert len(found) == len(set(found))
        check_record(home)
