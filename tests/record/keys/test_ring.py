"""The ring outlives restarts and kills; no old copy of it is of use, or can be put back. R-5.1-a."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from muniment.policy.errors import BadInput, Tampered, Unavailable
from muniment.record.catalogue import Catalogue
from muniment.record.client import Recorder
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.keys.ring_statement import stated_generation
from muniment.record.keys.turning import turn_ring
from tests.record.faulty import FaultyDisk
from tests.record.recording import SECRET, check_record, contents, mail, make_home, message, recording
from tests.record.test_server import serving


def stated(home: Home) -> int:
    catalogue = Catalogue.open_readonly(home.database)
    try:
        return stated_generation(home, catalogue)
    finally:
        catalogue.close()


def ring_files(home: Home) -> list[str]:
    return sorted(path.name for path in home.keeper.iterdir() if "ring." in path.name)


def put_back(home: Home, copy: Path) -> None:
    shutil.rmtree(home.keeper)
    shutil.copytree(copy, home.keeper)


def test_a_turn_is_stated_in_the_record_and_everything_still_opens(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([mail(1)])
        assert turn_ring(record)["generation"] == 2
        record.append([mail(2)])
    assert stated(home) == 2
    assert ring_files(home) == ["ring.2"]
    assert sorted(contents(home).values()) == [message(1), message(2)]
    check_record(home)


def test_the_running_recorder_turns_the_ring(tmp_path):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        recorder.append([mail(1)])
        told = recorder.do("turn-ring")
        recorder.append([mail(2)])
        with pytest.raises(BadInput, match="takes no arguments"):
            recorder.do("turn-ring", {"generation": 9})
    assert (told["before"], told["generation"]) == (1, 2)
    assert stated(home) == 2
    assert len(contents(home)) == 2
    check_record(home)


def test_a_ring_copied_before_a_turn_opens_nothing_with_the_newest_wrapping_key(tmp_path):
    home = make_home(tmp_path)
    kept = (home.keeper / "ring.1").read_bytes()
    with recording(home) as record:
        turn_ring(record)
    (home.keeper / "ring.2").write_bytes(kept)
    with pytest.raises(Tampered, match="does not open with its wrapping key"):
        Keeper.load(home, SECRET, Disk())


def test_yesterdays_whole_keeper_put_back_is_refused_by_name(tmp_path):
    """It would bring a forgotten key back to life."""
    home, copy = make_home(tmp_path), tmp_path / "yesterday"
    with recording(home) as record:
        [receipt] = record.append([mail(1)])
    shutil.copytree(home.keeper, copy)
    with recording(home) as record:
        row = record.record.parts.catalogue.row(receipt.index)
        record.retention.erase([row.idx], authority="order of the county court", clause="R-5.1-a")
    newest = tmp_path / "newest"
    shutil.copytree(home.keeper, newest)
    put_back(home, copy)
    with pytest.raises(Tampered, match=r"turned 1 times, the record states 2.*Put back the newest copy"):
        recording(home).__enter__()
    put_back(home, newest)
    with recording(home):
        pass
    check_record(home)


def test_a_keeper_that_lacks_the_newest_keys_is_refused_although_the_ring_was_not_turned(tmp_path):
    home, copy = make_home(tmp_path), tmp_path / "yesterday"
    shutil.copytree(home.keeper, copy)
    with recording(home) as record:
        record.append([mail(1)])
    newest = tmp_path / "newest"
    shutil.copytree(home.keeper, newest)
    put_back(home, copy)
    with pytest.raises(Tampered, match="does not know the record's newest keys"):
        recording(home).__enter__()
    put_back(home, newest)
    check_record(home)


@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
def test_after_a_turn_that_failed_at_any_call_nothing_recorded_later_is_lost(tmp_path, stored):
    for at in range(1, 4):  # the ring, its wrapping key, the removal of the old ring
        home = make_home(tmp_path / f"{at}")
        with recording(home) as record:
            record.append([mail(1)])
            disk = FaultyDisk("any", at, stored=stored)
            record.record.parts.keeper._disk = disk
            with pytest.raises(Unavailable):
                record.record.parts.keeper.turn()
            record.record.end_epoch(2)
            record.append([mail(2)])  # writes the ring with the keys of a new hour
        assert sorted(contents(home).values()) == [message(1), message(2)], disk.log
        with recording(home) as record:
            turn_ring(record)
        assert len(ring_files(home)) == 1
        assert stated(home) == Keeper.load(home, SECRET, Disk()).generation
        check_record(home)


def run_killed(home: Home, at: int, when: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tests.record.keys.killed_turn", str(home.path), str(at), when]
    return subprocess.run(command, capture_output=True, check=False)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_turn_killed_at_each_step_leaves_a_ring_that_opens_everything(tmp_path, when):
    calls = int(run_killed(make_home(tmp_path / "count"), 0, when).stdout)
    assert calls > 5
    for at in range(1, calls + 1):
        home = make_home(tmp_path / f"{at}")
        assert run_killed(home, at, when).returncode == -9
        with recording(home) as record:
            record.append([mail(2)])
            generation = record.record.parts.keeper.generation
        assert ring_files(home) == [f"ring.{generation}"], f"call {at}"
        assert stated(home) == generation
        assert {message(1), message(2)} == set(contents(home).values()), f"call {at}"
        check_record(home)
