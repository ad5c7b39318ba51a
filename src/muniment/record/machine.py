"""The machine secret: 32 bytes that open the keeper's files, never on the disk of a real organisation's machine.

The keeper's wrapping key and the ledger's signing key lie in `HOME/record/keeper/*.sealed`. Who takes the disk, or a
copy of it, has neither. The secret stands as twenty-four words on the sheet in the safe and is given at each start.

    sealed file = version (1 byte, 01) || nonce (12 bytes) || AES-256-GCM of the data
    key         = HKDF-SHA256(machine secret, no salt, "muniment/1 machine " || label)

Source: docs/formats/officer-key.md, "The machine secret"; RFC 5869.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muniment.policy.errors import BadInput, Missing, Tampered
from muniment.record.home import Home
from muniment.record.words import SECRET_BYTES, from_words, to_words

__all__ = [
    "VARIABLE",
    "derive",
    "example_file",
    "find",
    "from_words",
    "new_secret",
    "open",
    "seal",
    "to_words",
]

VARIABLE = "MUNIMENT_MACHINE_SECRET_FILE"
EXAMPLE_FILE = "EXAMPLE-machine-secret"
_VERSION = b"\x01"
_LARGEST_FILE = 4096


def new_secret() -> bytes:
    """Return a fresh machine secret."""
    return secrets.token_bytes(SECRET_BYTES)


def seal(secret: bytes, label: str, data: bytes) -> bytes:
    """Return `data` sealed under the machine secret; `label` says what it is, and opens nothing else."""
    nonce = secrets.token_bytes(12)
    return _VERSION + nonce + AESGCM(_key(secret, label)).encrypt(nonce, data, _VERSION)


def open(secret: bytes, label: str, sealed: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        Tampered: the secret or the label is another one, or the bytes were altered.
    """
    try:
        if sealed[:1] != _VERSION or len(sealed) < 29:
            raise InvalidTag
        return AESGCM(_key(secret, label)).decrypt(sealed[1:13], sealed[13:], _VERSION)
    except InvalidTag:
        raise Tampered(
            f"the sealed {label} does not open: the machine secret is that of another home, or the file was altered; "
            "compare the words with the sheet in the safe, else restore the keeper's folder"
        ) from None


def find(home: Home, environ: Mapping[str, str], prompt: Callable[[str], str] | None) -> bytes:
    """Return the machine secret from the first place that has it.

    1. the file that `MUNIMENT_MACHINE_SECRET_FILE` names, for instance a systemd credential;
    2. in an example home, the file init left beside the keeper's;
    3. what a person types when `prompt` asks, twenty-four words.

    Raises:
        Missing: no place has it. BadInput: what is there is not twenty-four words.
    """
    if named := environ.get(VARIABLE):
        return _read(Path(named), f"{VARIABLE} names {named}")
    left = example_file(home)
    if left.exists():
        return _read(left, str(left))
    if prompt is None:
        raise Missing(
            f"the machine secret of {home.path} is not there: start this at a terminal and type the "
            f"24 words of the sheet in the safe, or set {VARIABLE} to a file that holds them"
        )
    return from_words(prompt("Machine secret, the 24 words of the sheet in the safe: "))


def example_file(home: Home) -> Path:
    """Return where an example home keeps its machine secret in the clear; a real home never has this file."""
    return home.keeper / EXAMPLE_FILE


def example_text(secret: bytes) -> bytes:
    """Return the contents of that file, stamped."""
    stamp = (
        "# EXAMPLE. The machine secret of an example organisation, in the clear. Keep nothing real here.\n"
    )
    return (stamp + to_words(secret) + "\n").encode()


def _read(path: Path, found: str) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE).decode("ascii", "replace")
    except OSError as error:
        raise Missing(
            f"{found}, which cannot be read: {error.strerror}; give it the 24 words of the sheet in the safe"
        ) from None
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    try:
        return from_words(" ".join(lines))
    except BadInput as error:
        raise BadInput(f"{found}: {error}") from None


def derive(secret: bytes, label: str) -> bytes:
    """Return the key (32 bytes) for what `label` names; it tells nothing of the secret or of another label's key."""
    return _key(secret, label)


def _key(secret: bytes, label: str) -> bytes:
    info = b"muniment/1 machine " + label.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
