"""The staging file: everything a new checkpoint needs, on disk before the checkpoint is signed.

Whatever breaks afterwards, the log can be brought up to its checkpoint from this one file.

    4 bytes   "MUNG"
    1 byte    version, 1
    32 bytes  SHA-256 of the rest
    rest      MessagePack: [[[path, bytes], ...], [superseded folder, ...]]

Source: docs/formats/ledger.md, "Staging".
"""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec

from muniment.policy.errors import Tampered
from muniment.record.ledger.growth import Growth

_HEAD = b"MUNG\x01"
_BODY_AT = len(_HEAD) + 32
_PATH = re.compile(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/)*[0-9]{3}(\.p(/[1-9][0-9]{0,2})?)?")


def staging_name(size: int, root: bytes) -> str:
    """Return the name of the file that brings the log up to this size and root."""
    return f"{size}-{root.hex()}"


def staged_size(name: str) -> int:
    """Return the size in a staging file's name; 0 for a file that was not finished."""
    size = name.partition("-")[0]
    return int(size) if size.isdecimal() else 0


def pack_staging(growth: Growth) -> bytes:
    """Return the file's bytes."""
    body = msgspec.msgpack.encode((list(growth.files.items()), growth.superseded))
    return _HEAD + sha256(body).digest() + body


def parse_staging(data: bytes) -> Growth:
    """Return what the file holds. Raises: Tampered when it is not as it was written."""
    body = data[_BODY_AT:]
    if not data.startswith(_HEAD) or data[len(_HEAD) : _BODY_AT] != sha256(body).digest():
        raise Tampered("the staging file is not as it was written.")
    try:
        files, superseded = msgspec.msgpack.decode(body, type=tuple[list[tuple[str, bytes]], list[str]])
    except msgspec.MsgspecError as error:
        raise Tampered("the staging file does not have its form.") from error
    if not all(_PATH.fullmatch(path) for path in [*(path for path, _ in files), *superseded]):
        raise Tampered("the staging file names a place outside the tree.")
    return Growth(dict(files), superseded)
