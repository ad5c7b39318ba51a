"""A failed flush, a full disk, a killed recorder: nothing acknowledged is lost. R-5.1-a, R-2.1-b.

Every single call of the disk is broken in test_fault_matrix.py.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from muniment.policy.errors import Unavailable
from muniment.record.disk import FlushFailed
from muniment.record.entry import Kind, Stream
from tests.organisation import policy_text
from tests.record.fault_matrix import check
from tests.record.fault_stages import STAGES, Run
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


def test_bytes_of_a_failed_flush_are_not_counted_because_they_can_be_read(tmp_path):
    """The recorder dies after a failed flush; the next one reads the bytes, and then the power fails."""
    run = Run(tmp_path)
    STAGES["append"].prepare(run)
    run.append([mail(11)])
    run.disk.breaks_next_flush = True
    with pytest.raises(FlushFailed):
        run.opened().append([mail(12)])
    run.die()
    run.opened()
    run.die()
    assert run.disk.cut_power(run.home.record) == 0, "what is counted lies in the file whose flush failed"
    run.opened()
    run.stop()
    check(run)


def test_a_cut_that_did_not_reach_the_disk_is_cut_again(tmp_path):
    run = Run(tmp_path)
    STAGES["append"].prepare(run)
    run.append([mail(11)])
    run.disk.breaks_next_flush = True
    with pytest.raises(FlushFailed):
        run.opened().append([mail(12)])
    run.disk.breaks_next_flush = True  # the flush of the cut
    with pytest.raises(FlushFailed):
        run.opened().append([mail(12)])
    run.append([mail(12)])
    run.stop()
    run.disk.cut_power(run.home.record)
    check(run)


def test_a_name_that_did_not_reach_the_disk_is_flushed_again(tmp_path):
    disk = FaultyDisk("sync_dir", 2)
    with pytest.raises(Unavailable):
        disk.append(tmp_path / "new" / "segment")
    file = disk.append(tmp_path / "new" / "segment")
    file.write(b"one")
    file.flush()
    file.close()
    disk.cut_power(tmp_path)
    assert (tmp_path / "new" / "segment").read_bytes() == b"one"


def test_a_policy_changed_while_the_disk_is_full_is_recorded_when_there_is_room(tmp_path):
    home = make_home(tmp_path)
    disk = FaultyDisk()
    with recording(home, disk=disk) as record:
        home.policy_file.write_text(policy_text(policy__version="2026-12"))
        disk.breaks_next_flush = True
        with pytest.raises(Unavailable):
            record.tick()
        record.append([mail(1)])
        assert len(record.record.parts.catalogue.rows("stream = ?", (Stream.POLICY,))) == 2
    check_record(home)
