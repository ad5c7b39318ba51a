"""One flipped bit, a missing file, an old copy: named. R-5.1-a, R-2.1-b."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from muniment.policy.errors import Missing, Tampered, Unavailable
from muniment.record import comparison
from muniment.record.home import Home
from muniment.record.opening import open_record
from muniment.record.rebuild import rebuild
from muniment.record.remaking import rows as remade_rows
from tests.record.recording import SECRET, Clock, check_record, mail, make_home, prove, recording

ORIGIN = "training.example/record"


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Home:
    home = make_home(tmp_path_factory.mktemp("small"))
    with recording(home) as record:
        record.append([mail(n, sent=b"changed") for n in range(3)])
        record.append([mail(0)])
    check_record(home)
    return home


def copy(home: Home, target: Path) -> Home:
    shutil.copytree(home.path, target / "copy")
    return Home(target / "copy")


def files(home: Home) -> list[Path]:
    """Every file that verification answers for: segments, tiles, bundles, checkpoint."""
    found = [*home.segments.rglob("*.seg"), home.ledger / "checkpoint", *(home.ledger / "tile").rglob("*")]
    return [path for path in found if path.is_file() and not is_superseded(path)]


def is_superseded(path: Path) -> bool:
    """A partial tile may stay when a wider one is there; only the widest is answered for."""
    if not path.parent.name.endswith(".p"):
        return False
    return int(path.name) < max(int(p.name) for p in path.parent.iterdir())


def test_a_flipped_bit_in_any_file_names_that_file(small, tmp_path):
    home = copy(small, tmp_path)
    random_bits = random.Random(5)
    for path in files(home):
        original = path.read_bytes()
        step = max(1, len(original) // 120)
        for at in range(0, len(original), step):
            damaged = bytearray(original)
            damaged[at] ^= 1 << random_bits.randrange(8)
            path.chmod(0o600)
            path.write_bytes(damaged)
            report = prove(home)
            assert not report.is_whole, f"{path.name} byte {at}"
            named = " ".join(str(finding) for finding in report.findings)
            assert path.name in named or f"{path.parent.name}/{path.name}" in named, (
                f"{path} byte {at}: {named}"
            )
        path.write_bytes(original)
    check_record(home)


def test_a_removed_segment_is_named_by_its_entries(small, tmp_path):
    home = copy(small, tmp_path)
    segment = max(home.segments.rglob("*.seg"), key=lambda path: path.stat().st_size)
    segment.unlink()
    report = prove(home)
    assert any("are in no segment" in finding.found for finding in report.findings)
    with pytest.raises(Tampered, match=segment.name):
        open_record(home, SECRET, clock=Clock())


def test_a_catalogue_row_changed_by_sql_is_named(small, tmp_path):
    home = copy(small, tmp_path)
    with sqlite3.connect(home.database) as database:
        database.execute("UPDATE entry SET size = size + 1 WHERE kind = 1 AND stream = 16 AND sequence = 2")
    database.close()
    report = prove(home)
    assert [finding.kind for finding in report.findings] == ["catalogue"]


def test_a_mention_removed_by_sql_is_named(small, tmp_path):
    home = copy(small, tmp_path)
    with sqlite3.connect(home.database) as database:
        database.execute("DELETE FROM mention WHERE idx = (SELECT min(idx) FROM mention)")
    database.close()
    assert [finding.kind for finding in prove(home).findings] == ["catalogue"]


@pytest.mark.parametrize("alone_bytes", [0, 1 << 40])
def test_one_process_and_several_name_the_same_entries(small, tmp_path, monkeypatch, alone_bytes):
    home = copy(small, tmp_path)
    with sqlite3.connect(home.database) as database:
        (mail_index,) = database.execute(
            "SELECT min(idx) FROM entry WHERE retention = 2 AND kind = 1"
        ).fetchone()
        database.execute("UPDATE entry SET length = length + 1 WHERE idx IN (0, ?)", (mail_index,))
        database.execute("UPDATE entry SET idx = 9999 WHERE idx = 1")
    database.close()
    monkeypatch.setattr(comparison, "ALONE_BYTES", alone_bytes)
    named = {finding.thing for finding in prove(home).findings if finding.kind == "catalogue"}
    assert named == {"entry 0", "entry 1", f"entry {mail_index}", "entry 9999"}


def test_a_broken_database_file_is_named_and_rebuilt(small, tmp_path):
    home = copy(small, tmp_path)
    before = rows(home)
    data = bytearray(home.database.read_bytes())
    data[:100] = bytes(100)
    home.database.write_bytes(data)
    assert "catalogue" in {finding.kind for finding in prove(home).findings}
    home.database.unlink()
    rebuild(home, ORIGIN, SECRET)
    assert rows(home) == before
    check_record(home)


def test_lost_tiles_and_catalogue_are_rebuilt_equal_to_the_lost(small, tmp_path):
    home = copy(small, tmp_path)
    tiles = {path: path.read_bytes() for path in files(home) if "tile" in path.parts}
    before = rows(home)
    home.database.unlink()
    shutil.rmtree(home.ledger / "tile")
    rebuild(home, ORIGIN, SECRET)
    assert {path: path.read_bytes() for path in tiles} == tiles
    assert rows(home) == before
    with recording(home) as record:
        record.append([mail(99)])
    check_record(home)


def rows(home: Home) -> list[tuple]:
    database = sqlite3.connect(home.database)
    found = [
        *database.execute("SELECT * FROM entry ORDER BY idx"),
        *database.execute("SELECT * FROM mention ORDER BY token, idx"),
        *database.execute("SELECT * FROM stream ORDER BY stream"),
    ]
    database.close()
    return found


def grown(tmp_path: Path, **overrides: object) -> tuple[Home, Path]:
    """Return a home that has grown since the copy of it (the second value) was taken."""
    home = make_home(tmp_path, **overrides)
    with recording(home) as record:
        record.append([mail(1)])
    yesterday = tmp_path / "yesterday"
    shutil.copytree(home.path, yesterday)
    with recording(home) as record:
        record.append([mail(2)])
    return home, yesterday


def put_back(home: Home, yesterday: Path, name: str) -> None:
    target, source = home.path / name, yesterday / name
    if target.is_dir():
        shutil.rmtree(target)
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def test_yesterday_s_copy_of_everything_is_named_by_the_checkpoint_outside(tmp_path):
    home, yesterday = grown(tmp_path, record__anchor_dir=str(tmp_path / "elsewhere"))
    shutil.rmtree(home.path)
    shutil.copytree(yesterday, home.path)
    with pytest.raises(Tampered, match="an earlier copy of the record was put back"):
        open_record(home, SECRET, clock=Clock())


@pytest.mark.parametrize("name", ["record/record.db", "record/ledger", "record/segments"])
def test_yesterday_s_copy_of_a_part_is_named_at_the_start(tmp_path, name):
    home, yesterday = grown(tmp_path)
    put_back(home, yesterday, name)
    with pytest.raises((Tampered, Unavailable)) as refusal:
        open_record(home, SECRET, clock=Clock())
    assert "un `muniment" in str(refusal.value) or "estore" in str(refusal.value)
    if name == "record/record.db":
        rebuild(home, ORIGIN, SECRET)
        check_record(home)


def test_a_fork_is_named_when_two_histories_meet(tmp_path):
    home, yesterday = grown(tmp_path, record__anchor_dir=str(tmp_path / "elsewhere"))
    kept = (tmp_path / "elsewhere" / "checkpoint").read_bytes()
    shutil.rmtree(home.path)
    shutil.copytree(yesterday, home.path)
    (tmp_path / "elsewhere" / "checkpoint").unlink()
    with recording(home) as record:
        record.append([mail(n) for n in range(3, 9)])
    (tmp_path / "elsewhere" / "checkpoint").write_bytes(kept)
    with pytest.raises(Tampered, match="the ledger was forked"):
        open_record(home, SECRET, clock=Clock())


@pytest.mark.parametrize("alone_entries", [0, 1 << 40])
def test_one_process_and_several_rebuild_the_same(small, tmp_path, monkeypatch, alone_entries):
    home = copy(small, tmp_path)
    before = rows(home)
    monkeypatch.setattr(remade_rows, "ALONE_ENTRIES", alone_entries)
    rebuild(home, ORIGIN, SECRET)
    assert rows(home) == before
    check_record(home)


@pytest.mark.parametrize("alone_entries", [0, 1 << 40])
def test_a_line_that_does_not_open_stops_a_rebuild_and_the_old_catalogue_stays(
    small, tmp_path, monkeypatch, alone_entries
):
    home = copy(small, tmp_path)
    before = rows(home)
    segment = max(home.segments.rglob("*.seg"), key=lambda path: path.stat().st_size)
    data = bytearray(segment.read_bytes())
    data[64 + 192 + 36 + 5] ^= 1  # in the line of the first frame
    segment.write_bytes(data)
    monkeypatch.setattr(remade_rows, "ALONE_ENTRIES", alone_entries)
    with pytest.raises(Tampered, match="does not open"):
        rebuild(home, ORIGIN, SECRET)
    assert rows(home) == before


def test_without_a_checkpoint_a_rebuild_says_where_to_find_one(small, tmp_path):
    home = copy(small, tmp_path)
    (home.ledger / "checkpoint").unlink()
    with pytest.raises(Missing, match="put it back"):
        rebuild(home, ORIGIN, SECRET)


def test_a_torn_tail_is_no_part_of_what_is_rebuilt(small, tmp_path):
    home = copy(small, tmp_path)
    before = rows(home)
    segment = max(home.segments.rglob("*.seg"), key=lambda path: path.stat().st_size)
    data = segment.read_bytes()
    first = 64 + 192 + int.from_bytes(data[68:72], "big")
    segment.write_bytes(data + data[64:first])  # a whole frame, but no flush ended it
    rebuild(home, ORIGIN, SECRET)
    assert rows(home) == before
    report = check_record(home)
    assert any("torn tail" in note for note in report.notes)


def backdate(data: bytearray) -> None:
    """Set the time in the leaf of the first frame back by a day."""
    at = 64 + 16 + 16
    data[at : at + 8] = (int.from_bytes(data[at : at + 8], "big") - 86_400_000).to_bytes(8, "big")


def truncate(data: bytearray) -> None:
    del data[-60:]


def swap(data: bytearray) -> None:
    """Exchange the first two frames."""
    length = 192 + int.from_bytes(data[68:72], "big")
    second = 64 + length
    following = second + 192 + int.from_bytes(data[second + 4 : second + 8], "big")
    data[64:following] = data[second:following] + data[64:second]


@pytest.mark.parametrize("forge", [backdate, truncate, swap])
def test_what_is_back_dated_cut_or_swapped_offline_is_named(small, tmp_path, forge):
    home = copy(small, tmp_path)
    segment = max(home.segments.rglob("*.seg"), key=lambda path: path.stat().st_size)
    data = bytearray(segment.read_bytes())
    forge(data)
    segment.write_bytes(data)
    named = " ".join(map(str, prove(home).findings))
    assert segment.name in named
