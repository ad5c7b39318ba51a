"""The catalogue line of an entry: who, which way, how big. Kept under the keeper's share in its frame.

With the keeper's ring the whole catalogue is rebuilt from the lines; without it they say nothing.
Source: docs/formats/segment.md.
"""

from __future__ import annotations

import hmac

import msgspec

VERSION = 2
TOKEN_BYTES = 12


class Line(msgspec.Struct, frozen=True, array_like=True):
    """Facts of the catalogue that the leaf does not hold.

    `tokens` are address tokens of 12 bytes each, one behind the other; `content_id` is a keyed hash of the content
    by which the same bytes are known when they come again ("" when none); `about` and `blobs` are ledger indexes;
    `dated_ms` is when an imported communication says it was sent, 0 when that is not known. `message_id` and `texts`
    are keyed names of the Message-ID and of the text of each face, 16 bytes each; a line of version 1 has none.
    """

    version: int
    direction: int
    size: int
    sent_size: int
    shielded: bool
    tokens: bytes
    content_id: bytes
    about: int | None
    blobs: tuple[int, ...]
    dated_ms: int
    message_id: bytes = b""
    texts: bytes = b""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Line)


def encode(line: Line) -> bytes:
    """Return the line's bytes before sealing."""
    return _ENCODER.encode(line)


def decode(data: bytes) -> Line:
    """Read a line; the seal has already proved that we wrote it."""
    return _DECODER.decode(data)


def normalise(address: str) -> str:
    """Return an address as it is compared: white space off, case folded."""
    return address.strip().strip("<>").casefold()


def token(key: bytes, address: str) -> bytes:
    """Return the keyed token of an address: 12 bytes that tell nothing without the key."""
    return hmac.digest(
        key, b"muniment/1 address " + normalise(address).encode("utf-8", "surrogateescape"), "sha256"
    )[:TOKEN_BYTES]


def content_id(key: bytes, content: bytes) -> bytes:
    """Return the keyed name of content: 16 bytes by which the same bytes are known again."""
    return hmac.digest(key, content, "sha256")[:16]
