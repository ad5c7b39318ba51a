"""A backup is consistent while the record is written, costs what is new, and hides its names. R-5.1-a."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from muniment.policy.errors import BadInput, Conflict, Missing, Tampered
from muniment.record.backup import sealing
from muniment.record.backup.run import Run, lock_backup
from muniment.record.backup.sealing import root_of
from muniment.record.backup.socket import RunningRecord
from muniment.record.backup.standing import StoppedRecord, take_standing
from muniment.record.backup.target import Directory, target_of
from muniment.record.client import Recorder
from muniment.record.home import Home
from tests.record.backup.backing import Backed, make_backed
from tests.record.recording import SECRET, check_record, contents, mail, message, recording
from tests.record.test_server import serving


def test_a_backup_restores_to_the_same_record_on_an_empty_machine(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(n) for n in range(20)])
        done = backed.run(opened)
    assert done.is_noted
    assert done.warnings == []
    backed.burn()
    found = backed.restore(tmp_path / "new")
    assert found.report.is_whole
    assert found.report.leaves == done.manifest.size
    home = Home(tmp_path / "new")
    assert sorted(contents(home).values()) == sorted(message(n) for n in range(20))
    check_record(home)


def test_a_second_run_of_an_unchanged_record_stores_only_a_manifest(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(n) for n in range(5)])
        standing = StoppedRecord(opened)
        standing.note = lambda done: None  # type: ignore[method-assign]  # else the run itself would add an entry
        Run(backed.home, standing, backed.target).go()
        before = backed.stored()
        done = Run(backed.home, standing, backed.target).go()
    after = backed.stored()
    assert (done.stored, done.removed) == (0, 0)
    assert {n: b for n, b in after.items() if n.startswith("objects/")} == {
        n: b for n, b in before.items() if n.startswith("objects/")
    }
    assert [n for n in after if n.startswith("manifests/")] == [f"manifests/{2:016x}"]
    check_record(backed.home)


def test_a_segment_that_grew_costs_the_bytes_that_are_new(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(1, content=os.urandom(300_000))])
        backed.run(opened)
        opened.append([mail(2)])
        done = backed.run(opened)
    assert 0 < done.stored_bytes < 20_000
    pieces = backed.objects_of("segments/mail")
    assert [place.start for place in pieces] == [0, pieces[0].piece.length]
    assert backed.check().is_whole
    check_record(backed.home)


def test_a_file_of_several_pieces_comes_back_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("muniment.record.backup.run.PIECE_BYTES", 5_000)
    backed = make_backed(tmp_path)
    contents_ = [os.urandom(9_000) for _ in range(3)]
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(n, content=content) for n, content in enumerate(contents_)])
        backed.run(opened)
    assert len(backed.objects_of("segments/mail")) > 4
    backed.restore(tmp_path / "new")
    assert list(contents(Home(tmp_path / "new")).values()) == contents_
    check_record(Home(tmp_path / "new"))


def test_a_torn_tail_is_never_part_of_a_backup(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(1)])
        [segment] = (backed.home.segments / "mail").glob("*.seg")
        with segment.open("ab") as file:
            file.write(b"half a frame")
        done = backed.run(opened)
        [file] = [f for f in done.manifest.files if "segments/mail" in f.path]
        assert file.size == segment.stat().st_size - len(b"half a frame")
    assert backed.restore(tmp_path / "new").report.is_whole
    check_record(Home(tmp_path / "new"))


def test_the_recorder_writes_on_while_it_is_backed_up(tmp_path):
    backed = make_backed(tmp_path)
    with serving(backed.home), Recorder(backed.home.socket) as recorder:
        recorder.append([mail(n) for n in range(50)])
        source = RunningRecord(backed.home)
        standing = source.standing()
        recorder.append([mail(n) for n in range(50, 100)])
        source.standing = lambda: standing  # type: ignore[method-assign]
        done = Run(backed.home, source, backed.target).go()
        assert done.manifest.size == standing.size
        assert recorder.status()["backup"]["copied"]["size"] == standing.size
        assert Run(backed.home, RunningRecord(backed.home), backed.target).go().manifest.size > standing.size
    assert backed.restore(tmp_path / "new").report.is_whole
    assert len(contents(Home(tmp_path / "new"))) == 100
    check_record(backed.home)
    check_record(Home(tmp_path / "new"))


def test_a_restored_record_continues_the_checkpoint_and_its_backup_goes_on(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(n) for n in range(3)])
        backed.run(opened)
    backed.burn()
    backed.restore(tmp_path / "new")
    again = Backed(Home(tmp_path / "new"), backed.clock, backed.folder)
    with recording(again.home, again.clock) as opened:
        opened.append([mail(7)])
        done = again.run(opened)
    assert done.manifest.run == 2
    assert again.check().is_whole
    check_record(again.home)


def test_a_killed_run_is_finished_by_the_next(tmp_path):
    backed = make_backed(tmp_path)
    with serving(backed.home), Recorder(backed.home.socket) as recorder:
        recorder.append([mail(n, content=os.urandom(200_000)) for n in range(40)])
        code = (
            "import os, signal, sys; from pathlib import Path\n"
            "from muniment.record.backup import run, socket, target\n"
            "from muniment.record.home import Home\n"
            "class Killed(target.Directory):\n"
            "    left = int(sys.argv[3])\n"
            "    def put(self, name, data):\n"
            "        if not Killed.left: os.kill(os.getpid(), signal.SIGKILL)\n"
            "        Killed.left -= 1; super().put(name, data)\n"
            "home = Home(Path(sys.argv[1]))\n"
            "run.Run(home, socket.RunningRecord(home), Killed(Path(sys.argv[2]))).go()\n"
        )
        for left in (0, 1, 4):
            arguments = [sys.executable, "-c", code, str(backed.home.path), str(backed.folder), str(left)]
            assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
            assert backed.target.runs() == []
        done = Run(backed.home, RunningRecord(backed.home), backed.target).go()
        assert done.stored < len(done.manifest.files)  # what the killed ones stored is used
    assert set(backed.target.objects()) == {place.name for place in backed.objects_of("")}
    assert backed.restore(tmp_path / "new").report.is_whole
    check_record(backed.home)
    check_record(Home(tmp_path / "new"))


def test_two_runs_at_once_are_refused(tmp_path):
    backed = make_backed(tmp_path)
    with lock_backup(backed.home), pytest.raises(Conflict, match="under way"):
        backed.back_up()
    backed.back_up()
    check_record(backed.home)


def test_an_object_that_went_missing_is_stored_again(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(1)])
        backed.run(opened)
        [place] = backed.objects_of("segments/mail")
        backed.object_path(place.name).unlink()
        assert not backed.check().is_whole
        backed.run(opened)
    assert backed.check().is_whole
    check_record(backed.home)


def test_nothing_in_a_backup_can_be_read_without_the_machine_secret(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(n) for n in range(3)])
        backed.run(opened)
        ring = opened.record.parts.keeper.backup_files()
    everything = b"".join(backed.stored().values())
    names = "".join(backed.stored())
    for secret in (
        message(1),
        SECRET,
        root_of(SECRET),
        b"MSG1",
        b"MFR1",
        b"training.example",
        *ring.values(),
    ):
        assert secret not in everything
    for word in ("seg", "mail", "ring", "journal", "toml"):
        assert word not in names
    with pytest.raises(Tampered, match="machine secret"):
        backed.restore(tmp_path / "thief", secret=bytes(32))
    assert not (tmp_path / "thief").exists()


def test_the_backup_key_opens_no_file_of_the_keepers(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        standing = take_standing(opened)
    for name in ("log.sealed", "wrapping.sealed"):
        for label in ("log key", "wrapping key", sealing.LABEL):
            with pytest.raises(Tampered):
                sealing.machine.open(standing.root, label, standing.keeper[name])
    assert SECRET not in b"".join(standing.keeper.values())
    check_record(backed.home)


def test_the_machine_secret_of_an_example_is_in_no_backup(tmp_path):
    backed = make_backed(tmp_path)
    with serving(backed.home):  # leaves the example's secret beside the keeper's files
        done = Run(backed.home, RunningRecord(backed.home), backed.target).go()
    assert not [file.path for file in done.manifest.files if "secret" in file.path]
    check_record(backed.home)


def test_a_backup_of_another_record_is_never_replaced_unasked(tmp_path):
    one, other = make_backed(tmp_path / "one"), make_backed(tmp_path / "other")
    one.back_up()
    before = one.stored()
    stranger = Backed(other.home, other.clock, one.folder)
    with pytest.raises(Conflict, match="--anew"):
        stranger.back_up()
    assert one.stored() == before
    done = stranger.back_up(anew=True)
    assert done.manifest.run == 2
    assert stranger.check().is_whole
    assert stranger.restore(tmp_path / "new").report.is_whole
    check_record(other.home)


def test_a_place_that_shows_an_older_copy_is_named(tmp_path):
    backed = make_backed(tmp_path)
    backed.back_up()
    old = backed.stored()
    backed.back_up()
    for name in backed.stored():
        (backed.folder / name).unlink()
    for name, data in old.items():
        (backed.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (backed.folder / name).write_bytes(data)
    done = backed.back_up()
    assert done.manifest.run == 3
    assert any("older copy" in warning for warning in done.warnings)
    check_record(backed.home)


def test_a_place_must_be_there_and_outside_the_home(tmp_path):
    home = Home(tmp_path / "home")
    home.path.mkdir()
    with pytest.raises(Missing, match="mount it"):
        target_of(str(tmp_path / "nowhere"), home)
    for inside in (home.path, home.path / "backup", tmp_path):
        with pytest.raises(BadInput, match="within each other"):
            target_of(str(inside), home)
    with pytest.raises(BadInput, match="s3://"):
        target_of("s3://bucket/prefix", home)
    assert isinstance(Directory(tmp_path), Directory)


def test_the_recorder_takes_no_word_on_a_backup_that_is_none(tmp_path):
    backed = make_backed(tmp_path)
    with serving(backed.home), Recorder(backed.home.socket) as recorder:
        for arguments in ({}, {"act": "copied"}, {"act": "x", "where": "/b", "run": 1}):
            with pytest.raises(BadInput):
                recorder.do("backed-up", arguments)
        assert recorder.status()["backup"]["copied"] is None
    check_record(backed.home)
