"""The officers' share of an epoch, sealed to each officer and to the recovery key: whoever of them may open it alone.

Each epoch's 32-byte officers' root is sealed with HPKE at once and then forgotten by the writer. The suite is what a
browser's WebCrypto can open; its number is in the wrap, so that a post-quantum suite can follow.
Source: docs/formats/shares.md; RFC 9180; DESIGN "Officers".
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from muniment.policy.errors import BadInput, Missing, Tampered

SUITE: Final = 1  # DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM
ROOT_BYTES, KEY_ID_BYTES, SEALED_BYTES = 32, 8, 80
_LABEL = b"muniment/1 officers' share"
_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FIELD_PRIME = 2**255 - 19


class Recipient(msgspec.Struct, frozen=True):
    """Somebody a share is sealed to: an officer's id or `recovery`, and an X25519 public key.

    Raises:
        BadInput: the key is none that a share could be sealed to.
    """

    id: str
    public_key: bytes

    def __post_init__(self) -> None:
        require_strong(self.public_key, self.id)

    @property
    def key_id(self) -> bytes:
        """Return the key's id, 8 bytes."""
        return key_id(self.public_key)


class Wrap(msgspec.Struct, frozen=True):
    """One recipient's sealed share of an epoch: 32 bytes of `enc`, 48 of ciphertext."""

    suite: int
    key_id: bytes
    sealed: bytes


class WrittenWrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wrap as it stands in an entry and in a document: suite, key id of the recipient in hexadecimal, bytes."""

    suite: int
    to: str
    sealed: bytes


class EpochWraps(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every wrap of the officers' share of one epoch."""

    class_id: int = msgspec.field(name="class")
    epoch: int
    wraps: tuple[WrittenWrap, ...]


def key_id(public_key: bytes) -> bytes:
    """Return the first 8 bytes of the SHA-256 of a public key."""
    return hashlib.sha256(public_key).digest()[:KEY_ID_BYTES]


def require_strong(public_key: bytes, owner: str) -> None:
    """Return for a public key whose shared secrets are its owner's alone.

    Raises:
        BadInput: it has another length, is written in a second form, or is a point of low order.
    """
    if len(public_key) != 32:
        raise BadInput(f"the public key of {owner} has {len(public_key)} bytes, expected 32")
    try:
        if int.from_bytes(public_key, "little") >= _FIELD_PRIME:
            raise ValueError
        X25519PrivateKey.from_private_bytes(bytes(32)).exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError:
        raise BadInput(
            f"the public key of {owner} would seal nothing; copy it again from the officer's key file"
        ) from None


def seal_share(
    root: bytes, origin: str, class_id: int, epoch: int, recipients: Sequence[Recipient]
) -> tuple[Wrap, ...]:
    """Return an epoch's officers' root, sealed to every recipient in their order.

    Raises:
        BadInput: the root has not 32 bytes, or there is nobody to seal it to.
    """
    if len(root) != ROOT_BYTES or not recipients:
        raise BadInput(
            f"a share is {ROOT_BYTES} bytes for one officer or more; found {len(recipients)} officers"
        )
    return tuple(_seal(root, origin, class_id, epoch, recipient) for recipient in recipients)


def open_share(wrap: Wrap, private_key: X25519PrivateKey, origin: str, class_id: int, epoch: int) -> bytes:
    """Return the officers' root of an epoch.

    Raises:
        BadInput: the suite is unknown. Missing: the share is sealed to another key. Tampered: it does not open, or
            was sealed for another record, class or epoch.
    """
    if wrap.suite != SUITE:
        raise BadInput(f"a share of suite {wrap.suite}; this release opens suite {SUITE}: use a newer one")
    own_id = key_id(private_key.public_key().public_bytes_raw())
    if wrap.key_id != own_id:
        raise Missing(f"the share is sealed to key {wrap.key_id.hex()}, not to {own_id.hex()}; use that key")
    try:
        root = _HPKE.decrypt(wrap.sealed, private_key, info=_info(origin, class_id, epoch, own_id))
    except (InvalidTag, ValueError):
        root = b""
    if len(root) != ROOT_BYTES:
        raise Tampered(
            f"the officers' share of epoch {epoch} does not open with key {own_id.hex()}; run `muniment verify`"
        )
    return root


def to_json(wrap: Wrap) -> dict[str, Any]:
    """Return a wrap as it stands in an open entry."""
    sealed = base64.b64encode(wrap.sealed).decode()
    return {"suite": wrap.suite, "to": wrap.key_id.hex(), "sealed": sealed}


def from_json(item: object) -> Wrap:
    """Read a wrap of an open entry; the suite may be one that this release cannot open.

    Raises:
        BadInput: it has not that form.
    """
    try:
        written = msgspec.convert(item, WrittenWrap, strict=True)
    except (msgspec.ValidationError, ValueError):
        raise _not_written() from None
    return from_written(written)


def from_written(written: WrittenWrap) -> Wrap:
    """Return the wrap that a document holds; the suite may be one that this release cannot open.

    Raises:
        BadInput: its lengths are not those of its suite.
    """
    try:
        owner = bytes.fromhex(written.to)
    except ValueError:
        raise _not_written() from None
    right_length = written.suite != SUITE or len(written.sealed) == SEALED_BYTES
    if len(owner) != KEY_ID_BYTES or written.to != owner.hex() or not right_length:
        raise BadInput("a share has another length than its suite demands; run `muniment verify`")
    return Wrap(written.suite, owner, written.sealed)


def _not_written() -> BadInput:
    return BadInput("a share is not written as docs/formats/shares.md says; run `muniment verify`")


def _seal(root: bytes, origin: str, class_id: int, epoch: int, recipient: Recipient) -> Wrap:
    public_key = X25519PublicKey.from_public_bytes(recipient.public_key)
    info = _info(origin, class_id, epoch, recipient.key_id)
    return Wrap(SUITE, recipient.key_id, _HPKE.encrypt(root, public_key, info=info))


def _info(origin: str, class_id: int, epoch: int, recipient: bytes) -> bytes:
    """Return what binds a share to its place: a wrap moved to another record, class or epoch does not open."""
    name = origin.encode()
    place = class_id.to_bytes(2, "big") + epoch.to_bytes(4, "big")
    return _LABEL + bytes([SUITE]) + len(name).to_bytes(2, "big") + name + place + recipient
