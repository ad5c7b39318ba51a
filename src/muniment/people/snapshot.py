"""The snapshot: one immutable, digest-named, memory-mapped file by which the data planes decide. Free of Django.

The console compiles it (`compiler.py`); a daemon opens the one that `HOME/snapshots/current` names and asks it whose
an address was. Opening maps the file, hashes it once against its name and builds nothing; a look-up is a binary
search. A mapping stays good after another snapshot has become current. Format: docs/formats/snapshot.md.
"""

from __future__ import annotations

import mmap
import re
import struct
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import msgspec

from muniment.people.address import fold_or_none
from muniment.policy.errors import Missing, Tampered, Unavailable
from muniment.policy.particulars import Particulars
from muniment.policy.policyfile import PolicyFile
from muniment.record.disk import Disk

MAGIC = b"MUNISNAP"
VERSION = 1
CURRENT = "current"
SUFFIX = ".snapshot"
OPEN_ENDED = (1 << 64) - 1
_HEADER = struct.Struct(">8sIIQ")
_ROW = struct.Struct(">32sQQ16s")
_KEY_BYTES = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[0-9a-f]{64}")


class GatewayRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the mail gateway decides by, beside the particulars."""

    hostname: str
    max_message_bytes: int


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything but the addresses; `policy` is the SHA-256 of the policy file."""

    policy: bytes
    policy_version: str
    example: bool
    domains: tuple[str, ...]
    footer: Particulars
    gateway: GatewayRules
    protected: tuple[tuple[str, str], ...] = ()  # names and kinds of `policy.shield`


class Holding(msgspec.Struct, frozen=True):
    """A person, by pseudonym, holds a folded address from `start` up to `end` (None: still)."""

    address: str
    start: datetime
    end: datetime | None
    person: UUID


class Snapshot:
    """One open snapshot; usable until it is closed or forgotten, whatever becomes current meanwhile."""

    def __init__(self, digest: str, head: Head, data: mmap.mmap, at: int, count: int) -> None:
        self.digest, self.head = digest, head
        self.domains = frozenset(head.domains)
        self._data, self._at, self._count = data, at, count

    @property
    def footer(self) -> Particulars:
        """The particulars that external mail must show."""
        return self.head.footer

    @property
    def gateway(self) -> GatewayRules:
        """The mail gateway's rules."""
        return self.head.gateway

    def __enter__(self) -> Snapshot:
        """Return the snapshot; leaving the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Return how many stretches of holding an address it knows."""
        return self._count

    def person_of(self, address: str, when: datetime) -> str | None:
        """Return the pseudonym of who held an address at an aware moment, None when nobody is known to have."""
        folded, at = fold_or_none(address), _microseconds(when)
        if folded is None or at < 0:
            return None
        name = sha256(folded.encode()).digest()
        key = name + at.to_bytes(8, "big")
        place = bisect_right(range(self._count), key, key=self._key) - 1
        if place < 0:
            return None
        found, _, end, person = _ROW.unpack_from(self._data, self._at + place * _ROW.size)
        return str(UUID(bytes=person)) if found == name and at < end else None

    def close(self) -> None:
        """Give up the mapping."""
        self._data.close()

    def _key(self, place: int) -> bytes:
        at = self._at + place * _ROW.size
        return self._data[at : at + _KEY_BYTES]


def encode(head: Head, holdings: Iterable[Holding]) -> bytes:
    """Return the bytes of a snapshot; the same values give the same bytes."""
    packed = msgspec.msgpack.encode(head, order="deterministic")
    rows = sorted(_ROW.pack(*_columns(holding)) for holding in holdings)
    start = _HEADER.pack(MAGIC, VERSION, len(packed), len(rows)) + packed
    return start + bytes(-len(start) % _ROW.size) + b"".join(rows)


