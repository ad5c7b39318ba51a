"""HPKE in base mode with a chosen ephemeral key, from RFC 9180: a sealed vector is the same in every run."""

from __future__ import annotations

from hashlib import sha256
from hmac import digest

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM_ID, KDF_ID, AEAD_ID = b"\x00\x20", b"\x00\x01", b"\x00\x02"
_KEM_SUITE = b"KEM" + KEM_ID
_SUITE = b"HPKE" + KEM_ID + KDF_ID + AEAD_ID


def seal(plain: bytes, recipient: bytes, info: bytes, ephemeral: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return `enc || ciphertext`, and the values on the way, for who must find a mistake."""
    private = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = private.public_key().public_bytes_raw()
    shared_point = private.exchange(X25519PublicKey.from_public_bytes(recipient))
    secret = _labeled_expand(
        _labeled_extract(_KEM_SUITE, b"", b"eae_prk", shared_point),
        _KEM_SUITE,
        b"shared_secret",
        enc + recipient,
        32,
    )
    context = b"\x00" + _labeled_extract(_SUITE, b"", b"psk_id_hash", b"")
    context += _labeled_extract(_SUITE, b"", b"info_hash", info)
    base = _labeled_extract(_SUITE, secret, b"secret", b"")
    key = _labeled_expand(base, _SUITE, b"key", context, 32)
    nonce = _labeled_expand(base, _SUITE, b"base_nonce", context, 12)
    sealed = enc + AESGCM(key).encrypt(nonce, plain, b"")
    return sealed, {"enc": enc, "shared_secret": secret, "key": key, "base_nonce": nonce}


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, data: bytes) -> bytes:
    return digest(salt or bytes(32), b"HPKE-v1" + suite + label + data, "sha256")


def _labeled_expand(key: bytes, suite: bytes, label: bytes, info: bytes, length: int) -> bytes:
    told = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = digest(key, block + told + bytes([counter]), sha256)
        out += block
        counter += 1
    return out[:length]
