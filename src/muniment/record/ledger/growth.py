"""The tree grows at its right edge: which files new leaves add, and which they replace.

Source: C2SP tlog-tiles, "Partial Tiles".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from muniment.policy.errors import BadInput, Tampered
from muniment.record.disk import Disk
from muniment.record.ledger.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    leaf_hash,
    node_hash,
    root_from_leaves,
)
from muniment.record.ledger.tiles import (
    HEIGHT,
    TILE_BYTES,
    WIDTH,
    TileReader,
    bundle_path,
    hashes_of,
    make_bundle,
    tile_path,
    tile_root,
)


@dataclass
class Growth:
    """What a longer log adds: files by path, and the folders of partial tiles that full ones replace."""

    files: dict[str, bytes] = field(default_factory=dict)
    superseded: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Edge:
    """The partial tiles at the right edge of the tree, lowest level first, and the partial bundle."""

    size: int = 0
    levels: tuple[bytes, ...] = ()
    bundle: bytes = b""

    def grow(self, entries: Sequence[bytes], hashes: Sequence[bytes]) -> tuple[Edge, Growth]:
        """Return the edge after these leaves, and the files they add. `hashes` are the leaves' own."""
        if len(entries) != len(hashes):
            raise BadInput(f"{len(entries)} leaves with {len(hashes)} hashes; expected one each.")
        if not entries:
            return self, Growth()
        levels: list[bytes] = []
        growth, fresh = Growth(), list(hashes)
        bundle = self._grow_bundle(entries, growth)
        while fresh or len(levels) < len(self.levels):
            rest, fresh = self._grow_level(len(levels), fresh, growth)
            levels.append(rest)
        return Edge(self.size + len(entries), tuple(levels), bundle), growth

    def root(self) -> bytes:
        """Return the root of the tree: each level's partial tile, and on its right what lies below."""
        below: bytes | None = None
        for tile in self.levels:
            hashes = hashes_of(tile)
            below = _root_with(hashes, below)
        return EMPTY_ROOT if below is None else below

    def _grow_level(self, level: int, fresh: list[bytes], growth: Growth) -> tuple[bytes, list[bytes]]:
        """Add hashes to a level; return its new partial tile and the roots of the tiles that became full."""
        old = self.levels[level] if level < len(self.levels) else b""
        if not fresh:
            return old, []
        whole, index = old + b"".join(fresh), self.size >> (HEIGHT * (level + 1))
        full = len(whole) // TILE_BYTES
        roots = []
        for number in range(full):
            tile = whole[number * TILE_BYTES : (number + 1) * TILE_BYTES]
            growth.files[tile_path(level, index + number)] = tile
            roots.append(tile_root(tile))
        rest = whole[full * TILE_BYTES :]
        if rest:
            growth.files[tile_path(level, index + full, len(rest) // HASH_BYTES)] = rest
        if full and old:
            growth.superseded.append(tile_path(level, index) + ".p")
        return rest, roots

    def _grow_bundle(self, entries: Sequence[bytes], growth: Growth) -> bytes:
        index, held = divmod(self.size, WIDTH)
        start, pending = 0, self.bundle
        while held + len(entries) - start >= WIDTH:
            end = start + WIDTH - held
            growth.files[bundle_path(index)] = pending + make_bundle(entries[start:end])
            if held:
                growth.superseded.append(bundle_path(index) + ".p")
            start, pending, held, index = end, b"", 0, index + 1
        if start < len(entries):
            pending += make_bundle(entries[start:])
            growth.files[bundle_path(index, held + len(entries) - start)] = pending
        return pending


class TileWriter:
    """Puts the files of a growth on disk. Doing it twice is doing it once."""

    def __init__(self, directory: Path, disk: Disk) -> None:
        self._directory = directory
        self._disk = disk

    def apply(self, growth: Growth) -> None:
        """Write every file, then drop what the full ones replace.

        Raises: Conflict when a file of the tree is there with other bytes; Unavailable when the disk fails.
        """
        files = {self._directory / path: data for path, data in growth.files.items()}
        for path, data in files.items():
            self._disk.create_durable(path, data, sync_folder=False)
        for parent in dict.fromkeys(path.parent for path in files):
            self._disk.sync_dir(parent)
        for folder in growth.superseded:
            self._disk.remove_folder(self._directory / folder)


def read_edge(reader: TileReader) -> Edge:
    """Return the right edge of a stored tree, from one tile a level and one bundle.

    Raises: Tampered when the last leaves are not those of the last tile, or when a file is gone.
    """
    if not reader.size:
        return Edge()
    last = (reader.size - 1) // WIDTH
    entries = reader.bundle(last)
    for number, (entry, expected) in enumerate(zip(entries, hashes_of(reader.tile(0, last)), strict=True)):
        if leaf_hash(entry) != expected:
            raise Tampered(f"leaf {last * WIDTH + number} is not the one in {tile_path(0, last)}.")
    levels: list[bytes] = []
    while count := reader.size >> (HEIGHT * len(levels)):
        levels.append(reader.tile(len(levels), count // WIDTH) if count % WIDTH else b"")
    return Edge(reader.size, tuple(levels), make_bundle(entries) if reader.size % WIDTH else b"")


def _root_with(hashes: list[bytes], below: bytes | None) -> bytes | None:
    """Return the root of a partial tile whose right neighbour is the incomplete subtree below it."""
    if below is None:
        return root_from_leaves(hashes) if hashes else None
    frontier = Frontier()
    frontier.extend(hashes)
    for peak in reversed(frontier.peaks):
        below = node_hash(peak, below)
    return below
