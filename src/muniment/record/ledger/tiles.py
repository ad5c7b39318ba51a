"""The tree as files: tiles of 256 hashes, bundles of 256 leaves. A file, once it is there, never changes.

A tile of level l holds the roots of 256 full tiles of level l-1; level 0 holds leaf hashes. The last
tile of a level may be partial; it then lies in a folder beside the place of the full one
(`tile/0/001.p/44`) and may go when the full one is there. A bundle holds the leaves of a tile of
level 0, each after its length in two bytes.
Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from muniment.policy.errors import BadInput, Tampered
from muniment.record.ledger.merkle import (
    HASH_BYTES,
    Frontier,
    consistency_proof,
    inclusion_proof,
)

WIDTH = 256
HEIGHT = 8
TILE_BYTES = WIDTH * HASH_BYTES
MAX_ENTRY_BYTES = 65_535
_CACHED_TILES = 64


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Return where a tile lies; `width` is 256 for a full one."""
    return _resource(f"tile/{level}", index, width)


def bundle_path(index: int, width: int = WIDTH) -> str:
    """Return where a bundle of leaves lies; `width` is 256 for a full one."""
    return _resource("tile/entries", index, width)


def width_at(size: int, level: int, index: int) -> int:
    """Return how many hashes tile `index` of a level holds in a tree of `size` leaves; 0 for no tile."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - index * WIDTH))


def make_bundle(entries: Sequence[bytes]) -> bytes:
    """Return leaves one after the other, each after its length. Raises: BadInput for a leaf too long."""
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise BadInput(f"a leaf has {MAX_ENTRY_BYTES} bytes at most.")
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def parse_bundle(data: bytes) -> list[bytes]:
    """Return the leaves of a bundle. Raises: Tampered when it ends within one."""
    entries, position = [], 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        entries.append(data[start:position])
    if position > len(data):
        raise Tampered("the bundle ends within a leaf.")
    return entries


def tile_root(tile: bytes) -> bytes:
    """Return the root over a full tile."""
    while len(tile) > HASH_BYTES:
        tile = b"".join([sha256(b"\x01" + tile[i : i + 64]).digest() for i in range(0, len(tile), 64)])
    return tile


def hashes_of(tile: bytes) -> list[bytes]:
    """Return the hashes in a tile."""
    return [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]


class TileReader:
    """Reads the tree of `size` leaves from its files; nothing it returns is checked against a root."""

    def __init__(self, directory: Path, size: int) -> None:
        self._directory = directory
        self.size = size
        self._cached = lru_cache(maxsize=_CACHED_TILES)(self._read_tile)

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile's hashes. Raises: Tampered when it is gone or short."""
        return self._cached(level, index)

    def bundle(self, index: int) -> list[bytes]:
        """Return the leaves of a bundle. Raises: Tampered when it is gone or broken, naming it."""
        width = width_at(self.size, 0, index)
        path = bundle_path(index, width)
        data = self._read(path, bundle_path(index))
        try:
            entries = parse_bundle(data)
        except Tampered as error:
            raise Tampered(f"{path}: {error}") from error
        if len(entries) < width:
            raise Tampered(f"{path} holds {len(entries)} leaves; expected {width}.")
        return entries[:width]

    def entry(self, index: int) -> bytes:
        """Return a leaf. Raises: BadInput when there is none of that index; Tampered as `bundle`."""
        if not 0 <= index < self.size:
            raise BadInput(f"the log has {self.size} leaves, and so no leaf {index}.")
        return self.bundle(index // WIDTH)[index % WIDTH]

    def hash(self, level: int, index: int) -> bytes:
        """Return the hash of the stored subtree `index` of `level`. Raises: Tampered as `tile`."""
        tile_level, inner = divmod(level, HEIGHT)
        number, offset = divmod(index << inner, WIDTH)
        tile = self.tile(tile_level, number)
        part = tile[offset * HASH_BYTES : (offset + (1 << inner)) * HASH_BYTES]
        if len(part) != HASH_BYTES << inner:
            raise BadInput(f"a log of {self.size} leaves has no complete subtree {index} of level {level}.")
        return tile_root(part)

    def frontier(self) -> Frontier:
        """Return the frontier of the tree, from at most two tiles a level."""
        return Frontier.from_subtrees(self.size, self.hash)

    def root(self) -> bytes:
        """Return the root the right edge gives."""
        return self.frontier().root()

    def inclusion(self, index: int) -> list[bytes]:
        """Return the inclusion proof of a leaf."""
        return inclusion_proof(self.hash, index, self.size)

    def consistency(self, old_size: int) -> list[bytes]:
        """Return the proof that the log of `old_size` leaves is the beginning of this one."""
        return consistency_proof(self.hash, old_size, self.size)

    def _read_tile(self, level: int, index: int) -> bytes:
        width = width_at(self.size, level, index)
        path = tile_path(level, index, width)
        data = self._read(path, tile_path(level, index))
        if len(data) < width * HASH_BYTES or len(data) % HASH_BYTES:
            raise Tampered(f"{path} has {len(data)} bytes; expected {width * HASH_BYTES}.")
        return data[: width * HASH_BYTES]

    def _read(self, path: str, full: str) -> bytes:
        """Read a partial resource, or the beginning of the full one that replaced it."""
        for name in (path, full):
            try:
                return (self._directory / name).read_bytes()
            except FileNotFoundError:
                continue
        raise Tampered(f"{path} is gone; a log of {self.size} leaves has it. Run `muniment rebuild`.")


def _resource(folder: str, index: int, width: int) -> str:
    name = f"{index % 1000:03d}"
    while index := index // 1000:
        name = f"x{index % 1000:03d}/{name}"
    return f"{folder}/{name}" if width == WIDTH else f"{folder}/{name}.p/{width}"
