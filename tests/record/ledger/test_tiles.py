from __future__ import annotations

from base64 import b64decode
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Conflict, Tampered
from muniment.record.disk import Disk
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.growth import Edge, Growth, TileWriter, read_edge
from muniment.record.ledger.merkle import EMPTY_ROOT, leaf_hash, verify_consistency, verify_inclusion
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.ledger.tiles import (
    MAX_ENTRY_BYTES,
    TileReader,
    bundle_path,
    make_bundle,
    parse_bundle,
    tile_path,
    width_at,
)
from muniment.record.ledger.vkey import parse_vkey

from .shared import ENTRIES, HASHES, OWN, PUBLIC, root_of

TESSERA = PUBLIC / "tlog-tiles-tessera-log"
TESSERA_ORIGIN = "example.com/log/testdata"
TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
TESSERA_SEED = b64decode("AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg")[1:]  # published with the log
TESSERA_ENTRIES = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eit",
    "nain",
    "ten",
    "ileven",
    "twelf",
    "threeten",
    "fourten",
    "fivten",
]


def grown(size: int) -> tuple[Edge, Growth]:
    return Edge().grow(ENTRIES[:size], HASHES[:size])


def test_the_published_paths_come_out() -> None:
    for number, expected in OWN["paths"].items():
        assert tile_path(0, int(number)) == expected
    assert tile_path(63, 0, 1) == "tile/63/000.p/1"
    assert bundle_path(1234067, 44) == "tile/entries/x001/x234/067.p/44"


