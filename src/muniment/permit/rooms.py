"""The folder of a permit's room: what lies at rest before, and besides, anything is opened.

`HOME/rooms/NUMBER-REVISION/`; files are written once, whole, for their owner only. Source: docs/formats/room-socket.md.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import Missing, Tampered
from muniment.record import keyfile
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.permit_selection import digest_of
from muniment.record.permit_text import PermitRequest
from muniment.record.words import draw_passphrase

REQUEST, SELECTION, APPROVAL, KEY = "request.json", "selection.bin", "approval.json", "room-key.sealed"


def folder_of(home: Home, number: str, revision: int) -> Path:
    """Return where the files of a room lie."""
    return home.path / "rooms" / f"{number}-{revision}"


def draw_key() -> tuple[X25519PrivateKey, str]:
    """Return a fresh key for a room, and the six words that seal it."""
    return X25519PrivateKey.generate(), draw_passphrase()


def seal_key(
    number: str, revision: int, name: str, private_key: X25519PrivateKey, words: str, *, example: bool
) -> bytes:
    """Return a room's key file; it opens with the six words alone, which nobody keeps but who asked."""
    return keyfile.write_key(f"room-{number}-{revision}", name, private_key, words, example=example)


def write_room(home: Home, request: PermitRequest, text: str, selection: bytes, key: bytes) -> None:
    """Write what a request needs; an earlier attempt that was never recorded is replaced."""
    folder = folder_of(home, request.number, request.revision)
    disk = Disk()
    disk.make_folder(folder.parent)
    folder.parent.chmod(0o700)
    disk.make_folder(folder)
    folder.chmod(0o700)
    disk.write_durable(folder / REQUEST, text.encode(), 0o600)
    disk.write_durable(folder / SELECTION, selection, 0o600)
    if key:
        disk.write_durable(folder / KEY, key, 0o600)


def write_approval(home: Home, request: PermitRequest, signed: bytes) -> None:
    """Write the signed approval, with the sealed release within."""
    Disk().write_durable(folder_of(home, request.number, request.revision) / APPROVAL, signed, 0o600)


def read_key(home: Home, number: str, revision: int) -> bytes:
    """Return a room's sealed key file. Raises: Missing."""
    return _read(folder_of(home, number, revision) / KEY, number)


def read_selection(home: Home, request: PermitRequest) -> bytes:
    """Return the selection of a request.

    Raises:
        Missing: it is not there. Tampered: it is not the one that the request names.
    """
    path = folder_of(home, request.number, request.revision) / SELECTION
    data = _read(path, request.number)
    if digest_of(data) != request.selection_sha256:
        raise Tampered(
            f"{path} does not hold the entries that request {request.number} names; nothing can be approved or "
            "opened under it. Tell IT Support; ask for a new permit"
        )
    return data


def read_approval(home: Home, request: PermitRequest) -> bytes:
    """Return the signed approval, with the sealed release within. Raises: Missing."""
    return _read(folder_of(home, request.number, request.revision) / APPROVAL, request.number)


def _read(path: Path, number: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Missing(
            f"{path} is not there: restore it from a backup, or ask for permit {number} anew"
        ) from None
