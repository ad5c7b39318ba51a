"""An older backup is refused when somebody holds a newer checkpoint, and never starts in silence. R-5.1-a, R-2.1-b."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from muniment.policy.errors import BadInput, Conflict, Missing, MunimentError, Tampered
from muniment.record.entry import Kind, Stream
from muniment.record.frame import parse_sections
from muniment.record.home import Home
from muniment.record.opening import OpenRecord
from muniment.record.reading import read_frame
from tests.record.backup.backing import Backed, make_backed
from tests.record.recording import check_record, contents, mail, make_home, message, recording


def burnt(path: Path, *, is_anchored: bool = False) -> tuple[Backed, Path]:
    """Return what is left of a machine that recorded two letters after its last backup: the backup, a checkpoint."""
    anchor = path / "anchor"
    anchor.mkdir(parents=True)
    backed = make_backed(path, **({"record__anchor_dir": str(anchor)} if is_anchored else {}))
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(n) for n in range(3)])
        backed.run(opened)
        opened.append([mail(n) for n in range(3, 5)])
        opened.publish()
        (path / "mailed").write_text(opened.checkpoint())
    backed.clock.advance(seconds=3600)
    backed.burn()
    return backed, path / "mailed"


def gaps(opened: OpenRecord) -> list[dict[str, object]]:
    rows = opened.record.parts.catalogue.rows("stream = ? AND kind = ?", (Stream.HEALTH, Kind.GAP))
    return [json.loads(parse_sections(read_frame(opened.home, row).body).plain) for row in rows]


def test_a_backup_older_than_a_checkpoint_kept_elsewhere_is_refused(tmp_path):
    backed, mailed = burnt(tmp_path)
    with pytest.raises(Conflict, match="more entries than this backup holds"):
        backed.restore(tmp_path / "new", checkpoint=mailed)
    assert not (tmp_path / "new").exists()
    found = backed.restore(tmp_path / "new", checkpoint=mailed, accept_loss=True)
    assert found.lost_entries == int(mailed.read_text().split("\n")[1]) - found.manifest.size
    assert found.report.is_whole
    check_record(Home(tmp_path / "new"))


def test_a_checkpoint_that_the_backup_holds_is_proved_against_it(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(1)])
        opened.publish()
        (tmp_path / "older").write_text(opened.checkpoint())
        opened.append([mail(2)])
        backed.run(opened)
    found = backed.restore(tmp_path / "new", checkpoint=tmp_path / "older")
    assert (found.lost_entries, found.report.findings) == (0, [])
    check_record(Home(tmp_path / "new"))


def test_a_checkpoint_of_another_record_is_none(tmp_path):
    backed, mailed = burnt(tmp_path / "a")
    other = make_home(tmp_path / "b")
    for bad in (mailed.read_bytes()[:50], b"", (other.ledger / "checkpoint").read_bytes()):
        (tmp_path / "bad").write_bytes(bad)
        with pytest.raises(MunimentError):
            backed.restore(tmp_path / "new", checkpoint=tmp_path / "bad")
    with pytest.raises(BadInput):
        backed.restore(tmp_path / "new", checkpoint=tmp_path / "nowhere")
    assert not (tmp_path / "new").exists()


def test_the_next_start_records_that_the_home_is_restored_and_numbers_go_on(tmp_path):
    backed, _ = burnt(tmp_path)
    found = backed.restore(tmp_path / "new")
    home = Home(tmp_path / "new")
    with recording(home, backed.clock) as opened:
        [silence, restored] = gaps(opened)
        assert restored["cause"] == "restored from a backup"
        assert restored["run"] == found.manifest.run
        assert restored["size"] == found.manifest.size
        assert restored["lost"] == ""
        assert silence["cause"] == "the recorder was not running"
        [receipt] = opened.append([mail(9)])
        assert receipt.sequence == 4  # three letters were in the backup
    with recording(home, backed.clock) as opened:
        assert len(gaps(opened)) == 2  # said once
    assert not (home.record / "restored.json").exists()
    check_record(home)


def test_an_anchor_stops_an_older_backup_unless_somebody_goes_on_without_what_is_lost(tmp_path):
    backed, mailed = burnt(tmp_path, is_anchored=True)
    anchor = tmp_path / "anchor" / "checkpoint"
    newest = anchor.read_text()
    backed.restore(tmp_path / "silent")
    with pytest.raises(Tampered, match="an earlier copy"), recording(Home(tmp_path / "silent"), backed.clock):
        pass
    backed.restore(tmp_path / "other", checkpoint=mailed, accept_loss=True)  # not the one that is anchored
    with pytest.raises(Tampered, match="an earlier copy"), recording(Home(tmp_path / "other"), backed.clock):
        pass
    backed.restore(tmp_path / "new", checkpoint=anchor, accept_loss=True)
    home = Home(tmp_path / "new")
    with recording(home, backed.clock) as opened:
        [_, restored] = gaps(opened)
        assert restored["lost"] == newest
        opened.append([mail(9)])
    assert anchor.read_text() != newest
    with recording(home, backed.clock) as opened:
        assert sorted(contents(home).values()) == sorted(message(n) for n in (0, 1, 2, 9))
    check_record(home)


def test_a_record_that_was_restored_older_does_not_write_over_the_newer_backup(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(1)])
        backed.run(opened)
    old = backed.stored()
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(2)])
        backed.run(opened)
    hoard = tmp_path / "older"
    for name, data in old.items():
        (hoard / name).parent.mkdir(parents=True, exist_ok=True)
        (hoard / name).write_bytes(data)
    Backed(backed.home, backed.clock, hoard).restore(tmp_path / "new")
    again = Backed(Home(tmp_path / "new"), backed.clock, backed.folder)
    with recording(again.home, again.clock) as opened:
        opened.append([mail(n) for n in range(10, 20)])
        with pytest.raises(Conflict, match="may hold what this record lost"):
            again.run(opened)
    assert backed.restore(tmp_path / "newest").report.is_whole
    assert message(2) in contents(Home(tmp_path / "newest")).values()
    check_record(again.home)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    backed, _ = burnt(tmp_path)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "letter.txt").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        backed.restore(tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["letter.txt"]


def test_a_half_restored_home_does_not_start(tmp_path):
    backed, _ = burnt(tmp_path)
    [segment, *_] = backed.objects_of("segments/mail")
    path = backed.object_path(segment.name)
    good = path.read_bytes()
    path.unlink()
    with pytest.raises(Missing):
        backed.restore(tmp_path / "new")
    with pytest.raises(Conflict, match="being restored"), recording(Home(tmp_path / "new"), backed.clock):
        pass
    path.write_bytes(good)
    backed.restore(tmp_path / "new")
    with recording(Home(tmp_path / "new"), backed.clock):
        pass
    check_record(Home(tmp_path / "new"))


def test_a_backup_that_went_on_since_is_not_mixed_with_what_was_restored(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(1)])
        backed.run(opened)
        place = backed.objects_of("muniment.toml")[0]
        path = backed.object_path(place.name)
        good = path.read_bytes()
        path.unlink()
        with pytest.raises(Missing):
            backed.restore(tmp_path / "new")
        path.write_bytes(good)
        backed.run(opened)
    with pytest.raises(Conflict, match="gone on since"):
        backed.restore(tmp_path / "new")


def test_a_restored_home_is_its_owners_alone(tmp_path):
    backed, _ = burnt(tmp_path)
    backed.restore(tmp_path / "new")
    for path in (tmp_path / "new").rglob("*"):
        if path.is_dir() and "tile" not in path.parts and "staging" not in path.parts:
            assert path.stat().st_mode & 0o077 == 0, path
    for path in (tmp_path / "new" / "record" / "keeper").iterdir():
        assert path.stat().st_mode & 0o077 == 0
