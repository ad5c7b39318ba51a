"""Cosignatures: a witness says that it saw a checkpoint, that the log only grew, and when.

The Ed25519 form does not name the cosigner in what it signs, so a key serves one cosigner only. The ML-DSA-44
form names it, and withstands quantum computers.
Source: C2SP tlog-cosignature; FIPS 204.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import pack

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from muniment.policy.errors import BadInput
from muniment.record.ledger.checkpoint import Checkpoint, parse_checkpoint
from muniment.record.ledger.ed25519 import require_strong_key, verify_signature
from muniment.record.ledger.note import (
    Signature,
    SignatureType,
    key_id,
    make_vkey,
    require_name,
)

MLDSA44_PUBLIC_BYTES = 1312
_MLDSA44_SIGNATURE_BYTES = 2420
_ED25519_SIGNATURE_BYTES = 64
_TIME_BYTES = 8
_MAX_TIME = 2**63 - 1


@dataclass(frozen=True)
class Ed25519CosignerKey:
    """The public key of a witness: signature type 4."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        require_name(self.name)
        require_strong_key(self.public)

    @property
    def key_id(self) -> bytes:
        """Return the key's id."""
        return key_id(self.name, SignatureType.ED25519_COSIGNATURE, self.public)

    def verify(self, text: str, blob: bytes) -> bool:
        """Return whether `blob` is a time and this key's signature over it and the text."""
        seconds = _time_of(blob, _ED25519_SIGNATURE_BYTES)
        if seconds is None:
            return False
        return verify_signature(self.public, ed25519_message(seconds, text), blob[_TIME_BYTES:])

    def __str__(self) -> str:
        return make_vkey(self.name, SignatureType.ED25519_COSIGNATURE, self.public)


@dataclass(frozen=True)
class Mldsa44CosignerKey:
    """The post-quantum public key of a log or witness: signature type 6."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        require_name(self.name)
        if len(self.public) != MLDSA44_PUBLIC_BYTES:
            raise BadInput(f"an ML-DSA-44 public key has 1312 bytes; found {len(self.public)}.")

    @property
    def key_id(self) -> bytes:
        """Return the key's id."""
        return key_id(self.name, SignatureType.MLDSA44_COSIGNATURE, self.public)

    def verify(self, text: str, blob: bytes) -> bool:
        """Return whether `blob` is a time and this key's signature over it and the checkpoint in the text."""
        seconds = _time_of(blob, _MLDSA44_SIGNATURE_BYTES)
        if seconds is None:
            return False
        try:
            message = mldsa44_message(self.name, seconds, parse_checkpoint(text))
            MLDSA44PublicKey.from_public_bytes(self.public).verify(blob[_TIME_BYTES:], message)
        except (BadInput, InvalidSignature, ValueError):
            return False
        return True

    def __str__(self) -> str:
        return make_vkey(self.name, SignatureType.MLDSA44_COSIGNATURE, self.public)


class Ed25519Cosigner:
    """The private key of a witness. The clock is given: it returns seconds since 1970."""

    def __init__(self, name: str, seed: bytes, clock: Callable[[], int]) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._clock = clock
        self.key = Ed25519CosignerKey(name, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """Return the cosignature over a checkpoint's text, now."""
        seconds = self._clock()
        signature = self._private.sign(ed25519_message(seconds, text))
        return Signature(self.key.name, self.key.key_id, pack(">Q", seconds) + signature)


class Mldsa44Cosigner:
    """The post-quantum private key of a log or witness, from its seed of 32 bytes."""

    def __init__(self, name: str, seed: bytes, clock: Callable[[], int]) -> None:
        self._private = MLDSA44PrivateKey.from_seed_bytes(seed)
        self._clock = clock
        self.key = Mldsa44CosignerKey(name, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """Return the cosignature over a checkpoint's text, now."""
        seconds = self._clock()
        message = mldsa44_message(self.key.name, seconds, parse_checkpoint(text))
        return Signature(self.key.name, self.key.key_id, pack(">Q", seconds) + self._private.sign(message))


def ed25519_message(seconds: int, text: str) -> bytes:
    """Return what an Ed25519 cosigner signs."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def mldsa44_message(cosigner: str, seconds: int, checkpoint: Checkpoint) -> bytes:
    """Return what an ML-DSA-44 cosigner signs: the whole tree. Raises: BadInput for a long name."""
    names = cosigner.encode(), checkpoint.origin.encode()
    if any(not 1 <= len(name) <= 255 for name in names):
        raise BadInput("the names of a cosigner and of a log have 1 to 255 bytes.")
    return b"".join(
        (
            b"subtree/v1\n\x00",
            bytes([len(names[0])]) + names[0],
            pack(">Q", seconds),
            bytes([len(names[1])]) + names[1],
            pack(">QQ", 0, checkpoint.size),
            checkpoint.root,
        )
    )


def _time_of(blob: bytes, signature_bytes: int) -> int | None:
    """Return the time in a cosignature of the right length, else None."""
    if len(blob) != _TIME_BYTES + signature_bytes:
        return None
    seconds = int.from_bytes(blob[:_TIME_BYTES], "big")
    return seconds if seconds <= _MAX_TIME else None
