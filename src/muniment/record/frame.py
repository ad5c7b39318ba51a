"""Frames, trailers and headers: the bytes of a segment, and how they are read back.

    header   64 bytes   "MSG1" version class epoch number first-index SHA-256(origin) zeros
    frame    192+n      "MFR1" body length, ledger index, leaf (176), body (n)
    trailer  56         "MTR1" count, first index, tree size, tree root     one flush ends with one trailer
    husk     184        "MHK1" ...  an expired frame: index and leaf, no body

There is no checksum: every byte is covered by the leaf's hash of the body, by the tree, or by a value the reader
already knows. Source: docs/formats/segment.md.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import NamedTuple

from muniment.policy.errors import Tampered
from muniment.record import leaf as leaves

VERSION = 1
HEADER_BYTES = 64
FRAME_HEAD_BYTES = 16 + leaves.SIZE
TRAILER_BYTES = 56
HUSK_BYTES = 12 + leaves.SIZE
SALT_BYTES = 16

_HEADER = struct.Struct(">4sHHIIQ32s8x")
_FRAME = struct.Struct(">4sIQ")
_TRAILER = struct.Struct(">4sIQQ32s")
_HUSK = struct.Struct(">4sQ")
_SECTIONS = struct.Struct(">16sIIIII")
SECTIONS_BYTES = _SECTIONS.size


class Header(NamedTuple):
    """What a segment says of itself."""

    retention: int
    epoch: int
    number: int
    first_index: int
    origin_sha256: bytes

    def pack(self) -> bytes:
        """Return the 64 bytes at the start of a segment."""
        return _HEADER.pack(
            b"MSG1", VERSION, self.retention, self.epoch, self.number, self.first_index, self.origin_sha256
        )


class Frame(NamedTuple):
    """One frame found in a segment; `body` is empty for a husk."""

    offset: int
    ledger_index: int
    leaf: bytes
    body: bytes | memoryview
    is_husk: bool = False


class Trailer(NamedTuple):
    """The end of one flush: `size` and `root` are the tree's after it; `end` is the offset behind it."""

    end: int
    frames: int
    first_index: int
    size: int
    root: bytes


class Sections(NamedTuple):
    """The sealed parts of a body, each still sealed but `plain`."""

    salt: bytes
    line: bytes
    facts: bytes
    meta: bytes
    content: bytes
    plain: bytes


def parse_header(data: bytes) -> Header:
    """Read a segment's header.

    Raises:
        Tampered: it is not one, or not of this version.
    """
    if len(data) < HEADER_BYTES:
        raise Tampered("the segment is shorter than its header")
    magic, version, *fields = _HEADER.unpack_from(data)
    if magic != b"MSG1" or version != VERSION or any(data[56:HEADER_BYTES]):
        raise Tampered("the segment's header is not one of version 1")
    return Header(*fields)


def pack_frame(index: int, leaf: bytes, body: bytes) -> bytes:
    """Return a frame."""
    return _FRAME.pack(b"MFR1", len(body), index) + leaf + body


def pack_trailer(count: int, first_index: int, size: int, root: bytes) -> bytes:
    """Return the trailer of one flush."""
    return _TRAILER.pack(b"MTR1", count, first_index, size, root)


def pack_husk(index: int, leaf: bytes) -> bytes:
    """Return what is left of an expired frame."""
    return _HUSK.pack(b"MHK1", index) + leaf


def pack_sections(sections: Sections) -> bytes:
    """Return a body."""
    salt, line, facts, meta, content, plain = sections
    head = _SECTIONS.pack(salt, len(line), len(facts), len(meta), len(content), len(plain))
    return b"".join((head, line, facts, meta, content, plain))


def parse_sections(body: bytes | memoryview) -> Sections:
    """Split a body into its sections.

    Raises:
        Tampered: the lengths do not add up.
    """
    salt, lengths = _parse_lengths(body)
    parts, at = [], SECTIONS_BYTES
    for length in lengths:
        parts.append(bytes(body[at : at + length]))
        at += length
    return Sections(salt, *parts)


def parse_line(body: bytes | memoryview) -> tuple[bytes, bytes]:
    """Return the salt and the sealed catalogue line of a body.

    Raises:
        Tampered: the lengths do not add up.
    """
    salt, lengths = _parse_lengths(body)
    return salt, bytes(body[SECTIONS_BYTES : SECTIONS_BYTES + lengths[0]])


def parse_line_head(body: bytes) -> tuple[bytes, int]:
    """Return the salt and the length of the sealed line, from the beginning of a body."""
    salt, length, *_ = _SECTIONS.unpack_from(body)
    return salt, length


def _parse_lengths(body: bytes | memoryview) -> tuple[bytes, list[int]]:
    if len(body) < SECTIONS_BYTES:
        raise Tampered("the body of a frame is shorter than its own head")
    salt, *lengths = _SECTIONS.unpack_from(body)
    if SECTIONS_BYTES + sum(lengths) != len(body):
        raise Tampered("the sections of a frame do not fill its body")
    return salt, lengths


def body_sha256(body: bytes | memoryview) -> bytes:
    """Return the hash of a body as it stands in its leaf."""
    return hashlib.sha256(body).digest()


def walk(data: bytes | memoryview, start: int = HEADER_BYTES) -> Iterator[Frame | Trailer]:
    """Yield frames, husks and trailers from `start` on, as far as their form holds.

    The caller compares the last `Trailer.end` with the length of `data`: what lies behind it is a torn tail or
    damage. Bodies are views into `data`; nothing is hashed here.
    """
    at, end = start, len(data)
    while at + 4 <= end:
        magic = bytes(data[at : at + 4])
        if magic == b"MFR1" and at + FRAME_HEAD_BYTES <= end:
            _, length, index = _FRAME.unpack_from(data, at)
            body = at + FRAME_HEAD_BYTES
            if body + length > end:
                return
            yield Frame(at, index, bytes(data[at + 16 : body]), data[body : body + length])
            at = body + length
        elif magic == b"MTR1" and at + TRAILER_BYTES <= end:
            _, count, first, size, root = _TRAILER.unpack_from(data, at)
            at += TRAILER_BYTES
            yield Trailer(at, count, first, size, root)
        elif magic == b"MHK1" and at + HUSK_BYTES <= end:
            _, index = _HUSK.unpack_from(data, at)
            yield Frame(at, index, bytes(data[at + 12 : at + HUSK_BYTES]), b"", True)
            at += HUSK_BYTES
        else:
            return
