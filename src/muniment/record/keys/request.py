"""A newcomer's key request: the public half of a new key file, signed by that key, for whoever edits the policy.

The signature shows that the keys belong together; that they are the newcomer's shows only the key id, read aloud.
Source: docs/formats/key-request.md; R-5.2-f.
"""

from __future__ import annotations

import base64
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import BadInput
from muniment.record import wraps
from muniment.record.keyfile import signing_key_of, signing_public_of
from muniment.record.ledger.ed25519 import require_strong_key

FORMAT: Final = "muniment-key-request/1"
LARGEST_BYTES = 4096


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields; bytes are base64 in JSON."""

    format: str
    id: str
    name: str
    public_key: bytes
    signing_key: bytes
    signature: bytes = b""

    @property
    def key_id(self) -> bytes:
        """Return the key's id, as the newcomer reads it aloud from the screen or the sheet."""
        return wraps.key_id(self.public_key)


def write_request(owner: str, name: str, private_key: X25519PrivateKey) -> bytes:
    """Return the request of an officer's new key."""
    request = KeyRequest(
        format=FORMAT,
        id=owner,
        name=name,
        public_key=private_key.public_key().public_bytes_raw(),
        signing_key=signing_public_of(private_key),
    )
    signed = msgspec.structs.replace(request, signature=signing_key_of(private_key).sign(_text(request)))
    return msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n"


def parse_request(data: bytes) -> KeyRequest:
    """Return a request whose keys are strong and which its own key signed.

    Raises:
        BadInput: it is none, was altered, or is of a newer form.
    """
    if len(data) > LARGEST_BYTES:
        raise BadInput(f"{len(data)} bytes are no key request; expected {LARGEST_BYTES} at most")
    try:
        request = msgspec.json.decode(data, type=KeyRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"this is no key request: {error}; make one with `muniment keys new-key`") from None
    if request.format != FORMAT:
        raise BadInput(f"found {request.format[:60]!r}, expected {FORMAT!r}: one of a newer release?")
    wraps.require_strong(request.public_key, request.id[:40])
    require_strong_key(request.signing_key)
    try:
        Ed25519PublicKey.from_public_bytes(request.signing_key).verify(request.signature, _text(request))
    except InvalidSignature:
        raise BadInput(
            f"the key request of {request.id[:40]!r} was altered on its way: its own key did not sign it. "
            "Ask for it again, on another way"
        ) from None
    return request


def _text(request: KeyRequest) -> bytes:
    """Return what is signed: every field but the signature, each on a line."""
    keys = (base64.b64encode(key).decode() for key in (request.public_key, request.signing_key))
    return "\n".join((FORMAT, request.id, request.name, *keys, "")).encode()
