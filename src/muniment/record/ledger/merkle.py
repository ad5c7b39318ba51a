"""The Merkle tree of RFC 6962: hashes, roots, inclusion and consistency proofs, and their verification.

A *stored subtree* is a complete one, named by level and index: 2^level leaves from leaf index·2^level on.
Proofs are made from a function that reads stored subtrees, so the tree itself is never held in memory.
Verification returns nothing or raises.
Source: RFC 6962 section 2.1; RFC 9162 section 2.1; draft-ietf-plants-merkle-tree-certs, "Subtrees".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from muniment.policy.errors import BadInput, Tampered

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

ReadHash = Callable[[int, int], bytes]
"""Give the hash of a stored subtree: `read(level, index)`."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf, kept apart from a node's by its first byte."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def root_from_leaves(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, level by level; an odd last one rises as it is."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        pairs = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[-1:] if len(level) & 1 else pairs
    return level[0]


class Frontier:
    """The right edge of a growing tree: its size and the roots of its complete subtrees, largest first."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count() or any(len(p) != HASH_BYTES for p in self.peaks):
            raise BadInput(
                f"a tree of {size} leaves has {size.bit_count()} complete subtrees of 32 bytes each."
            )

    @classmethod
    def from_state(cls, state: Sequence[object]) -> Frontier:
        """Return the frontier that `state` described."""
        size, *peaks = state
        if not isinstance(size, int) or not all(isinstance(peak, bytes) for peak in peaks):
            raise BadInput("a frontier's state is its size and then its hashes.")
        return cls(size, [peak for peak in peaks if isinstance(peak, bytes)])

    @classmethod
    def from_subtrees(cls, size: int, read: ReadHash) -> Frontier:
        """Return the frontier of a stored tree, reading at most one hash a level."""
        return cls(size, [read(level, index) for level, index in _complete_subtrees(0, size)])

    def state(self) -> list[object]:
        """Return the size and then the hashes, at most 64 of them."""
        return [self.size, *self.peaks]

    def copy(self) -> Frontier:
        """Return a frontier that grows independently."""
        return Frontier(self.size, self.peaks)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes in order."""
        pop, push, size = self.peaks.pop, self.peaks.append, self.size
        for entry in leaves:
            rest = size
            while rest & 1:
                entry = sha256(b"\x01" + pop() + entry).digest()
                rest >>= 1
            push(entry)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        return _fold(self.peaks)


def range_hash(read: ReadHash, start: int, end: int) -> bytes:
    """Return the root over leaves `start` to `end`, which must be a subtree (see `_require_subtree`)."""
    return _fold([read(level, index) for level, index in _complete_subtrees(start, end)])


def inclusion_proof(read: ReadHash, index: int, size: int) -> list[bytes]:
    """Return the hashes that lead from leaf `index` to the root of the tree of `size` leaves.

    Raises: BadInput when the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise BadInput(f"a tree of {size} leaves has no leaf {index}.")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(read, middle, end))
            end = middle
        else:
            path.append(range_hash(read, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(read: ReadHash, old_size: int, new_size: int) -> list[bytes]:
    """Return the hashes that show the first `old_size` leaves of the tree of `new_size` to be unchanged.

    A proof from size 0 is empty: it says nothing.
    Raises: BadInput when the old tree is larger than the new one.
    """
    if not 0 <= old_size <= new_size:
        raise BadInput(f"a tree of {old_size} leaves is no beginning of one of {new_size}.")
    if old_size == 0:
        return []
    path, start, end, is_whole = [], 0, new_size, True
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(range_hash(read, middle, end))
            end = middle
        else:
            path.append(range_hash(read, start, middle))
            start, is_whole = middle, False
    if not is_whole:
        path.append(range_hash(read, start, end))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return when `leaf` is leaf `index` of the tree of `size` leaves under `root`.

    Raises: Tampered otherwise.  Source: RFC 9162 section 2.1.3.2.
    """
    _require_hashes(leaf, root, *proof)
    if not 0 <= index < size:
        raise Tampered(f"leaf {index} cannot be in a tree of {size} leaves.")
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Tampered(f"the inclusion proof of leaf {index} is too long.")
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    if last or found != root:
        raise Tampered(f"the inclusion proof of leaf {index} does not lead to the root of {size} leaves.")


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Return when the tree of `old_size` leaves is the beginning of the tree of `new_size`.

    Every tree begins with the empty one, so a proof from size 0 proves nothing and is refused: who accepts
    "I knew nothing before" says so where it happens.
    Raises: Tampered otherwise.  Source: RFC 9162 section 2.1.4.2.
    """
    if old_size == 0:
        raise Tampered("a consistency proof from the empty tree proves nothing.")
    verify_subtree_consistency(0, old_size, new_size, old_root, new_root, proof)


def verify_subtree_inclusion(
    leaf: bytes, index: int, start: int, end: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Return when `leaf` is leaf `index` of the log, within the subtree of leaves `start` to `end`.

    Raises: Tampered otherwise.
    """
    _require_subtree(start, end)
    verify_inclusion(leaf, index - start, end - start, proof, root)


def verify_subtree_consistency(
    start: int, end: int, size: int, subtree_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Return when leaves `start` to `end`, hashed to `subtree_root`, are those of the tree of `size` leaves.

    An empty subtree has the empty root and needs no proof; the whole tree is consistent with itself.
    Raises: Tampered otherwise.
    Source: draft-ietf-plants-merkle-tree-certs, "Verifying a Subtree Consistency Proof".
    """
    if not 0 <= start <= end <= size:
        raise Tampered(f"leaves {start} to {end} are no part of a tree of {size}.")
    if start == end or (start == 0 and end == size):
        expected = EMPTY_ROOT if start == end else root
        if proof or subtree_root != expected:
            raise Tampered(f"leaves {start} to {end} need no proof, and one root.")
        return
    _require_hashes(subtree_root, root, *proof)
    _require_subtree(start, end)
    _walk_to_root(start, end, size, subtree_root, root, list(proof))


def _walk_to_root(
    start: int, end: int, size: int, subtree_root: bytes, root: bytes, rest: list[bytes]
) -> None:
    """Fold a proof into both roots at once: the subtree's (`old`) and the tree's (`new`)."""
    first, node, last = start, end - 1, size - 1
    while first != node and (node == last or node & 1):
        first, node, last = first >> 1, node >> 1, last >> 1
    if first != node and not rest:
        raise Tampered("the consistency proof is too short.")
    old = new = subtree_root if first == node else rest.pop(0)
    for sibling in rest:
        if last == 0:
            raise Tampered("the consistency proof is too long.")
        if node & 1 or node == last:
            if first < node:
                old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while not node & 1 and node:
                first, node, last = first >> 1, node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        first, node, last = first >> 1, node >> 1, last >> 1
    if last or old != subtree_root or new != root:
        raise Tampered(f"the trees of {end} and {size} leaves are not consistent.")


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _complete_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """Return the complete subtrees that make up a range, largest first, as (level, index)."""
    subtrees = []
    while start < end:
        level = (end - start).bit_length() - 1
        subtrees.append((level, start >> level))
        start += 1 << level
    return subtrees


def _fold(peaks: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees, largest first."""
    if not peaks:
        return EMPTY_ROOT
    found = peaks[-1]
    for peak in peaks[-2::-1]:
        found = node_hash(peak, found)
    return found


def _require_hashes(*hashes: bytes) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise Tampered("a hash in a proof has 32 bytes; found another length.")


def _require_subtree(start: int, end: int) -> None:
    """Refuse a range whose start is no multiple of its length rounded up to a power of two."""
    if not 0 <= start < end or start % (1 << (end - start - 1).bit_length()):
        raise Tampered(f"leaves {start} to {end} are no subtree.")
