"""Every byte of a small log flipped, every file removed: each time the damaged file is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from muniment.record.disk import Disk
from muniment.record.ledger.audit import Audit
from muniment.record.ledger.growth import Edge, TileWriter
from muniment.record.ledger.merkle import leaf_hash
from muniment.record.ledger.tiles import TileReader

from .shared import ENTRIES, HASHES, root_of

SIZE = 600
MANY = [b"%d" % number for number in range(SIZE)]
MANY_HASHES = [leaf_hash(entry) for entry in MANY]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    TileWriter(tmp_path, Disk()).apply(Edge().grow(MANY, MANY_HASHES)[1])
    return tmp_path


def root() -> bytes:
    return Edge().grow(MANY, MANY_HASHES)[0].root()


def audit(folder: Path) -> Audit:
    return Audit(TileReader(folder, SIZE), root())


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path


def test_a_sound_log_gives_every_leaf_and_no_damage(folder: Path) -> None:
    found = audit(folder)
    assert [entry for _, entries in found.leaves() for entry in entries] == MANY
    assert found.damage == []


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 300])
def test_a_sound_log_of_any_size_passes(tmp_path: Path, size: int) -> None:
    TileWriter(tmp_path, Disk()).apply(Edge().grow(ENTRIES[:size], HASHES[:size])[1])
    assert Audit(TileReader(tmp_path, size), root_of(size)).run() == []


def test_a_flipped_bit_in_any_file_names_that_file_and_no_other(folder: Path) -> None:
    for name, path in files(folder):
        good = path.read_bytes()
        for place in range(0, len(good), 211):
            bad = bytearray(good)
            bad[place] ^= 1 << place % 8
            path.write_bytes(bad)
            damage = audit(folder).run()
            assert {finding.resource for finding in damage} == {name}, (name, place, damage)
        path.write_bytes(good)
    assert audit(folder).run() == []


def test_the_altered_leaf_is_named_by_its_number(folder: Path) -> None:
    path = folder / "tile/entries/001"
    path.write_bytes(path.read_bytes().replace(b"\x00\x03300", b"\x00\x03309"))
    assert [str(finding) for finding in audit(folder).run()] == [
        "tile/entries/001: leaf 300 is not the one that was signed for."
    ]


def test_a_removed_file_is_named(folder: Path) -> None:
    for name, path in files(folder):
        good = path.read_bytes()
        path.unlink()
        assert {finding.resource for finding in audit(folder).run()} == {name}
        path.write_bytes(good)


def test_two_damaged_files_are_both_named(folder: Path) -> None:
    for name in ("tile/1/000.p/2", "tile/entries/000"):
        path = folder / name
        bad = bytearray(path.read_bytes())
        bad[-1] ^= 1
        path.write_bytes(bad)
    assert {finding.resource for finding in audit(folder).run()} == {"tile/1/000.p/2", "tile/entries/000"}


def test_a_leaf_forged_together_with_its_tile_is_seen(folder: Path) -> None:
    forged = [*MANY[:300], b"309", *MANY[301:]]
    hashes = [leaf_hash(entry) for entry in forged]
    for path, data in Edge().grow(forged, hashes)[1].files.items():
        if path in ("tile/0/001", "tile/entries/001"):
            (folder / path).write_bytes(data)
    assert [finding.resource for finding in audit(folder).run()] == ["tile/0/001"]


def test_a_log_forged_up_to_its_root_is_seen(folder: Path) -> None:
    forged = [*MANY[:599], b"forged"]
    hashes = [leaf_hash(entry) for entry in forged]
    for path, data in Edge().grow(forged, hashes)[1].files.items():
        (folder / path).write_bytes(data)
    assert [finding.resource for finding in audit(folder).run()] == ["checkpoint"]
