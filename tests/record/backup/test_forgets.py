"""A backup forgets with the record: after the run behind an expiry no key in it opens what expired. R-5.1-a."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from muniment.policy.errors import Missing, MunimentError, Unavailable
from muniment.record.backup.noted import Backups, Noted, still_held
from muniment.record.backup.run import Run
from muniment.record.backup.standing import StoppedRecord, note
from muniment.record.backup.target import Directory
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.retention.orders import Quarantine
from tests.record.backup.backing import Backed, make_backed
from tests.record.faulty import FaultyDisk
from tests.record.recording import (
    SECRET,
    check_record,
    contents,
    expire,
    mail,
    message,
    officer_view,
    recording,
)
from tests.record.retention.test_holds import order, said

FIVE_YEARS = 5 * 365 + 1  # one leap day lies between


def aged(path: Path) -> Backed:
    """Return a backed-up record with mail of two days, the older of which has just come to the end of its time."""
    backed = make_backed(path)
    for numbers in (range(5), range(5, 8)):
        with recording(backed.home, backed.clock) as opened:
            opened.append([mail(n) for n in numbers])
            backed.run(opened)
        backed.clock.advance(days=1)
    backed.clock.advance(days=FIVE_YEARS - 2)
    return backed


def test_what_expired_cannot_be_opened_from_the_next_backup_by_anyone(tmp_path):
    backed = aged(tmp_path)
    old = {place.name for place in backed.objects_of("segments/mail/00000003")}
    assert old
    with recording(backed.home, backed.clock) as opened:
        [tomb] = expire(opened)
        assert tomb.entries == 6
        assert opened.status()["backup"]["must_forget"]
        done = backed.run(opened)
        assert not opened.status()["backup"]["must_forget"]
    assert done.removed >= 3  # the segment, the ring and the wrapping key from before
    assert not old & set(backed.target.objects())
    backed.burn()
    backed.restore(tmp_path / "new")
    home = Home(tmp_path / "new")
    for owner in ("managing-director", "recovery"):
        assert sorted(contents(home, owner).values()) == sorted(message(n) for n in (5, 6, 7))
    with pytest.raises(Missing, match="expired"):
        Keeper.load(home, SECRET, Disk()).cover((2, 3))
    check_record(home)


def test_an_erased_entry_is_erased_in_the_next_backup_and_its_neighbours_open(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        receipts = opened.append([mail(n) for n in range(4)])
        backed.run(opened)
        row = opened.record.parts.catalogue.row(receipts[2].index)
        opened.retention.erase([row.idx], authority="Exampletown County Court", clause="R-5.1-a")
        backed.run(opened)
    backed.burn()
    backed.restore(tmp_path / "new")
    home = Home(tmp_path / "new")
    with officer_view(home) as view:
        assert view.open(receipts[1].index).content == message(1)
        with pytest.raises(Missing):
            view.open(receipts[2].index)
        assert view.open(receipts[3].index).content == message(3)
    check_record(home)


def test_only_who_kept_the_old_objects_outside_can_open_what_expired(tmp_path):
    """The limit that docs/trust.md names: an old copy of ring, wrapping key and segment, and the machine secret."""
    backed = aged(tmp_path)
    kept = backed.stored()
    with recording(backed.home, backed.clock) as opened:
        expire(opened)
        backed.run(opened)
    hoard = tmp_path / "hoard"
    for name, data in kept.items():
        (hoard / name).parent.mkdir(parents=True, exist_ok=True)
        (hoard / name).write_bytes(data)
    Backed(backed.home, backed.clock, hoard).restore(tmp_path / "old")
    assert message(1) in contents(Home(tmp_path / "old")).values()
    check_record(backed.home)


def test_a_run_that_died_before_it_could_remove_is_finished_by_the_next(tmp_path):
    probe = aged(tmp_path / "probe")
    with recording(probe.home, probe.clock) as opened:
        expire(opened)
        disk = FaultyDisk()
        removed = probe.run(opened, disk).removed
    assert disk.calls["remove"] > removed  # objects and the manifest
    for at in range(1, disk.calls["remove"] + 1):
        for stored in (False, True):
            backed = aged(tmp_path / f"{at}{stored}")
            with recording(backed.home, backed.clock) as opened:
                expire(opened)
                with pytest.raises(Unavailable, match="next run"):
                    backed.run(opened, FaultyDisk("remove", at, stored=stored))
                assert opened.status()["backup"]["must_forget"]
                backed.run(opened)
                assert not opened.status()["backup"]["must_forget"]
            assert set(backed.target.objects()) == {place.name for place in backed.objects_of("")}
            assert len(backed.target.runs()) == 1
            assert len(backed.objects_of("keeper/ring")) == 1
            check_record(backed.home)


def test_a_certificate_can_say_which_backup_still_holds_what_was_forgotten(tmp_path):
    backed = aged(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        keeper = opened.record.parts.keeper
        assert list(still_held(opened.backups.copied, keeper.generation)) == []
        expire(opened)
        [words] = still_held(opened.backups.copied, keeper.generation)
        assert str(backed.folder) in words
        assert "2026-11-02 10:00 UTC, until its next run" in words.replace(f" at {backed.folder}", "")
        assert words in json.loads(opened._last_plain(3, b'"not_covered"'))["not_covered"]  # type: ignore[arg-type]
        backed.run(opened)
        assert list(still_held(opened.backups.copied, keeper.generation)) == []
    check_record(backed.home)


def test_the_record_remembers_its_newest_backup_and_check_over_a_restart(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        done = backed.run(opened)
        checked = Noted(act="checked", where="/b", run=1, time_ms=5, size=1, generation=1, bytes=0)
        note(opened, checked)
        known = opened.backups
    with recording(backed.home, backed.clock) as opened:
        again = Backups(backed.home, opened.record.parts.catalogue)
        assert (again.copied, again.checked) == (known.copied, checked)
        assert again.copied is not None
        assert again.copied.run == done.manifest.run
    check_record(backed.home)


def test_the_key_of_an_entry_in_quarantine_is_in_no_backup(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        receipts = opened.append([mail(n) for n in range(3)])
        closed = {"entries": (receipts[1].index,), "reference": "CR/1"}
        order(opened, Quarantine(**said(backed.clock, "office-manager"), **closed))
        Run(backed.home, StoppedRecord(opened), Directory(backed.folder)).go()
    assert message(1) in contents(backed.home).values()  # the original still has it
    backed.burn()
    backed.restore(tmp_path / "new")
    with officer_view(Home(tmp_path / "new")) as view:
        assert view.open(receipts[0].index).content == message(0)
        assert view.open(receipts[2].index).content == message(2)
        with pytest.raises(Missing):
            view.open(receipts[1].index)
    check_record(Home(tmp_path / "new"))


def test_a_thief_with_the_whole_backup_and_the_secret_of_another_time_finds_nothing(tmp_path):
    backed = aged(tmp_path)
    for secret in (bytes(32), SECRET[::-1]):
        with pytest.raises(MunimentError):
            backed.restore(tmp_path / "thief", secret=secret)
    backed.restore(tmp_path / "with-secret")  # the secret alone: the keeper's share, and no officer's
    home = Home(tmp_path / "with-secret")
    everything = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    assert message(1) not in everything
    with pytest.raises(Missing):
        contents_of_stranger(home)


def contents_of_stranger(home: Home) -> None:
    with officer_view(home, private=bytes(range(1, 33))) as view:
        row = view.catalogue.rows("stream = 16")[0]
        view.open(row.idx)


def test_what_is_noted_tells_no_secret(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        backed.run(opened)
        plain = opened._last_plain(2, b'"muniment-backup/')  # type: ignore[arg-type]
    assert set(json.loads(plain)) == {
        "format", "act", "where", "run", "time_ms", "size", "generation", "bytes",
    }  # fmt: skip
    check_record(backed.home)
