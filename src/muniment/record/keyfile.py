"""An officer's key file: the private key under six words, in a form that a browser's WebCrypto opens too.

The file may lie on a server's disk or a stick: without the six words it is 66 bits of guessing at a million rounds a
guess. The words stand on the officer's sheet only. Source: docs/formats/officer-key.md; RFC 8018 (PBKDF2).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muniment.policy.errors import BadInput, Tampered
from muniment.record import wraps
from muniment.record.words import read_passphrase

FORMAT = "muniment-officer-key/1"
ITERATIONS, FEWEST, MOST = 1_000_000, 600_000, 10_000_000
EXAMPLE_ITERATIONS = 10_000
_LARGEST_FILE = 16_384
_SIGNING_INFO = b"muniment/1 officer signing key"


class Kdf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the six words become a key."""

    name: Literal["PBKDF2-HMAC-SHA256"]
    iterations: int
    salt: bytes


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file's fields; bytes are base64 in JSON."""

    format: str
    example: bool = False
    id: str
    name: str
    public_key: bytes
    signing_key: bytes
    kdf: Kdf
    cipher: Literal["AES-256-GCM"]
    nonce: bytes
    sealed: bytes

    @property
    def key_id(self) -> bytes:
        """Return the key's id, 8 bytes, as it stands on the sheet."""
        return wraps.key_id(self.public_key)


class _Version(msgspec.Struct, frozen=True):
    format: str


def signing_key_of(private_key: X25519PrivateKey) -> Ed25519PrivateKey:
    """Return the key an officer signs approvals with: one file and six words hold both."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_SIGNING_INFO)
    return Ed25519PrivateKey.from_private_bytes(derived.derive(private_key.private_bytes_raw()))


def signing_public_of(private_key: X25519PrivateKey) -> bytes:
    """Return the public half of the signing key, 32 bytes, as it stands in the policy file."""
    return signing_key_of(private_key).public_key().public_bytes_raw()


def write_key(
    owner: str,
    name: str,
    private_key: X25519PrivateKey,
    passphrase: str,
    *,
    example: bool = False,
) -> bytes:
    """Return a key file for `owner` (the officer's id). Examples do less work and say so in the file.

    Raises:
        BadInput: the passphrase is not six words of the list.
    """
    rounds = EXAMPLE_ITERATIONS if example else ITERATIONS
    kdf = Kdf("PBKDF2-HMAC-SHA256", rounds, secrets.token_bytes(16))
    public, nonce = private_key.public_key().public_bytes_raw(), secrets.token_bytes(12)
    file = KeyFile(
        format=FORMAT,
        example=example,
        id=owner,
        name=name,
        public_key=public,
        signing_key=signing_public_of(private_key),
        kdf=kdf,
        cipher="AES-256-GCM",
        nonce=nonce,
        sealed=b"",
    )
    cipher = AESGCM(_derive(passphrase, kdf))
    sealed = cipher.encrypt(nonce, private_key.private_bytes_raw(), _associated(file))
    encoded = msgspec.json.encode(msgspec.structs.replace(file, sealed=sealed))
    return msgspec.json.format(encoded, indent=2) + b"\n"


def parse_key_file(data: bytes) -> KeyFile:
    """Return the fields of a key file; nothing is opened and no passphrase needed.

    Raises:
        BadInput: it is no key file, of a newer version, or asks for more or less work than a key file may.
    """
    if len(data) > _LARGEST_FILE:
        raise BadInput(f"{len(data)} bytes are no officer's key file; expected {_LARGEST_FILE} at most")
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version != FORMAT:
            raise BadInput(
                f"found {version[:60]!r}, expected {FORMAT!r}: no officer's key file, or one of a newer release"
            )
        file = msgspec.json.decode(data, type=KeyFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(
            f"this is no officer's key file, or a damaged one: {error}; take the copy on another medium"
        ) from None
    _require_sane(file)
    return file


def open_key(file: KeyFile, passphrase: str) -> X25519PrivateKey:
    """Return the private key.

    Raises:
        BadInput: the six words are others, or not words of the list. Tampered: the file holds another key than it says.
    """
    try:
        plain = AESGCM(_derive(passphrase, file.kdf)).decrypt(file.nonce, file.sealed, _associated(file))
    except InvalidTag:
        raise BadInput(
            f"the six words do not open the key of {file.id}: compare them with the sheet of key "
            f"{file.key_id.hex()}; if they are right, the file is damaged: take another copy of it"
        ) from None
    private_key = X25519PrivateKey.from_private_bytes(plain)
    held = (private_key.public_key().public_bytes_raw(), signing_public_of(private_key))
    if held != (file.public_key, file.signing_key):
        raise Tampered(f"the key file of {file.id} holds another key than it says; take another copy of it")
    return private_key


def _require_sane(file: KeyFile) -> None:
    fewest = EXAMPLE_ITERATIONS if file.example else FEWEST
    if not fewest <= file.kdf.iterations <= MOST:
        raise BadInput(
            f"the key file of {file.id[:40]!r} asks for {file.kdf.iterations} rounds, expected {fewest} to {MOST}; "
            "it was not written by Muniment, or was altered: take another copy of it"
        )
    fields = (file.public_key, file.signing_key, file.kdf.salt, file.nonce, file.sealed)
    if tuple(map(len, fields)) != (32, 32, 16, 12, 48):
        raise BadInput(
            f"the key file of {file.id[:40]!r} has fields of other lengths: take another copy of it"
        )
    wraps.require_strong(file.public_key, file.id[:40])


def _derive(passphrase: str, kdf: Kdf) -> bytes:
    typed = read_passphrase(passphrase).encode()
    return hashlib.pbkdf2_hmac("sha256", typed, kdf.salt, kdf.iterations)


def _associated(file: KeyFile) -> bytes:
    """Return what binds the sealed key to its owner and its public key."""
    return f"{FORMAT}\n{file.id}\n{base64.b64encode(file.public_key).decode()}\n".encode()
