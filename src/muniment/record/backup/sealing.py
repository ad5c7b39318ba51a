"""How a backup is sealed: object names are keyed hashes, and every object opens under its own name only.

One key seals one text: an object's salt follows from its name, its name from its content; a manifest's is random.
Source: docs/formats/backup.md, "Keys" and "Objects"; RFC 5869.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muniment.policy.errors import Tampered
from muniment.record import machine

LABEL = "backup"
PIECE_BYTES = 16 << 20
OBJECT_MAGIC, MANIFEST_MAGIC = b"MBK1", b"MBM1"
_SALT_BYTES, _TAG_BYTES = 32, 16
OVERHEAD_BYTES = len(OBJECT_MAGIC) + _SALT_BYTES + _TAG_BYTES
_NONCE = bytes(12)


def root_of(secret: bytes) -> bytes:
    """Return the backup's root key; it opens backups of this home and none of the keeper's files in them."""
    return machine.derive(secret, LABEL)


class Seals:
    """Seals and opens the objects of one home's backups."""

    def __init__(self, root: bytes) -> None:
        self._seal, self._names = _derive(root, b"seal"), _derive(root, b"names")

    def name(self, path: str, start: int, digest: bytes) -> str:
        """Return the name of a piece: of the file `path`, from byte `start`, with this SHA-256; 64 hex digits."""
        text = path.encode() + b"\0" + start.to_bytes(8, "big") + digest
        return hmac.new(self._names, text, sha256).hexdigest()

    def seal(self, name: str, piece: bytes) -> bytes:
        """Return the object `name`; the same again for the same piece."""
        raw = bytes.fromhex(name)
        salt = hmac.new(self._names, b"salt" + raw, sha256).digest()
        return self._encrypt(OBJECT_MAGIC, salt, raw, piece)

    def open(self, name: str, data: bytes) -> bytes:
        """Return the piece in the object `name`.

        Raises:
            Tampered: it is another object, was altered, or belongs to another home.
        """
        return self._decrypt(OBJECT_MAGIC, bytes.fromhex(name), data, f"the object {name}")

    def seal_manifest(self, run: int, plain: bytes) -> bytes:
        """Return the manifest of a run, sealed."""
        return self._encrypt(MANIFEST_MAGIC, secrets.token_bytes(_SALT_BYTES), run.to_bytes(8, "big"), plain)

    def open_manifest(self, run: int, data: bytes) -> bytes:
        """Return the manifest of a run.

        Raises:
            Tampered: as `open`, or the machine secret is another one.
        """
        return self._decrypt(MANIFEST_MAGIC, run.to_bytes(8, "big"), data, f"the manifest of run {run}")

    def _encrypt(self, magic: bytes, salt: bytes, about: bytes, plain: bytes) -> bytes:
        return magic + salt + AESGCM(self._key(salt)).encrypt(_NONCE, plain, magic + about)

    def _decrypt(self, magic: bytes, about: bytes, data: bytes, what: str) -> bytes:
        begin = len(magic) + _SALT_BYTES
        try:
            if data[: len(magic)] != magic or len(data) < begin + _TAG_BYTES:
                raise InvalidTag
            return AESGCM(self._key(data[len(magic) : begin])).decrypt(_NONCE, data[begin:], magic + about)
        except InvalidTag:
            raise Tampered(
                f"{what} does not open: it was altered, or the backup is another home's, or was made under "
                "another machine secret. Compare the words with the sheet in the safe"
            ) from None

    def _key(self, salt: bytes) -> bytes:
        return _derive(self._seal, b"object", salt)


def _derive(key: bytes, what: bytes, salt: bytes | None = None) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"muniment/1 backup " + what).derive(key)
