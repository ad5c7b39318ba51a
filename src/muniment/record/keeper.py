"""The keeper's ring: the keeper's share of every epoch that has not expired, and the keys of tokens and duplicates.

The ring is one file sealed under a wrapping key, which is itself sealed under the machine secret. Forgetting writes
the ring anew under a fresh wrapping key; replacing the old wrapping key makes every old copy of the ring useless.

    keeper/log.sealed        seed of the ledger's signing key
    keeper/wrapping.sealed   generation (8 bytes) and wrapping key (32 bytes)
    keeper/ring.<generation> nonce (12 bytes) and the ring, AES-256-GCM

Source: docs/formats/ring.md.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.policy.errors import Missing, Tampered
from muniment.record import machine
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.keytree import Cover

VERSION = 1
_LOG_LABEL = "log key"
_WRAPPING_LABEL = "wrapping key"

EpochId = tuple[int, int]  # retention class, epoch number


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    version: int
    token_key: bytes
    duplicate_keys: list[tuple[int, int, bytes]]
    covers: list[tuple[int, int, bytes]]


class Keeper:
    """What the keeper holds in memory; every change is on disk before the call returns."""

    def __init__(self, home: Home, secret: bytes, disk: Disk) -> None:
        self._home, self._secret, self._disk = home, secret, disk
        self._generation = 0
        self._wrapping = b""
        self.token_key = b""
        self._duplicate_keys: dict[tuple[int, int], bytes] = {}
        self.covers: dict[EpochId, Cover] = {}

    @classmethod
    def create(cls, home: Home, secret: bytes, disk: Disk) -> Keeper:
        """Make an empty ring and the ledger's key."""
        keeper = cls(home, secret, disk)
        keeper.token_key = secrets.token_bytes(32)
        keeper._seal_file("log.sealed", _LOG_LABEL, secrets.token_bytes(32))
        keeper.turn()
        return keeper

    @classmethod
    def load(cls, home: Home, secret: bytes, disk: Disk) -> Keeper:
        """Open the ring.

        Raises:
            Missing: a file of the keeper is not there.
            Tampered: the machine secret is another one, or a file was altered.
        """
        keeper = cls(home, secret, disk)
        wrapping = keeper._open_file("wrapping.sealed", _WRAPPING_LABEL)
        keeper._generation, keeper._wrapping = int.from_bytes(wrapping[:8], "big"), wrapping[8:]
        stored = keeper._read_ring()
        keeper.token_key = stored.token_key
        keeper._duplicate_keys = {(c, q): key for c, q, key in stored.duplicate_keys}
        keeper.covers = {(c, e): Cover.from_bytes(data) for c, e, data in stored.covers}
        return keeper

    @property
    def signing_seed(self) -> bytes:
        """The seed of the ledger's Ed25519 key."""
        return self._open_file("log.sealed", _LOG_LABEL)

    def add(self, epoch: EpochId, cover: Cover) -> None:
        """Keep the share of a new epoch; it is on disk before the first record is sealed with it."""
        self.covers[epoch] = cover
        self._write_ring()

    def cover(self, epoch: EpochId) -> Cover:
        """Return the share of an epoch.

        Raises:
            Missing: it was destroyed at expiry, or never held.
        """
        try:
            return self.covers[epoch]
        except KeyError:
            raise Missing(
                f"the keeper's share of epoch {epoch[1]} is not in the ring: the entries have expired, "
                "or the ring is an old copy"
            ) from None

    def duplicate_key(self, retention: int, quarter: int) -> bytes:
        """Return the key by which the same bytes are known again within a class and quarter (days since 1970 // 91)."""
        key = self._duplicate_keys.get((retention, quarter))
        if key is None:
            key = secrets.token_bytes(32)
            current = {(r, q): k for (r, q), k in self._duplicate_keys.items() if q >= quarter - 1}
            self._duplicate_keys = current | {(retention, quarter): key}
            self._write_ring()
        return key

    def held_duplicate_key(self, retention: int, quarter: int) -> bytes | None:
        """Return the same key if the ring has it; none is made."""
        return self._duplicate_keys.get((retention, quarter))

    def turn(self) -> None:
        """Write the ring under a fresh wrapping key, which makes all earlier copies of the ring useless."""
        previous = self._ring_path()
        self._generation += 1
        self._wrapping = secrets.token_bytes(32)
        self._write_ring()
        self._seal_file(
            "wrapping.sealed", _WRAPPING_LABEL, self._generation.to_bytes(8, "big") + self._wrapping
        )
        self._disk.remove(previous)

    def digest(self) -> str:
        """Return the SHA-256 of the covers held, for certificates: it tells no key."""
        state = hashlib.sha256()
        for (retention, epoch), cover in sorted(self.covers.items()):
            state.update(f"{retention}/{epoch}:".encode() + hashlib.sha256(cover.to_bytes()).digest())
        return state.hexdigest()

    def _ring_path(self) -> Path:
        return self._home.keeper / f"ring.{self._generation}"

    def _write_ring(self) -> None:
        stored = _Stored(
            VERSION,
            self.token_key,
            [(c, q, key) for (c, q), key in self._duplicate_keys.items()],
            [(c, e, cover.to_bytes()) for (c, e), cover in sorted(self.covers.items())],
        )
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(self._wrapping).encrypt(nonce, msgspec.msgpack.encode(stored), self._associated())
        self._disk.write_durable(self._ring_path(), nonce + sealed, mode=0o600)

    def _read_ring(self) -> _Stored:
        path = self._ring_path()
        if not path.exists():
            raise Missing(f"{path} is not there; restore the keeper's folder from one backup, all of it")
        data = path.read_bytes()
        try:
            plain = AESGCM(self._wrapping).decrypt(data[:12], data[12:], self._associated())
            return msgspec.msgpack.decode(plain, type=_Stored)
        except (InvalidTag, ValueError, msgspec.DecodeError):
            raise Tampered(
                f"{path} does not open with its wrapping key; restore the keeper's folder"
            ) from None

    def _associated(self) -> bytes:
        return b"muniment/1 ring " + self._generation.to_bytes(8, "big")

    def _seal_file(self, name: str, label: str, data: bytes) -> None:
        self._disk.write_durable(
            self._home.keeper / name, machine.seal(self._secret, label, data), mode=0o600
        )

    def _open_file(self, name: str, label: str) -> bytes:
        path = self._home.keeper / name
        if not path.exists():
            raise Missing(
                f"{path} is not there; make the home with `muniment init` or restore the keeper's folder"
            )
        return machine.open(self._secret, label, path.read_bytes())
