"""A leaf is the fixed-size line an entry leaves in the ledger: no name, no address, no content.

176 bytes, big-endian; the hash of the whole leaf stands in the tree. Source: docs/formats/leaf.md.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from muniment.policy.errors import Tampered

SIZE = 176
HEAD = 40  # the part known before sealing; it is the associated data of every section
MAGIC = b"MUN1"
NO_EXPIRY = 0xFFFFFFFF

SEAL_CONTENT = 1  # officers' share and keeper's share
SEAL_META = 2  # officers' share and keeper's share
SEAL_FACTS = 4  # keeper's share
SEAL_PLAIN = 8  # open to whoever holds the disk

_LAYOUT = struct.Struct(">4sBBHIIQIHBBQQ32s32s32s32s")
_HEAD = struct.Struct(">4sBBHIIQIHBBQ")
_PLACE = struct.Struct(">HII")


class Leaf(NamedTuple):
    """The fields of a leaf, in their order on disk; `expiry_day` counts days since 1970-01-01."""

    kind: int
    channel: int
    retention: int
    epoch: int
    position: int
    captured_ms: int
    expiry_day: int
    stream: int
    capture: int
    seals: int
    sequence: int
    body_bytes: int
    body_sha256: bytes
    content_commitment: bytes
    meta_commitment: bytes
    policy_digest: bytes

    def pack(self) -> bytes:
        """Return the 176 bytes."""
        return _LAYOUT.pack(MAGIC, *self)


def pack_head(
    kind: int,
    channel: int,
    retention: int,
    epoch: int,
    position: int,
    captured_ms: int,
    expiry_day: int,
    stream: int,
    capture: int,
    seals: int,
    sequence: int,
) -> bytes:
    """Return the first 40 bytes of a leaf, which every sealed section is bound to."""
    return _HEAD.pack(
        MAGIC,
        kind,
        channel,
        retention,
        epoch,
        position,
        captured_ms,
        expiry_day,
        stream,
        capture,
        seals,
        sequence,
    )


def place_of(data: bytes) -> tuple[int, int, int]:
    """Return (retention class, epoch, position) of a leaf, which is not otherwise looked at."""
    retention, epoch, position = _PLACE.unpack_from(data, 6)
    return retention, epoch, position


def parse(data: bytes | memoryview) -> Leaf:
    """Read a leaf.

    Raises:
        Tampered: the bytes are not a leaf of this version.
    """
    if len(data) != SIZE:
        raise Tampered(f"a leaf has {SIZE} bytes, these are {len(data)}; restore the segment from a backup")
    fields = _LAYOUT.unpack(data)
    if fields[0] != MAGIC:
        raise Tampered(
            "the bytes where a leaf should be do not begin with MUN1; restore the segment from a backup"
        )
    return Leaf(*fields[1:])
