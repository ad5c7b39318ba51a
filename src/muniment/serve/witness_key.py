"""The keys of a witness: one Ed25519, one that withstands quantum computers, in a file only its owner can read.

Format: docs/formats/witness.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from muniment.policy.errors import BadInput, Conflict, Missing
from muniment.record.disk import Disk
from muniment.record.ledger.cosignature import Ed25519Cosigner, Mldsa44Cosigner
from muniment.record.ledger.encoding import decode_base64, encode_base64
from muniment.record.ledger.note import SignatureType, require_name

KEY_FILE = "witness.key"
_SEED_BYTES = 32
_HEAD = "PRIVATE+KEY+"
_MAKE: dict[int, type[Ed25519Cosigner] | type[Mldsa44Cosigner]] = {
    SignatureType.ED25519_COSIGNATURE: Ed25519Cosigner,
    SignatureType.MLDSA44_COSIGNATURE: Mldsa44Cosigner,
}
Cosigner = Ed25519Cosigner | Mldsa44Cosigner


def create_keys(folder: Path, name: str, disk: Disk | None = None) -> list[Cosigner]:
    """Make a witness's folder with fresh keys, and return them.

    Raises: BadInput when it cannot have that name; Conflict when there is a key already.
    """
    require_name(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / KEY_FILE
    if path.exists():
        raise Conflict(
            f"{path} is there already; a witness keeps its key. Name another folder for another witness"
        )
    lines = []
    for kind, make in _MAKE.items():
        seed = secrets.token_bytes(_SEED_BYTES)
        key_id = make(name, seed, _never).key.key_id
        lines.append(f"{_HEAD}{name}+{key_id.hex()}+{encode_base64(bytes([kind]) + seed)}\n")
    (disk or Disk()).create_durable(path, "".join(lines).encode(), mode=0o600)
    return load_keys(folder, _never)


def load_keys(folder: Path, clock: Callable[[], int]) -> list[Cosigner]:
    """Return a witness's keys, which sign with the time of `clock`, in seconds since 1970.

    Raises: Missing when there are none; BadInput when others can read them or they are not as written.
    """
    path = folder / KEY_FILE
    try:
        if path.stat().st_mode & 0o077:
            raise BadInput(f"{path} can be read by others; expected its owner only: chmod 600 {path}")
        text = path.read_text()
    except FileNotFoundError:
        raise Missing(
            f"{path} is not there; make it: muniment witness init --folder {folder} --name NAME"
        ) from None
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    return [_parse(line, clock, path) for line in text.splitlines()]


def _parse(line: str, clock: Callable[[], int], path: Path) -> Cosigner:
    name, _, rest = line.removeprefix(_HEAD).partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = decode_base64(encoded)
    if not line.startswith(_HEAD) or len(raw) != 1 + _SEED_BYTES or raw[0] not in _MAKE:
        raise BadInput(
            f"{path} is no key of a witness; restore it, or begin another witness in another folder"
        )
    cosigner = _MAKE[raw[0]](name, raw[1:], clock)
    if cosigner.key.key_id.hex() != key_id:
        raise BadInput(f"{path} holds a key that does not have the id it names; restore it")
    return cosigner


def _never() -> int:
    raise BadInput("this key was loaded to be shown, not to sign")
