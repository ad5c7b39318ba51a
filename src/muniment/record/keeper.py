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
from collections.abc import Iterable
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

QUARTER_MS = 91 * 86_400_000  # the same bytes are known again within a quarter and the one before
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
        self._is_turning = False  # a turn began and its end is not on the disk yet
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
        """Return the key by which the same bytes are known again within a class and quarter (time // QUARTER_MS)."""
        key = self._duplicate_keys.get((retention, quarter))
        if key is None:
            key = secrets.token_bytes(32)
            previous = self._duplicate_keys
            current = {(r, q): k for (r, q), k in previous.items() if q >= quarter - 1}
            self._duplicate_keys = current | {(retention, quarter): key}
            try:
                self._write_ring()
            except BaseException:
                self._duplicate_keys = previous
                raise
        return key

    def drop_duplicate_keys(self, quarter: int) -> bool:
        """Let go of the keys of the quarters before the one before `quarter`; tell if any; `turn` makes it last."""
        spent = [known for known in self._duplicate_keys if known[1] < quarter - 1]
        for known in spent:
            del self._duplicate_keys[known]
        return bool(spent)

    def held_duplicate_key(self, retention: int, quarter: int) -> bytes | None:
        """Return the same key if the ring has it; none is made."""
        return self._duplicate_keys.get((retention, quarter))

    def turn(self) -> None:
        """Write the ring under a fresh wrapping key, which makes all earlier copies of the ring useless.

        1. the ring, under the fresh key, beside the old one; 2. `wrapping.sealed`, which is when it counts;
        3. old rings are removed. Stopped before 2, the old ring is opened again and the new one is a file nobody can
        open; after 2, the new one is opened. What a stop leaves is removed by `discard_others`. After a failure the
        next change or turn goes on with the same fresh key, so that no change is written to a ring that may be old.

        Raises:
            Unavailable: the disk did not take all of it.
        """
        if not self._is_turning:
            self._generation += 1
            self._wrapping = secrets.token_bytes(32)
            self._is_turning = True
        self._write_ring()

    def discard_others(self) -> None:
        """Remove rings of other generations: an interrupted turn left them. The recorder alone may call it."""
        for path in [*self._home.keeper.glob("ring.*"), *self._home.keeper.glob(".ring.*.tmp")]:
            if path != self._ring_path():
                self._disk.remove(path)

    @property
    def generation(self) -> int:
        """How often the ring was written under a fresh wrapping key; it grows with all that is forgotten."""
        return self._generation

    @property
    def backup_root(self) -> bytes:
        """The root key of this home's backups; it opens no file of the keeper's."""
        return machine.derive(self._secret, "backup")

    def backup_files(self, left_out: Iterable[tuple[EpochId, int]] = ()) -> dict[str, bytes]:
        """Return {name: bytes} of the keeper's files as a backup holds them.

        `left_out` names entries, by epoch and position, whose keys go into no backup: the ring is sealed anew
        without them, under the same wrapping key.
        """
        ring = self._ring_path()
        files = {name: (self._home.keeper / name).read_bytes() for name in ("log.sealed", "wrapping.sealed")}
        covers: dict[EpochId, Cover] = {}
        for epoch, position in left_out:
            if epoch in self.covers:
                copy = covers.setdefault(epoch, Cover.from_bytes(self.covers[epoch].to_bytes()))
                copy.puncture(position)
        sealed = self._seal_ring(self.covers | covers) if covers else ring.read_bytes()
        return files | {ring.name: sealed}

    def digest(self) -> str:
        """Return the SHA-256 of the covers held, for certificates: it tells no key."""
        state = hashlib.sha256()
        for (retention, epoch), cover in sorted(self.covers.items()):
            state.update(f"{retention}/{epoch}:".encode() + hashlib.sha256(cover.to_bytes()).digest())
        return state.hexdigest()

    def _ring_path(self) -> Path:
        return self._home.keeper / f"ring.{self._generation}"

    def _write_ring(self) -> None:
        self._disk.write_durable(self._ring_path(), self._seal_ring(self.covers), mode=0o600)
        if self._is_turning:
            numbered = self._generation.to_bytes(8, "big") + self._wrapping
            self._seal_file("wrapping.sealed", _WRAPPING_LABEL, numbered)
            self._is_turning = False
            self.discard_others()

    def _seal_ring(self, covers: dict[EpochId, Cover]) -> bytes:
        stored = _Stored(
            VERSION,
            self.token_key,
            [(c, q, key) for (c, q), key in self._duplicate_keys.items()],
            [(c, e, cover.to_bytes()) for (c, e), cover in sorted(covers.items())],
        )
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self._wrapping).encrypt(
            nonce, msgspec.msgpack.encode(stored), self._associated()
        )

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