def test_the_specifications_example_of_70_000_leaves_has_its_tiles() -> None:
    assert [width_at(70_000, 0, index) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [width_at(70_000, 1, index) for index in (0, 1, 2)] == [256, 17, 0]
    assert [width_at(70_000, 2, index) for index in (0, 1)] == [1, 0]
    assert width_at(70_000, 3, 0) == 0


def test_our_own_tiles_and_bundles_come_out_as_published() -> None:
    _, growth = grown(300)
    assert {path: sha256(data).hexdigest() for path, data in growth.files.items()} == OWN["resource_sha256"]


def test_the_public_tessera_log_comes_out_byte_for_byte() -> None:
    """Every checkpoint (signatures too), tile and bundle of sizes 0 to 15, grown one leaf at a time."""
    signer = Ed25519Signer(TESSERA_ORIGIN, TESSERA_SEED)
    assert str(signer.key) == TESSERA_KEY
    edge, made = Edge(), {"checkpoint.0": Checkpoint(TESSERA_ORIGIN, 0, EMPTY_ROOT).sign(signer)}
    for size, word in enumerate(TESSERA_ENTRIES, start=1):
        entry = word.encode()
        edge, growth = edge.grow([entry], [leaf_hash(entry)])
        made |= growth.files
        made[f"checkpoint.{size}"] = Checkpoint(TESSERA_ORIGIN, size, edge.root()).sign(signer)
    made["checkpoint"] = made["checkpoint.15"]
    assert len(made) == 47
    for name, data in made.items():
        if name.startswith("checkpoint"):
            assert open_checkpoint(data, TESSERA_ORIGIN, [parse_vkey(TESSERA_KEY)])
    if TESSERA.exists():
        published = [path for path in TESSERA.rglob("*") if path.is_file() and ".state" not in path.parts]
        names = {str(path.relative_to(TESSERA)): path.read_bytes() for path in published}
        assert names.pop("build_log.sh")
        assert made == names


def test_a_log_grown_in_pieces_is_the_log_grown_at_once(tmp_path: Path) -> None:
    writer, edge = TileWriter(tmp_path, Disk()), Edge()
    for start, end in pairwise([0, 1, 2, 255, 256, 257, 300]):
        edge, growth = edge.grow(ENTRIES[start:end], HASHES[start:end])
        writer.apply(growth)
        writer.apply(growth)
        assert edge.root() == root_of(end)
        reader = TileReader(tmp_path, end)
        assert reader.root() == root_of(end)
        assert read_edge(reader) == edge
    found = {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    _, whole = grown(300)
    assert {path: found[path] for path in whole.files} == whole.files
    kept = {"tile/0/001.p/1", "tile/entries/001.p/1"}  # a checkpoint of 257 leaves was signed
    assert set(found) - set(whole.files) == kept


def test_every_proof_read_from_the_files_holds(tmp_path: Path) -> None:
    TileWriter(tmp_path, Disk()).apply(grown(300)[1])
    reader = TileReader(tmp_path, 300)
    for index in range(0, 300, 7):
        verify_inclusion(HASHES[index], index, 300, reader.inclusion(index), root_of(300))
        assert reader.entry(index) == ENTRIES[index]
    for old in range(1, 301, 7):
        verify_consistency(old, 300, root_of(old), root_of(300), reader.consistency(old))
    with pytest.raises(BadInput):
        reader.entry(300)


def test_an_earlier_size_is_read_from_the_full_tiles_of_a_later_one(tmp_path: Path) -> None:
    TileWriter(tmp_path, Disk()).apply(grown(300)[1])
    reader = TileReader(tmp_path, 201)
    assert reader.root() == root_of(201)
    verify_inclusion(HASHES[200], 200, 201, reader.inclusion(200), root_of(201))


def test_a_tall_tree_keeps_one_hash_a_full_tile(tmp_path: Path) -> None:
    entries = [number.to_bytes(3, "big") for number in range(66_000)]
    hashes = [leaf_hash(entry) for entry in entries]
    edge, first = Edge().grow(entries[:65_535], hashes[:65_535])
    edge, second = edge.grow(entries[65_535:65_537], hashes[65_535:65_537])
    edge, third = edge.grow(entries[65_537:], hashes[65_537:])
    assert len(second.files["tile/1/000"]) == 8192
    assert len(second.files["tile/2/000.p/1"]) == 32
    assert second.superseded == ["tile/entries/255.p", "tile/0/255.p", "tile/1/000.p"]
    for growth in (first, second, third):
        for path, data in growth.files.items():
            if path.startswith(("tile/1", "tile/2", "tile/0/257", "tile/entries/257")):
                Disk().write_durable(tmp_path / path, data)
    reader = TileReader(tmp_path, 66_000)
    assert read_edge(reader) == edge
    assert reader.root() == edge.root()
    assert edge.root() == Edge().grow(entries, hashes)[0].root()


def test_a_missing_or_short_file_is_named(tmp_path: Path) -> None:
    TileWriter(tmp_path, Disk()).apply(grown(300)[1])
    (tmp_path / "tile/0/001.p/44").write_bytes(bytes(31))
    (tmp_path / "tile/entries/001.p/44").write_bytes(make_bundle(ENTRIES[256:299]))
    reader = TileReader(tmp_path, 300)
    with pytest.raises(Tampered, match=r"tile/0/001\.p/44 has 31 bytes"):
        reader.tile(0, 1)
    with pytest.raises(Tampered, match=r"tile/entries/001\.p/44 holds 43 leaves"):
        reader.bundle(1)
    (tmp_path / "tile/0/001.p/44").unlink()
    with pytest.raises(Tampered, match=r"tile/0/001\.p/44 is gone"):
        reader.inclusion(5)


def test_a_file_of_the_tree_is_never_overwritten(tmp_path: Path) -> None:
    writer = TileWriter(tmp_path, Disk())
    writer.apply(grown(300)[1])
    forged = Edge().grow([b"forged", *ENTRIES[1:300]], [leaf_hash(b"forged"), *HASHES[1:300]])[1]
    with pytest.raises(Conflict):
        writer.apply(forged)
    assert TileReader(tmp_path, 300).root() == root_of(300)


def test_leaves_of_every_allowed_length_survive_a_bundle() -> None:
    entries = [b"", b"x", bytes(176), bytes(MAX_ENTRY_BYTES)]
    assert parse_bundle(make_bundle(entries)) == entries
    with pytest.raises(BadInput):
        make_bundle([bytes(MAX_ENTRY_BYTES + 1)])


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(min_value=1, max_value=40))
def test_a_bundle_cut_short_is_refused_or_shorter(entries: list[bytes], cut: int) -> None:
    data = make_bundle(entries)
    assert parse_bundle(data) == entries
    try:
        assert parse_bundle(data[:-cut]) == entries[: len(parse_bundle(data[:-cut]))]
    except Tampered as refusal:
        assert "ends within a leaf" in str(refusal)


@given(st.lists(st.integers(min_value=0, max_value=300), max_size=6))
def test_any_growth_gives_the_roots_of_the_definition(steps: list[int]) -> None:
    edge, size = Edge(), 0
    for end in sorted(steps):
        edge, growth = edge.grow(ENTRIES[size:end], HASHES[size:end])
        assert bool(growth.files) == (end > size)
        size = end
        assert (edge.size, edge.root()) == (size, root_of(size))


def test_leaves_and_hashes_come_in_pairs() -> None:
    with pytest.raises(BadInput):
        Edge().grow(ENTRIES[:2], HASHES[:1])
