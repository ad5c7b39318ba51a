"""A commitment binds a record's exact bytes, reveals nothing of them, and lets parts be shown later.

1. A record has faces (as written, as sent), cut into units by `units`. One more unit, the first, is a small
   header: version, and length and unit count of each face.
2. Every unit has a salt from a tree under the record's redaction seed. A node of the tree has four children,
   the quarters of one SHA-512: several times faster than a binary tree of SHA-256.
3. The commitment is the RFC 6962 Merkle root over SHA-256(0x00 || salt || unit).
4. A disclosure carries the units shown, the tree nodes that derive their salts and no other, and the hashes
   of what is withheld. Without its salt a withheld unit cannot even be confirmed by guessing.

Source: docs/formats/redaction.md; RFC 6962 2.1; Johnson, Molnar, Song, Wagner 2002; Chang, Lim, Xu 2009.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256, sha512
from itertools import pairwise

import msgspec

from muniment.policy.errors import BadInput, Tampered

VERSION = 1
SEED_BYTES = 32
SALT_BYTES = 16
MAX_LEAVES = 1 << 20
MAX_FACES = 8

_SALT_LABEL = b"muniment/1 salts"
_quarters = struct.Struct("16s16s16s16s").unpack
_FACE = struct.Struct(">QI")


class Disclosure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some units of a record, and what is needed to recompute its commitment without the others.

    `faces` has (length in bytes, number of units) of each face; `units` (leaf, bytes); `salts` (level, index,
    node) of the salt tree; `hashes` (first leaf, leaf after the last, hash) of the withheld runs. Leaf 0 is
    the header, then come the units of all faces in order; each list is in order of leaves.
    """

    version: int
    faces: tuple[tuple[int, int], ...]
    units: tuple[tuple[int, bytes], ...]
    salts: tuple[tuple[int, int, bytes], ...]
    hashes: tuple[tuple[int, int, bytes], ...]

    def to_json(self) -> bytes:
        """Return the form in which a disclosure travels; bytes are base64."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Disclosure:
        """Return what `to_json` wrote.

        Raises: BadInput when the bytes have another form.
        """
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadInput(f"this is no disclosure: {error}") from None

    def face(self, number: int) -> list[bytes | None]:
        """Return the units of one face in order, None for one that is withheld."""
        first = 1 + sum(count for _, count in self.faces[:number])
        shown = dict(self.units)
        return [shown.get(leaf) for leaf in range(first, first + self.faces[number][1])]


def commit(seed: bytes, faces: Sequence[bytes], ends: Sequence[Sequence[int]]) -> bytes:
    """Return the 32-byte commitment to `faces`, cut at `ends` (one list a face, from `unit_ends`)."""
    return _root(_leaf_hashes(seed, _leaves(faces, ends)))


def commit_bytes(seed: bytes, data: bytes) -> bytes:
    """Return the commitment to bytes that are shown whole or not at all: one salted unit, no header."""
    return sha256(b"\x00" + sha512(_SALT_LABEL + seed).digest()[:SALT_BYTES] + data).digest()


def disclose(
    seed: bytes, faces: Sequence[bytes], ends: Sequence[Sequence[int]], keep: Sequence[Sequence[bool]]
) -> Disclosure:
    """Return a disclosure of the units for which `keep` (one list a face) is true.

    The seeds it carries derive the salts of these units and of no other.
    """
    leaves = _leaves(faces, ends)
    shown = [True]
    for cuts, flags in zip(ends, keep, strict=True):
        shown.extend(flag for _, flag in zip(cuts, flags, strict=True))
    hashes = _leaf_hashes(seed, leaves)
    return Disclosure(
        version=VERSION,
        faces=tuple((len(face), len(cuts)) for face, cuts in zip(faces, ends, strict=True)),
        units=tuple((i, leaves[i]) for i in range(1, len(leaves)) if shown[i]),
        salts=tuple(_cover(seed, shown)),
        hashes=tuple((lo, hi, _root(hashes[lo:hi])) for lo, hi in _withheld(shown, 0, len(shown))),
    )


def verify(disclosure: Disclosure, commitment: bytes) -> None:
    """Return when every unit shown is the one committed to, in its place.

    Raises: Tampered when a unit was forged, moved, dropped or added, or the disclosure contradicts itself.
    """
    count = _checked_count(disclosure)
    salts = _derive(disclosure.salts, count)
    units = {0: _header(disclosure.faces), **dict(disclosure.units)}
    hashes = {(lo, hi): value for lo, hi, value in disclosure.hashes}

    def node(lo: int, hi: int) -> bytes:
        if (lo, hi) in hashes:
            return hashes.pop((lo, hi))
        if hi - lo == 1:
            if lo not in units or lo not in salts:
                raise Tampered(
                    f"redacted copy: unit {lo} is neither shown with its salt nor withheld with its hash"
                )
            return sha256(b"\x00" + salts[lo] + units.pop(lo)).digest()
        split = lo + _left_size(hi - lo)
        return sha256(b"\x01" + node(lo, split) + node(split, hi)).digest()

    found = node(0, count)
    if units or hashes:
        raise Tampered("redacted copy: it carries units or hashes that have no place in the record")
    if found != commitment:
        raise Tampered("redacted copy: what is shown is not what was recorded")


def verify_bytes(seed: bytes, data: bytes, commitment: bytes) -> None:
    """Return when `data` is what `commit_bytes` committed to.

    Raises: Tampered when it is not.
    """
    if commit_bytes(seed, data) != commitment:
        raise Tampered("these bytes are not what was recorded")


def _header(faces: Sequence[tuple[int, int]]) -> bytes:
    return bytes((VERSION, len(faces))) + b"".join([_FACE.pack(*face) for face in faces])


def _leaves(faces: Sequence[bytes], ends: Sequence[Sequence[int]]) -> list[bytes]:
    """Return the header and all units."""
    leaves = [b""]
    shape = []
    for face, cuts in zip(faces, ends, strict=True):
        if (cuts[-1] if cuts else 0) != len(face):
            raise BadInput("the last unit of a face must end where the face ends")
        leaves += [face[start:end] for start, end in pairwise((0, *cuts))]
        shape.append((len(face), len(cuts)))
    if len(leaves) > MAX_LEAVES or len(shape) > MAX_FACES:
        raise BadInput(f"a record has at most {MAX_FACES} faces and {MAX_LEAVES:,} units")
    leaves[0] = _header(shape)
    return leaves


def _depth(count: int) -> int:
    """Return the least depth, at least 1, whose four-way tree has `count` leaves."""
    return max(1, ((count - 1).bit_length() + 1) // 2)


def _below(nodes: Iterable[bytes]) -> list[bytes]:
    """Return the children of some nodes of the salt tree, from left to right."""
    label, quarters = _SALT_LABEL, _quarters
    return [part for node in nodes for part in quarters(sha512(label + node).digest())]


def _salts(seed: bytes, count: int) -> list[bytes]:
    """Return the first `count` salts, deriving no more nodes than they need."""
    nodes = [seed]
    for level in range(_depth(count) - 1, -1, -1):
        nodes = _below(nodes)
        del nodes[-(-count >> 2 * level) :]
    return nodes


def _leaf_hashes(seed: bytes, leaves: list[bytes]) -> list[bytes]:
    salts = _salts(seed, len(leaves))
    return [sha256(b"\x00" + salt + leaf).digest() for salt, leaf in zip(salts, leaves, strict=True)]


def _root(hashes: list[bytes]) -> bytes:
    """Return the RFC 6962 root; pairing level by level and carrying the odd one up gives the same tree."""
    while len(hashes) > 1:
        pairs = iter(hashes)
        above = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        if len(hashes) & 1:
            above.append(hashes[-1])
        hashes = above
    return hashes[0]


def _left_size(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _withheld(shown: Sequence[bool], lo: int, hi: int) -> Iterator[tuple[int, int]]:
    """Yield the largest subtrees of the Merkle tree of which nothing is shown."""
    part = shown[lo:hi]
    if not any(part):
        yield lo, hi
    elif not all(part):
        split = lo + _left_size(hi - lo)
        yield from _withheld(shown, lo, split)
        yield from _withheld(shown, split, hi)


def _cover(seed: bytes, shown: Sequence[bool]) -> Iterator[tuple[int, int, bytes]]:
    """Yield the fewest nodes of the salt tree that have only units that are shown below them, in order."""
    depth = _depth(len(shown))
    stack = [(0, 0, seed)]
    while stack:
        level, index, node = stack.pop()
        width = 2 * (depth - level)
        part = shown[index << width : (index + 1) << width]
        if part and all(part):
            yield level, index, node
        elif any(part):
            children = [(level + 1, child, seed) for child, seed in enumerate(_below((node,)), 4 * index)]
            stack.extend(reversed(children))


def _derive(cover: Sequence[tuple[int, int, bytes]], count: int) -> dict[int, bytes]:
    """Return the salts below the nodes of a cover.

    Raises: Tampered when a node is out of place, so that work stays within `count` salts.
    """
    depth = _depth(count)
    salts: dict[int, bytes] = {}
    end = 0
    for level, index, node in cover:
        width = 2 * max(0, depth - level)
        if not 0 <= level <= depth or not end <= index << width < count:
            raise Tampered("redacted copy: a salt is out of place")
        if len(node) != (SALT_BYTES if level else SEED_BYTES):
            raise Tampered(f"redacted copy: a salt has {len(node)} bytes")
        first, end = index << width, (index + 1) << width
        nodes = [node]
        for _ in range(depth - level):
            nodes = _below(nodes)
        salts.update(enumerate(nodes, first))
    return salts


def _checked_count(disclosure: Disclosure) -> int:
    """Return the number of leaves after checking what a disclosure says of itself."""
    faces = disclosure.faces
    if disclosure.version != VERSION:
        raise BadInput(f"disclosure version {disclosure.version} is not known here, expected {VERSION}")
    if len(faces) > MAX_FACES or any(not 0 <= n < 1 << 64 or not 0 <= c < MAX_LEAVES for n, c in faces):
        raise Tampered("redacted copy: impossible faces")
    count = 1 + sum(units for _, units in faces)
    leaves = [leaf for leaf, _ in disclosure.units]
    if count > MAX_LEAVES or leaves != sorted(set(leaves)) or any(not 0 < leaf < count for leaf in leaves):
        raise Tampered("redacted copy: a unit is out of place")
    for number, (length, _) in enumerate(faces):
        parts = disclosure.face(number)
        shown = sum(len(part) for part in parts if part is not None)
        if shown > length or (shown != length and None not in parts):
            raise Tampered(f"redacted copy: the units of face {number} do not add up to its {length} bytes")
    return count
