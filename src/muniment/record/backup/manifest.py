"""A manifest lists every file of one backup and its pieces; what it says is checked before any of it is used.

Source: docs/formats/backup.md, "Manifest".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import msgspec

from muniment.policy.errors import MunimentError, Tampered
from muniment.record.backup.sealing import PIECE_BYTES, Seals
from muniment.record.ledger.checkpoint import Checkpoint, parse_checkpoint
from muniment.record.ledger.note import parse_note

VERSION = 1
MAX_BYTES = 256 << 20
POLICY, CONSOLE_DB, CONSOLE_DUMP = "muniment.toml", "console.db", "console.dump"
_CHECKPOINT = "record/ledger/checkpoint"
_OUTSIDE_RECORD = frozenset({POLICY, CONSOLE_DB, CONSOLE_DUMP})
_IN_RECORD = re.compile(r"record(/[A-Za-z0-9_][A-Za-z0-9_.\-]{0,120}){1,6}")
_NEVER = (
    "record/record.db",
    "record/lock",
    "record/ledger/tile/",
    "record/ledger/staging/",
    "record/restored.json",
)


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Some bytes of a file, behind those of the piece before."""

    length: int
    sha256: bytes


class File(msgspec.Struct, frozen=True, array_like=True):
    """One file; `path` lies below the home."""

    path: str
    size: int
    pieces: tuple[Piece, ...]


class Manifest(msgspec.Struct, frozen=True, array_like=True):
    """One backup: of which ledger, when, at which generation of the ring, and what is in it."""

    version: int
    origin: str
    run: int
    time_ms: int
    generation: int
    size: int
    checkpoint: str
    files: tuple[File, ...]

    @property
    def bytes(self) -> int:
        """Return how many bytes the files have."""
        return sum(file.size for file in self.files)

    def signed(self) -> Checkpoint:
        """Return what its checkpoint says."""
        return parse_checkpoint(parse_note(self.checkpoint.encode()).text)


class Placed(NamedTuple):
    """A piece, the object it is in, and its place in its file."""

    name: str
    path: str
    start: int
    piece: Piece


_DECODER = msgspec.msgpack.Decoder(Manifest)


def is_allowed(path: str) -> bool:
    """Tell whether a file of this path may be in a backup: nothing that leads out of the home, no key in the clear."""
    if path in _OUTSIDE_RECORD:
        return True
    return (
        _IN_RECORD.fullmatch(path) is not None
        and not path.startswith(_NEVER)
        and "machine-secret" not in path
    )


def pack(manifest: Manifest) -> bytes:
    """Return a manifest as it is sealed."""
    return msgspec.msgpack.encode(manifest)


def parse(data: bytes, run: int) -> Manifest:
    """Return the manifest of a run.

    Raises:
        Tampered: it is none, or says what no manifest may say.
    """
    try:
        manifest = _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Tampered(f"the manifest of run {run} cannot be read: {error}") from None
    wrong = next(_mistakes(manifest, run), "")
    if wrong:
        raise Tampered(
            f"the manifest of run {run} is refused: {wrong}. Check the store with `muniment backup check`"
        )
    return manifest


def _mistakes(manifest: Manifest, run: int) -> Iterator[str]:
    if manifest.version != VERSION:
        yield f"it has version {manifest.version}, expected {VERSION}"
    if manifest.run != run or min(manifest.time_ms, manifest.generation, manifest.size) < 0:
        yield "its run, time, generation or size is not a count"
    yield from _checkpoint_mistakes(manifest)
    seen: set[str] = set()
    for file in manifest.files:
        if not is_allowed(file.path):
            yield f"it names {file.path[:80]!r}, which no backup holds"
        if file.path in seen:
            yield f"it names {file.path} twice"
        seen.add(file.path)
        if any(
            not 1 <= p.length <= PIECE_BYTES or len(p.sha256) != sha256().digest_size for p in file.pieces
        ):
            yield f"{file.path} has a piece that is none"
        if sum(p.length for p in file.pieces) != file.size:
            yield f"the pieces of {file.path} do not add up"
    folders = {path.rpartition("/")[0] for path in seen}
    if clash := next((path for path in seen if path in folders), ""):
        yield f"{clash} is a file and a folder"


def _checkpoint_mistakes(manifest: Manifest) -> Iterator[str]:
    try:
        signed = manifest.signed()
    except MunimentError as error:
        yield f"its checkpoint is none: {error}"
        return
    if signed.origin != manifest.origin or signed.size != manifest.size:
        yield "its checkpoint is of another ledger or size"


def placed(manifest: Manifest, seals: Seals) -> Iterator[Placed]:
    """Yield every piece with its object's name, file by file, in the order of their bytes."""
    for file in manifest.files:
        yield from placed_in(file, seals)


def placed_in(file: File, seals: Seals) -> Iterator[Placed]:
    """Yield the pieces of one file."""
    start = 0
    for piece in file.pieces:
        yield Placed(seals.name(file.path, start, piece.sha256), file.path, start, piece)
        start += piece.length
