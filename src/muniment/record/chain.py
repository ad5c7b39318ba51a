"""A communication above 16 MiB is a chain of blob entries and one record that names them.

The record's content is then a manifest: whole length, SHA-256 of the whole, and, when the message left changed,
the one stretch in which the sent bytes differ. Source: docs/formats/segment.md, "Chains".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import msgspec

from muniment.policy.errors import Tampered
from muniment.record.entry import Entry, Kind

WHOLE_LIMIT_BYTES = 16 << 20
PIECE_BYTES = 2 << 20
VERSION = 1
_STRETCH_BYTES = 1 << 16


class Patch(msgspec.Struct, frozen=True, array_like=True):
    """The sent bytes are the first `keep_start` bytes as written, then `middle`, then the last `keep_end` bytes."""

    keep_start: int
    keep_end: int
    middle: bytes


class Manifest(msgspec.Struct, frozen=True, array_like=True):
    """What the chain's pieces make together."""

    version: int
    length: int
    sha256: bytes
    sent: Patch | None


def needs_chain(entry: Entry) -> bool:
    """Tell whether an entry must be stored as a chain."""
    return len(entry.content) > WHOLE_LIMIT_BYTES


def is_chain(size: int) -> bool:
    """Tell by the size in an entry's line whether the blobs it names are its pieces; else they are attachments."""
    return size > WHOLE_LIMIT_BYTES


def pieces(entry: Entry) -> Iterator[Entry]:
    """Yield the blob entries of a long one, in order."""
    view = memoryview(entry.content)
    for at in range(0, len(view), PIECE_BYTES):
        yield Entry(
            stream=entry.stream,
            kind=Kind.BLOB,
            channel=entry.channel,
            retention=entry.retention,
            capture=entry.capture,
            direction=entry.direction,
            content=bytes(view[at : at + PIECE_BYTES]),
        )


def head(entry: Entry, blobs: tuple[int, ...]) -> Entry:
    """Return the record that stands for a chain whose pieces have the ledger indexes `blobs`."""
    patch = None if entry.sent is None else difference(entry.content, entry.sent)
    manifest = Manifest(VERSION, len(entry.content), hashlib.sha256(entry.content).digest(), patch)
    return msgspec.structs.replace(entry, content=msgspec.msgpack.encode(manifest), sent=None, blobs=blobs)


def difference(written: bytes, sent: bytes) -> Patch:
    """Return the least patch that turns `written` into `sent`."""
    shortest = min(len(written), len(sent))
    start = _common(shortest, lambda a, b: written[a:b] == sent[a:b])
    gap = len(sent) - len(written)
    last = len(written)
    end = _common(
        shortest - start, lambda a, b: written[last - b : last - a] == sent[last - b + gap : last - a + gap]
    )
    return Patch(start, end, sent[start : len(sent) - end])


def _common(limit: int, is_equal: Callable[[int, int], bool]) -> int:
    """Return how far, up to `limit`, `is_equal` holds; it tells of a stretch whether it is the same in both."""
    at, step = 0, _STRETCH_BYTES
    while at < limit and step:
        if at + step <= limit and is_equal(at, at + step):
            at += step
        else:
            step //= 2
    return at


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        Tampered: it is not one of this version.
    """
    try:
        manifest = msgspec.msgpack.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise Tampered(f"the manifest of a long message cannot be read: {error}") from None
    if manifest.version != VERSION:
        raise Tampered(f"the manifest of a long message has version {manifest.version}, expected {VERSION}")
    return manifest


def join(manifest: Manifest, parts: list[bytes]) -> tuple[bytes, bytes | None]:
    """Return (written, sent or None) from the opened pieces.

    Raises:
        Tampered: together they are not what the manifest says.
    """
    written = b"".join(parts)
    if len(written) != manifest.length or hashlib.sha256(written).digest() != manifest.sha256:
        raise Tampered("the pieces of a long message do not add up to the message recorded")
    patch = manifest.sent
    if patch is None:
        return written, None
    return written, written[: patch.keep_start] + patch.middle + written[len(written) - patch.keep_end :]
