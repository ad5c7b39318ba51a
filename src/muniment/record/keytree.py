"""A hash tree turns one root into 2^depth leaf seeds, any part of which can be given away or forgotten.

A node's two children are SHA-256 of a label and the node; leaf `i` lies at level `depth` and is found by the
bits of `i`, the highest first. `Forward` is the writer's end: it yields leaves in order and cannot go back.
`Cover` is the holder's end: it names the nodes still held, from which exactly the leaves below them derive.

Source: docs/formats/keytree.md; Goldreich, Goldwasser and Micali 1986; Green and Miers 2015 (puncturing).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

import msgspec

from muniment.policy.errors import BadInput, Missing

DEPTH = 24
MAX_DEPTH = 32
SEED_BYTES = 32
VERSION = 1

LEFT = b"muniment/1 child 0"
RIGHT = b"muniment/1 child 1"

# How many levels `Forward` expands in one go; every leaf it has ready belongs to the future.
_STEP = 4

# How many levels a `SeedReader` expands in one go.
_BLOCK_LEVELS = 8

Node = tuple[int, int]  # level (the root is 0), index within the level
_Stored = tuple[int, int, list[tuple[int, int, bytes]]]  # version, depth, nodes from left to right


class Punctured(Missing):
    """The seed asked for cannot be derived from the nodes that are left."""


def descend(seed: bytes, path: int, levels: int) -> bytes:
    """Return the node `levels` below `seed`, going right for each set bit of `path`, the highest first."""
    for shift in range(levels - 1, -1, -1):
        seed = sha256((RIGHT if path >> shift & 1 else LEFT) + seed).digest()
    return seed


def expand(seed: bytes, levels: int) -> list[bytes]:
    """Return all 2^levels nodes `levels` below `seed`, from left to right."""
    nodes = [seed]
    for _ in range(levels):
        nodes = [sha256(label + node).digest() for node in nodes for label in (LEFT, RIGHT)]
    return nodes


class Forward:
    """Yields the leaf seeds of a tree in order and keeps only what derives the ones to come.

    An index handed out is never handed out again, whether or not the caller could store what it sealed.
    """

    def __init__(self, root: bytes, depth: int = DEPTH) -> None:
        _require_seed(root)
        _require_depth(depth)
        self.depth = depth
        self.position = 0
        self._ready: list[bytes] = []
        self._stack: list[tuple[int, bytes]] = [(0, root)]

    def next(self) -> bytes:
        """Return the seed of leaf `position` and move on.

        Raises: Punctured when the tree is used up.
        """
        if not self._ready:
            self._refill()
        self.position += 1
        return self._ready.pop()

    def _refill(self) -> None:
        if not self._stack:
            raise Punctured(f"all {1 << self.depth:,} keys of this epoch are used; begin a new epoch")
        level, seed = self._stack.pop()
        # Going down, the right-hand siblings stay on the stack: they are the future.
        while level < self.depth - _STEP:
            level += 1
            self._stack.append((level, sha256(RIGHT + seed).digest()))
            seed = sha256(LEFT + seed).digest()
        self._ready = expand(seed, self.depth - level)
        self._ready.reverse()


class Cover:
    """The nodes of one tree that are still held: exactly the leaves below them can be derived.

    No node is an ancestor of another. `puncture` and `puncture_range` change the cover in place, `restrict`
    and `restrict_to` make a smaller one. Whoever rewrites the stored form must destroy the old one as well.
    """

    def __init__(self, depth: int, nodes: dict[Node, bytes]) -> None:
        _require_depth(depth)
        self.depth = depth
        self.nodes = nodes

    @classmethod
    def whole(cls, root: bytes, depth: int = DEPTH) -> Cover:
        """Return the cover of every leaf."""
        _require_seed(root)
        return cls(depth, {(0, 0): root})

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing can be derived any more."""
        return not self.nodes

    def __contains__(self, index: int) -> bool:
        return self.above(index) is not None

    def seed(self, index: int) -> bytes:
        """Return the seed of leaf `index`.

        Raises: Punctured when it is not covered.
        """
        node = self.above(index)
        if node is None:
            raise Punctured(f"the key of record {index} is not held here: it was destroyed or never released")
        levels = self.depth - node[0]
        return descend(self.nodes[node], index & ((1 << levels) - 1), levels)

    def walk(self, lo: int, hi: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, seed) of every covered leaf in [lo, hi), in order; faster than one by one."""
        for (level, index), seed in sorted(self.restrict(lo, hi).nodes.items(), key=self._start):
            yield from _leaves(index << (self.depth - level), seed, self.depth - level)

    def puncture(self, index: int) -> None:
        """Make leaf `index` underivable for ever; without effect when it already is."""
        self._remove(self.depth, index)

    def puncture_range(self, lo: int, hi: int) -> None:
        """Make the leaves in [lo, hi) underivable for ever."""
        for level, index in _aligned(self.depth, lo, hi):
            if not self._remove(level, index):
                self._remove_below(level, index)

    def restrict(self, lo: int, hi: int) -> Cover:
        """Return the least cover of the leaves in [lo, hi) that are still held: a constrained key."""
        kept: dict[Node, bytes] = {}
        for (level, index), seed in self.nodes.items():
            first = index << (self.depth - level)
            after = (index + 1) << (self.depth - level)
            if lo <= first and after <= hi:
                kept[level, index] = seed
            elif first < hi and lo < after:
                for low, node in _aligned(self.depth, max(lo, first), min(hi, after)):
                    path = node - (index << (low - level))
                    kept[low, node] = descend(seed, path, low - level)
        return Cover(self.depth, kept)

    def restrict_to(self, indices: Iterable[int]) -> Cover:
        """Return the least cover of exactly the leaves in `indices`.

        Raises: Punctured when one of them is not covered.
        """
        kept: dict[Node, bytes] = {}
        for lo, hi in _runs(sorted(set(indices))):
            part = self.restrict(lo, hi)
            if sum(1 << (self.depth - level) for level, _ in part.nodes) != hi - lo:
                raise Punctured(f"not every key of the records {lo} to {hi - 1} is held here")
            kept |= part.nodes
        return Cover(self.depth, kept)

    def to_bytes(self) -> bytes:
        """Return the stored form: the same cover always gives the same bytes."""
        nodes = sorted(self.nodes.items(), key=self._start)
        return msgspec.msgpack.encode((VERSION, self.depth, [(*node, seed) for node, seed in nodes]))

    @classmethod
    def from_bytes(cls, data: bytes) -> Cover:
        """Return the cover that `to_bytes` stored.

        Raises: BadInput when the bytes are no cover: wrong version, a node out of place or below another one.
        """
        try:
            version, depth, rows = msgspec.msgpack.decode(data, type=_Stored)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadInput(f"these bytes are no key cover: {error}") from None
        if version != VERSION:
            raise BadInput(f"key cover version {version} is not known here, expected {VERSION}")
        _require_depth(depth)
        end = 0
        for level, index, seed in rows:
            _require_seed(seed)
            if not 0 <= level <= depth or not 0 <= index < 1 << level or index << (depth - level) < end:
                raise BadInput(f"key cover: node {index} of level {level} is out of place")
            end = (index + 1) << (depth - level)
        return cls(depth, {(level, index): seed for level, index, seed in rows})

    def _start(self, item: tuple[Node, bytes]) -> int:
        (level, index), _ = item
        return index << (self.depth - level)

    def above(self, index: int) -> Node | None:
        """Return the held node at or above leaf `index`."""
        if not 0 <= index < 1 << self.depth:
            return None
        nodes = self.nodes
        for level in range(self.depth, -1, -1):
            if (level, index) in nodes:
                return level, index
            index >>= 1
        return None

    def _remove(self, level: int, index: int) -> bool:
        """Replace the held node at or above this one by the siblings on the way down; tell if any was."""
        above = self.above(index << (self.depth - level))
        if above is None or above[0] > level:
            return False
        seed = self.nodes.pop(above)
        for at in range(above[0] + 1, level + 1):
            bit = index >> (level - at) & 1
            sibling = (index >> (level - at)) ^ 1
            self.nodes[at, sibling] = sha256((LEFT if bit else RIGHT) + seed).digest()
            seed = sha256((RIGHT if bit else LEFT) + seed).digest()
        return True

    def _remove_below(self, level: int, index: int) -> None:
        """Drop every held node under this one."""
        for node in [n for n in self.nodes if n[0] > level and n[1] >> (n[0] - level) == index]:
            del self.nodes[node]


class SeedReader:
    """Gives the seeds of a cover for indexes that lie near each other: those of a block are derived together.

    A block lies below one held node and has 256 leaves at most, so nothing beyond the cover is derived. It sees
    nothing of what is punctured later.
    """

    def __init__(self, cover: Cover) -> None:
        self._cover = cover
        self._first = 0
        self._seeds: list[bytes] = []

    def seed(self, index: int) -> bytes:
        """Return the seed of leaf `index`.

        Raises: Punctured when it is not covered.
        """
        at = index - self._first
        if 0 <= at < len(self._seeds):
            return self._seeds[at]
        node = self._cover.above(index)
        if node is None:
            return self._cover.seed(index)  # which says that it is not held
        levels = self._cover.depth - node[0]
        inner = min(levels, _BLOCK_LEVELS)
        block = (index & ((1 << levels) - 1)) >> inner
        self._seeds = expand(descend(self._cover.nodes[node], block, levels - inner), inner)
        self._first = index >> inner << inner
        return self._seeds[index - self._first]


def _leaves(first: int, seed: bytes, levels: int) -> Iterator[tuple[int, bytes]]:
    """Yield the leaves below a node, 256 expanded at a time."""
    inner = max(0, levels - 8)
    for block in range(1 << inner):
        top = descend(seed, block, inner)
        yield from enumerate(expand(top, levels - inner), first + (block << (levels - inner)))


def _aligned(depth: int, lo: int, hi: int) -> Iterator[Node]:
    """Yield the fewest nodes whose leaves together are [lo, hi), from left to right."""
    lo, hi = max(lo, 0), min(hi, 1 << depth)
    while lo < hi:
        size = min(lo & -lo if lo else 1 << depth, 1 << (hi - lo).bit_length() - 1)
        yield depth - size.bit_length() + 1, lo // size
        lo += size


def _runs(indices: list[int]) -> Iterator[tuple[int, int]]:
    """Yield [lo, hi) for every run of consecutive numbers."""
    start = 0
    for at in range(1, len(indices) + 1):
        if at == len(indices) or indices[at] != indices[at - 1] + 1:
            yield indices[start], indices[at - 1] + 1
            start = at


def _require_seed(seed: bytes) -> None:
    if len(seed) != SEED_BYTES:
        raise BadInput(f"a tree seed has {SEED_BYTES} bytes, found {len(seed)}")


def _require_depth(depth: int) -> None:
    if not 1 <= depth <= MAX_DEPTH:
        raise BadInput(f"a key tree has 1 to {MAX_DEPTH} levels, found {depth}")
