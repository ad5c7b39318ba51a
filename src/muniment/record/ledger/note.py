"""Signed notes: a text, and under it who signed it. Also the Ed25519 key that signs one.

Source: C2SP signed-note v1.0.0; RFC 8032.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from muniment.policy.errors import BadInput, Missing, Tampered
from muniment.record.ledger.ed25519 import require_strong_key, verify_signature
from muniment.record.ledger.encoding import decode_base64, encode_base64

KEY_ID_BYTES = 4
MAX_SIGNATURES = 100  # the format asks for 16 at the least
MAX_NOTE_BYTES = 1_000_000
_DASH = "\u2014 "
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


class SignatureType(IntEnum):
    """The byte that keeps one use of a key apart from another."""

    ED25519 = 1
    ED25519_COSIGNATURE = 4
    MLDSA44_COSIGNATURE = 6


@dataclass(frozen=True)
class Signature:
    """One signature line: the name and key id it claims; the form of the rest belongs to the key's type."""

    name: str
    key_id: bytes
    blob: bytes

    def line(self) -> str:
        """Return the line as it stands in a note."""
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.blob)}\n"


@dataclass(frozen=True)
class Note:
    """A text, ending in a newline, and its signatures. Nothing in it is to be believed before `open_note`."""

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """Return the note as it is stored and sent."""
        return (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode()


class VerifierKey(Protocol):
    """A public key that can say whether a signature under its name and id is its own."""

    @property
    def name(self) -> str:
        """The name under which it signs."""

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell it from other keys of that name."""

    def verify(self, text: str, blob: bytes) -> bool:
        """Return whether `blob` is its signature over the note's text."""


class Signer(Protocol):
    """A private key that signs the text of a note."""

    @property
    def key(self) -> VerifierKey:
        """Its public key."""

    def sign(self, text: str) -> Signature:
        """Return its signature line."""


@dataclass(frozen=True)
class Ed25519Key:
    """The public key of a log: signature type 1."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        require_name(self.name)
        require_strong_key(self.public)

    @property
    def key_id(self) -> bytes:
        """Return the key's id."""
        return key_id(self.name, SignatureType.ED25519, self.public)

    def verify(self, text: str, blob: bytes) -> bool:
        """Return whether `blob` is this key's signature over `text`."""
        return verify_signature(self.public, text.encode(), blob)

    def __str__(self) -> str:
        return make_vkey(self.name, SignatureType.ED25519, self.public)


class Ed25519Signer:
    """The private key of a log. Ed25519 is deterministic: the same text gives the same signature."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._key = Ed25519Key(name, self._private.public_key().public_bytes_raw())

    @property
    def key(self) -> Ed25519Key:
        """Return its public key."""
        return self._key

    def sign(self, text: str) -> Signature:
        """Return the signature line over the text of a note."""
        return Signature(self.key.name, self.key.key_id, self._private.sign(text.encode()))


def parse_note(data: bytes) -> Note:
    """Return the text and the signatures of a note; none of them is checked.

    Raises: BadInput when the bytes are no signed note.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise BadInput(f"a signed note of {len(data)} bytes; expected {MAX_NOTE_BYTES} at most.")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput("a signed note is UTF-8; these bytes are not.") from error
    if _CONTROL.search(whole):
        raise BadInput("a signed note holds no control character but the newline.")
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise BadInput(
            "a signed note is a text, an empty line, and signature lines, each ended by a newline."
        )
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise BadInput(f"a signed note with {len(signatures)} signatures; expected {MAX_SIGNATURES} at most.")
    return Note(text + "\n", tuple(_parse_signature(line) for line in signatures))


def sign_note(text: str, *signers: Signer) -> Note:
    """Return the text with a signature of each signer.

    Raises: BadInput when the text cannot be that of a note.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise BadInput("the text of a note ends in a newline and holds no other control character.")
    return Note(text, tuple(signer.sign(text) for signer in signers))


def open_note(data: bytes, keys: Iterable[VerifierKey]) -> tuple[Note, list[str]]:
    """Return the note and the names of the known keys that signed it, at least one.

    Signatures by unknown keys are passed over; a false one by a known key condemns the whole note.
    Raises: BadInput for no note; Tampered for a false signature; Missing when no known key signed.
    """
    note, signed_by = parse_note(data), []
    known = {(key.name, key.key_id): key for key in keys}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.verify(note.text, signature.blob):
            raise Tampered(f"the signature of {signature.name} does not fit the text above it.")
        signed_by.append(signature.name)
    if not signed_by:
        names = ", ".join(sorted(name for name, _ in known)) or "nobody"
        raise Missing(f"no signature by a known key: expected one of {names}.")
    return note, signed_by


def key_id(name: str, kind: SignatureType, public: bytes) -> bytes:
    """Return the four bytes that tell a key from others of its name."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:KEY_ID_BYTES]


def make_vkey(name: str, kind: SignatureType, public: bytes) -> str:
    """Return the one-line form of a public key."""
    return f"{name}+{key_id(name, kind, public).hex()}+{encode_base64(bytes([kind]) + public)}"


def require_name(name: str) -> None:
    """Return for a name a key may have. Raises: BadInput otherwise."""
    if not name or "+" in name or any(letter.isspace() for letter in name):
        raise BadInput("the name of a key is not empty, and holds no space and no plus sign.")


def _parse_signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise BadInput("a signature line is a dash, a name and base64, with one space between.")
    require_name(name)
    raw = decode_base64(encoded)
    if len(raw) <= KEY_ID_BYTES:
        raise BadInput("a signature holds four bytes of key id and then the signature itself.")
    return Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])
