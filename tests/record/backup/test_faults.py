"""Each step of a run and of a restore is broken twice; what is damaged in a backup is named. R-5.1-a."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.policy.errors import Missing, MunimentError, Tampered, Unavailable
from muniment.record.backup import manifest as manifests
from muniment.record.backup.manifest import File, Manifest, Piece
from muniment.record.backup.restoring import Restore
from muniment.record.backup.run import newest
from muniment.record.backup.sealing import MANIFEST_MAGIC, Seals, root_of
from muniment.record.backup.target import Directory
from muniment.record.home import Home
from tests.record.backup.backing import make_backed
from tests.record.faulty import ANY, FaultyDisk
from tests.record.recording import SECRET, Clock, check_record, contents, mail, message, recording

SEALS = Seals(root_of(SECRET))


def test_a_run_that_fails_anywhere_leaves_a_backup_that_can_be_restored(tmp_path):
    backed = make_backed(tmp_path)
    sizes = []
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(1)])
        backed.run(opened)
        probe = FaultyDisk()
        opened.append([mail(2)])
        backed.run(opened, probe)
        for at in range(1, probe.calls[ANY] + 3):
            for stored in (False, True):
                opened.append([mail(10 * at + stored)])
                try:
                    backed.run(opened, FaultyDisk(ANY, at, stored=stored))
                except Unavailable:
                    found = newest(backed.target, SEALS)
                    assert found is not None
                    assert backed.check().is_whole
                    sizes.append(found.size)
        assert len(sizes) > 10
        assert sizes == sorted(sizes)
        done = backed.run(opened)
    assert set(backed.target.objects()) == {place.name for place in backed.objects_of("")}
    found = backed.restore(tmp_path / "new")
    assert found.report.is_whole
    assert found.report.leaves == done.manifest.size
    check_record(backed.home)
    check_record(Home(tmp_path / "new"))


def test_a_place_that_is_full_keeps_the_backup_it_has(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(1)])
        before = backed.run(opened).manifest
        opened.append([mail(2, content=os.urandom(3_000_000))])
        code = (
            "import resource, sys; from pathlib import Path\n"
            "from muniment.record.disk import Disk\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "Disk().write_durable(Path(sys.argv[1]), bytes(3_000_000))\n"
        )
        place = backed.folder / "objects" / "aa" / ("b" * 62)
        made = subprocess.run(
            [sys.executable, "-c", code, place], capture_output=True, text=True, check=False
        )
        assert "Make room" in made.stderr
        assert not place.exists()
        for at in (1, 2):
            with pytest.raises(Unavailable):
                backed.run(opened, FaultyDisk("write_durable", at))
        assert newest(backed.target, SEALS) == before
        assert backed.check().is_whole
    check_record(backed.home)


def test_a_restore_that_fails_anywhere_goes_on_when_it_is_started_again(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(n) for n in range(3)])
        backed.run(opened)
    probe = FaultyDisk()
    backed.restore(tmp_path / "probe", disk=probe)
    calls = probe.calls[ANY]
    assert calls > 30
    for at in range(1, calls + 1, 3):
        home = Home(tmp_path / f"new{at}")
        for stored in (True, False):
            try:
                backed.restore(home.path, disk=FaultyDisk(ANY, at, stored=stored))
            except Unavailable:
                if not (home.record / "restored.json").exists():  # else the last step failed and was done
                    continue
            break
        if not (home.record / "restored.json").exists():
            assert backed.restore(home.path).report.is_whole
        assert sorted(contents(home).values()) == [message(n) for n in range(3)]
        with recording(home, backed.clock) as opened:
            assert opened.status()["gaps"] == 1
        check_record(home)


def test_a_restore_that_goes_on_fetches_only_what_is_not_there(tmp_path):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(n) for n in range(3)])
        backed.run(opened)
    with pytest.raises(Unavailable):
        backed.restore(tmp_path / "new", disk=FaultyDisk("move", 4))
    fetched: list[str] = []

    class Counting(Directory):
        def get(self, name: str, most_bytes: int) -> bytes:
            fetched.append(name)
            return super().get(name, most_bytes)

    made = Restore(Counting(backed.folder), SECRET, Home(tmp_path / "new"), clock=Clock())
    assert made.go().report.is_whole
    assert len(fetched) == len(backed.target.objects()) - 3
    check_record(Home(tmp_path / "new"))


@pytest.mark.parametrize(
    "part", ["segments/mail", "keeper/ring", "wrapping", "log.sealed", "checkpoint", "vkey", "muniment.toml"]
)
def test_a_flipped_bit_and_a_missing_object_are_named(tmp_path, part):
    backed = make_backed(tmp_path)
    with recording(backed.home, backed.clock) as opened:
        opened.append([mail(1)])
        backed.run(opened)
    place = backed.objects_of(part)[0]
    path = backed.object_path(place.name)
    good = path.read_bytes()
    for at in (0, 10, 40, len(good) - 1):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        [wrong] = backed.check().wrong
        assert place.path in wrong
        assert place.name in wrong
    with pytest.raises(Tampered, match=place.name):
        backed.restore(tmp_path / "new")
    for bad in (b"", good[:30], good + b"x", good[:-1]):
        path.write_bytes(bad)
        assert len(backed.check().wrong) == 1
    path.unlink()
    [wrong] = backed.check().wrong
    assert place.path in wrong
    with pytest.raises(Missing, match=place.path):
        backed.restore(tmp_path / "new2")
    path.write_bytes(good)
    assert backed.restore(tmp_path / "new3").report.is_whole


def test_two_objects_that_change_places_are_named(tmp_path):
    backed = make_backed(tmp_path)
    backed.back_up()
    one, two = backed.objects_of("vkey")[0], backed.objects_of("log.sealed")[0]
    a, b = backed.object_path(one.name), backed.object_path(two.name)
    first = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(first)
    assert len(backed.check().wrong) == 2


def test_a_manifest_that_was_altered_or_renamed_does_not_open(tmp_path):
    backed = make_backed(tmp_path)
    backed.back_up()
    path = backed.folder / "manifests" / f"{1:016x}"
    good = path.read_bytes()
    path.rename(path.with_name(f"{2:016x}"))
    with pytest.raises(Tampered):
        backed.check()
    for bad in (b"", MANIFEST_MAGIC, good[:60], good[:-1], bytes(len(good))):
        path.with_name(f"{2:016x}").write_bytes(bad)
        with pytest.raises(Tampered):
            backed.restore(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert backed.back_up(anew=True).manifest.run == 3
    assert backed.check().is_whole


def manifest_of(home_files: tuple[File, ...], checkpoint: str, size: int) -> Manifest:
    return Manifest(1, "training.example/record", 1, 0, 1, size, checkpoint, home_files)


PIECE = Piece(3, bytes(32))
HOSTILE = (
    "../muniment.toml", "/etc/passwd", "record/../../x", "record/a/../b", "record//x", "record", "muniment.toml/x",
    "record/record.db", "record/lock", "record/.hidden/x", "record/keeper/EXAMPLE-machine-secret",
    "record/a\0b", "record/a\nb", "officer-keys/x.json", "", "record/ledger/tile/0/000", "record/restored.json",
)  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path, path):
    backed = make_backed(tmp_path)
    backed.back_up()
    good = newest(backed.target, SEALS)
    assert good is not None
    bad = manifest_of((*good.files, File(path, 3, (PIECE,))), good.checkpoint, good.size)
    backed.target.put_manifest(1, SEALS.seal_manifest(1, manifests.pack(bad)))
    with pytest.raises(Tampered, match="refused"):
        backed.restore(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "files",
    [
        (File("muniment.toml", 3, (PIECE,)), File("muniment.toml", 3, (PIECE,))),
        (File("muniment.toml", 4, (PIECE,)),),
        (File("muniment.toml", 1 << 62, (Piece(1 << 62, bytes(32)),)),),
        (File("muniment.toml", 0, (Piece(0, bytes(32)),)),),
        (File("muniment.toml", -1, (Piece(-1, bytes(32)),)),),
        (File("muniment.toml", 3, (Piece(3, b"short"),)),),
        (File("record/a", 3, (PIECE,)), File("record/a/b", 3, (PIECE,))),
    ],
)
def test_sizes_and_names_that_cannot_be_are_refused(tmp_path, files):
    backed = make_backed(tmp_path)
    backed.back_up()
    good = newest(backed.target, SEALS)
    assert good is not None
    bad = manifest_of(files, good.checkpoint, good.size)
    with pytest.raises(Tampered, match="refused"):
        manifests.parse(manifests.pack(bad), 1)


paths = st.one_of(
    st.text(max_size=30), st.sampled_from(HOSTILE), st.just("record/segments/mail/00000001-0000.seg")
)
pieces = st.builds(Piece, st.integers(-(1 << 63), (1 << 63) - 1), st.binary(max_size=40))
files = st.builds(
    File, paths, st.integers(-(1 << 63), (1 << 63) - 1), st.lists(pieces, max_size=3).map(tuple)
)
counts = st.integers(-(1 << 63), (1 << 63) - 1)
made = st.builds(
    Manifest, counts, st.text(max_size=20), counts, counts, counts, counts, st.text(max_size=60),
    st.lists(files, max_size=4).map(tuple),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), made.map(manifests.pack)), st.integers(0, 1 << 60))
def test_no_manifest_raises_anything_but_our_errors(data, run):
    try:
        manifests.parse(data, run)
    except MunimentError:
        return
    raise AssertionError("a manifest made at random cannot be whole: its checkpoint is signed text")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_object_raises_anything_but_our_errors(data):
    for opened in (lambda: SEALS.open("ab" * 32, data), lambda: SEALS.open_manifest(1, data)):
        with pytest.raises(Tampered):
            opened()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=3000), st.integers(0, 1 << 40))
def test_what_is_sealed_opens_under_its_own_name_only(piece, start):
    name = SEALS.name("record/x", start, bytes(32))
    sealed = SEALS.seal(name, piece)
    assert SEALS.open(name, sealed) == piece
    assert SEALS.seal(name, piece) == sealed
    with pytest.raises(Tampered):
        SEALS.open(SEALS.name("record/x", start + 1, bytes(32)), sealed)
    with pytest.raises(Tampered):
        Seals(root_of(bytes(32))).open(name, sealed)
