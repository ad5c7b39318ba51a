"""Checks every file of the log from the signed root downwards, and names each that is damaged.

A file is right when it hashes to what the file above it says; the files at the right edge are right when together
they give the root. What is damaged is rebuilt in memory from below, if it can be, so that one bad tile hides nothing
beneath it. Leaves come out in order, each already checked, for the caller to compare with the segments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import product

from muniment.policy.errors import Tampered
from muniment.record.ledger.growth import Edge
from muniment.record.ledger.merkle import HASH_BYTES
from muniment.record.ledger.tiles import (
    HEIGHT,
    WIDTH,
    TileReader,
    bundle_path,
    hashes_of,
    tile_path,
    tile_root,
    width_at,
)

_CACHED_TILES = 16


@dataclass(frozen=True)
class Damage:
    """One file of the log that is not what the signed root says."""

    resource: str
    message: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.message}"


@dataclass
class Audit:
    """One pass over a log of `reader.size` leaves under `root`; `damage` fills while `leaves` is read."""

    reader: TileReader
    root: bytes
    damage: list[Damage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._verified = lru_cache(maxsize=_CACHED_TILES)(self._verify_tile)
        self._edge: list[bytes | None] = []

    def leaves(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield (index of the first, leaves) bundle by bundle; a bundle that is gone or broken is empty."""
        self._edge = self._verify_edge()
        for number in range((self.reader.size + WIDTH - 1) // WIDTH):
            tile = self._verified(0, number)
            try:
                entries = self.reader.bundle(number)
            except Tampered as error:
                self._report(bundle_path(number, self._width(0, number)), str(error))
                entries = []
            if entries and tile:
                self._compare(number, entries, tile)
            yield number * WIDTH, entries

    def run(self) -> list[Damage]:
        """Read everything and return the damage."""
        for _ in self.leaves():
            pass
        return self.damage

    def _compare(self, number: int, entries: list[bytes], tile: bytes) -> None:
        hashes = [sha256(b"\x00" + entry).digest() for entry in entries]
        if b"".join(hashes) == tile:
            return
        for place, (found, expected) in enumerate(zip(hashes, hashes_of(tile), strict=True)):
            if found != expected:
                path = bundle_path(number, self._width(0, number))
                self._report(path, f"leaf {number * WIDTH + place} is not the one that was signed for.")

    def _verify_tile(self, level: int, index: int) -> bytes | None:
        """Return the tile that the root demands, stored or rebuilt; None when neither can be had."""
        if self._width(level, index) < WIDTH:
            return self._edge[level]
        above = self._verified(level + 1, index // WIDTH)
        stored = self._stored(level, index)
        if above is None:
            return None
        place = index % WIDTH * HASH_BYTES
        expected = above[place : place + HASH_BYTES]
        if stored is not None and tile_root(stored) == expected:
            return stored
        if stored is not None:
            self._report(tile_path(level, index), "the tile is not the one that was signed for.")
        rebuilt = self._rebuilt(level, index)
        return rebuilt if rebuilt is not None and tile_root(rebuilt) == expected else None

    def _verify_edge(self) -> list[bytes | None]:
        """Return the partial tile of each level that together give the root; b"" for a level without one."""
        places: list[tuple[int, int, int]] = []
        while count := self.reader.size >> (HEIGHT * len(places)):
            places.append((len(places), count // WIDTH, count % WIDTH))
        stored = [self._stored(level, index) if width else b"" for level, index, width in places]
        if self._gives_root(stored):
            return stored
        rebuilt = [self._rebuilt(level, index) if width else b"" for level, index, width in places]
        for choice in product(*zip(stored, rebuilt, strict=True)):
            if self._gives_root(choice):
                self._report_edge(places, stored, list(choice))
                return list(choice)
        self._report("checkpoint", f"no right edge of {self.reader.size} leaves gives the root signed for.")
        return [None if width else b"" for _, _, width in places]

    def _gives_root(self, tiles: list[bytes | None] | tuple[bytes | None, ...]) -> bool:
        known = tuple(tile for tile in tiles if tile is not None)
        return len(known) == len(tiles) and Edge(self.reader.size, known).root() == self.root

    def _report_edge(
        self, places: list[tuple[int, int, int]], stored: list[bytes | None], right: list[bytes | None]
    ) -> None:
        for (level, index, width), found, expected in zip(places, stored, right, strict=True):
            if found is not None and found != expected:
                self._report(tile_path(level, index, width), "the tile is not the one that was signed for.")

    def _stored(self, level: int, index: int) -> bytes | None:
        try:
            return self.reader.tile(level, index)
        except Tampered as error:
            self._report(tile_path(level, index, self._width(level, index)), str(error))
            return None

    def _rebuilt(self, level: int, index: int) -> bytes | None:
        """Return a tile made of what lies below it, unchecked."""
        try:
            if level == 0:
                entries = self.reader.bundle(index)
                return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])
            first = index * WIDTH
            below = range(first, first + self._width(level, index))
            return b"".join([tile_root(self.reader.tile(level - 1, number)) for number in below])
        except Tampered:
            return None

    def _width(self, level: int, index: int) -> int:
        return width_at(self.reader.size, level, index)

    def _report(self, resource: str, message: str) -> None:
        finding = Damage(resource, message.removeprefix(f"{resource} "))
        if finding not in self.damage:
            self.damage.append(finding)
