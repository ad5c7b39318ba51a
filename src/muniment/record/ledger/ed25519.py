"""Ed25519 as strictly as RFC 8032 says, which OpenSSL is not about public keys.

Source: RFC 8032 section 5.1; Chalkias and others, "Taming the many EdDSAs" (2020).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from muniment.policy.errors import BadInput

_PRIME = 2**255 - 19
# The y coordinates of the points whose order divides 8: a key there lets one signature fit any text.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        int.from_bytes(
            bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
        ),
        int.from_bytes(
            bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
        ),
    }
)


def verify_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether the signature fits; the key has passed `require_strong_key`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def require_strong_key(public: bytes) -> None:
    """Return for a public key that RFC 8032 allows and that does not fit every text.

    OpenSSL takes keys with y >= p and keys of small order; we do not.
    Raises: BadInput otherwise.
    """
    if len(public) != 32:
        raise BadInput(f"an Ed25519 public key has 32 bytes; found {len(public)}.")
    y = int.from_bytes(public, "little") & (2**255 - 1)
    if y >= _PRIME or y in _SMALL_ORDER_Y:
        raise BadInput("this Ed25519 public key is written in a forbidden form, or is of small order.")