def head_of(policy: PolicyFile) -> Head:
    """Return what a snapshot holds of the policy file."""
    return Head(
        policy=policy.digest,
        policy_version=policy.policy.version,
        example=policy.example,
        domains=tuple(sorted(policy.organisation.domains)),
        footer=policy.organisation.particulars,
        gateway=GatewayRules(policy.gateway.hostname, policy.gateway.max_message_bytes),
        protected=policy.shield.names(),
    )


def make_current(folder: Path, data: bytes, disk: Disk) -> Path:
    """Write a snapshot, make it the current one of `HOME/snapshots`, and return its path.

    It is written whole and flushed before `current` names it; earlier snapshots stay, because Decisions name them.

    Raises: Unavailable when the disk does not take it; the earlier snapshot is current then.
    """
    digest = sha256(data).hexdigest()
    path = folder / f"{digest}{SUFFIX}"
    disk.create_durable(path, data, 0o440)
    disk.write_durable(folder / CURRENT, digest.encode() + b"\n")
    return path


def load(path: Path) -> Snapshot:
    """Open the snapshot at `path`, whose name is the digest of its bytes.

    Raises: Missing when it is not there; Unavailable when it cannot be read; Tampered when its bytes are not the
    ones its name promises.
    """
    digest = path.name.removesuffix(SUFFIX)
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise Missing(f"{path} is not there; `muniment up` compiles a new snapshot") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}; mend its permissions") from error
    except ValueError as error:
        raise _tampered(path, "is empty") from error
    try:
        if sha256(data).hexdigest() != digest:
            raise _tampered(path, "does not hold the bytes its name promises")
        return _parse(path, digest, data)
    except BaseException:
        data.close()
        raise


def load_current(folder: Path) -> Snapshot:
    """Open the snapshot that is current in `HOME/snapshots`.

    Raises: as `current_digest` and `load`.
    """
    return load(folder / f"{current_digest(folder)}{SUFFIX}")


def current_digest(folder: Path) -> str:
    """Return the digest of the snapshot that is current; cheap enough to ask every second.

    Raises: Missing when none is; Tampered when the file that names it holds something else.
    """
    try:
        with (folder / CURRENT).open("rb") as file:
            text = file.read(80).decode("ascii", "replace").strip()
    except FileNotFoundError as error:
        raise Missing(f"{folder} holds no current snapshot; `muniment up` compiles one") from error
    except OSError as error:
        raise Unavailable(
            f"{folder / CURRENT} cannot be read: {error.strerror}; mend its permissions"
        ) from error
    if not _NAME.fullmatch(text):
        raise _tampered(folder / CURRENT, "does not name a snapshot")
    return text


def _parse(path: Path, digest: str, data: mmap.mmap) -> Snapshot:
    """Return the snapshot in `data` if its parts fill the file exactly."""
    if len(data) < _HEADER.size or data[: len(MAGIC)] != MAGIC:
        raise _tampered(path, "is not a snapshot")
    _, version, head_bytes, count = _HEADER.unpack_from(data)
    if version != VERSION:
        raise _tampered(path, f"has version {version}, expected {VERSION}")
    end = _HEADER.size + head_bytes
    at = end + -end % _ROW.size
    if len(data) != at + count * _ROW.size:
        raise _tampered(path, "has another length than its header says")
    with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        head = msgspec.msgpack.decode(data[_HEADER.size : end], type=Head)
        return Snapshot(digest, head, data, at, count)
    raise _tampered(path, "has a head that cannot be read")


def _columns(holding: Holding) -> tuple[bytes, int, int, bytes]:
    end = OPEN_ENDED if holding.end is None else max(0, _microseconds(holding.end))
    name = sha256(holding.address.encode()).digest()
    return name, max(0, _microseconds(holding.start)), end, holding.person.bytes


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _tampered(path: Path, what: str) -> Tampered:
    return Tampered(
        f"{path} {what}; take it away and run `muniment up`, which compiles it again from the register"
    )
