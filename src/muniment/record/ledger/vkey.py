"""Verifier keys: public keys on one line, `name+id+base64`, for any type of signature we check.

Source: C2SP signed-note v1.0.0, "Verifier keys".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from muniment.policy.errors import BadInput
from muniment.record.ledger.cosignature import Ed25519CosignerKey, Mldsa44CosignerKey
from muniment.record.ledger.encoding import decode_base64
from muniment.record.ledger.note import Ed25519Key, SignatureType, VerifierKey

_KEY_ID = re.compile("[0-9a-f]{8}")


def parse_vkey(text: str) -> VerifierKey:
    """Return the key that a line describes.

    Raises: BadInput when it is malformed, of an unknown type, weak, or carries the id of another key.
    """
    name, _, rest = text.partition("+")
    claimed_id, _, encoded = rest.partition("+")
    if not _KEY_ID.fullmatch(claimed_id):
        raise BadInput("a verifier key is a name, eight hexadecimal digits and base64, joined by plus signs.")
    raw = decode_base64(encoded)
    key = _make_key(name, raw[:1], raw[1:])
    if key.key_id.hex() != claimed_id:
        raise BadInput(f"the key of {name} has the id {key.key_id.hex()}; the line says {claimed_id}.")
    return key


def _make_key(name: str, kind: bytes, public: bytes) -> VerifierKey:
    make: dict[bytes, Callable[[str, bytes], VerifierKey]] = {
        bytes([SignatureType.ED25519]): Ed25519Key,
        bytes([SignatureType.ED25519_COSIGNATURE]): Ed25519CosignerKey,
        bytes([SignatureType.MLDSA44_COSIGNATURE]): Mldsa44CosignerKey,
    }
    if kind not in make:
        raise BadInput(f"a verifier key of the unknown type {kind.hex() or 'none'}; known are 01, 04 and 06.")
    return make[kind](name, public)
