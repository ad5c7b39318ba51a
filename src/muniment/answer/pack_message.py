"""One message of a pack: its bytes, its entry with the proof, and the disclosure that ties the one to the other.

1. The entry of a message is committed to its faces. The disclosure gives the lengths, the units and the salts' seed.
2. Bytes that came again are held by an earlier entry; the disclosure carries that entry with its proof.
3. The entry of a message above 16 MiB is committed to a manifest: length, hash, and how the sent bytes differ.

Source: docs/formats/pack.md, docs/formats/redaction.md; R-5.4-c.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from muniment.policy.errors import Missing, Tampered, Unavailable
from muniment.record import chain
from muniment.record.commitment import commit
from muniment.record.entry import Kind, Stream
from muniment.record.exporting import FORMAT as ENTRY_FORMAT
from muniment.record.home import Home
from muniment.record.leaf import parse as parse_leaf
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.note import parse_note
from muniment.record.ledger.proof import Proof
from muniment.record.ledger.publisher import CHECKPOINT_FILE
from muniment.record.ledger.tiles import TileReader
from muniment.record.opening import VKEY_FILE
from muniment.record.reading import read_frame
from muniment.record.row import Row
from muniment.record.units import face_ends
from muniment.record.unsealing import Source, whole_faces

FORMAT = "muniment-opened/1"


class View(Source, Protocol):
    """What opens entries: a room's view (`record.released`)."""

    def open_meta(self, index: int) -> tuple[str, bytes]:
        """Return (why it is shielded, metadata) of an entry."""

    def content_seed(self, index: int) -> bytes:
        """Return the seed of the salts an entry's own content is committed with, 32 bytes."""


@dataclass(frozen=True)
class PackMessage:
    """What a pack holds of one message; `entry` and `disclosure` are JSON objects, `meta` the entry's metadata."""

    entry: dict[str, Any]
    disclosure: dict[str, Any]
    content: bytes
    sent: bytes | None
    captured_ms: int
    meta: bytes = b""


@dataclass
class Exporter:
    """Makes entries with their proofs, all under one checkpoint: the one published when it was made.

    `row_of` gives the catalogue's row of a ledger index, for instance `lambda index: view.item(index).row`.
    """

    home: Home
    row_of: Callable[[int], Row]
    is_example: bool
    note: bytes = b""

    def __post_init__(self) -> None:
        self.note = self.note or (self.home.ledger / CHECKPOINT_FILE).read_bytes()
        self.checkpoint = parse_checkpoint(parse_note(self.note).text)
        self.vkey = (self.home.ledger / VKEY_FILE).read_text().strip()
        self._reader = TileReader(self.home.ledger, self.checkpoint.size)

    def entry(self, row: Row) -> dict[str, Any]:
        """Return an exported entry without its sealed bytes.

        Raises: Unavailable when it is newer than the checkpoint.
        """
        if row.idx >= self.checkpoint.size:
            raise Unavailable(f"entry {row.idx} is newer than the last checkpoint; try again in a second")
        hashes = tuple(self._reader.inclusion(row.idx))
        return {
            "format": ENTRY_FORMAT,
            "origin": self.checkpoint.origin,
            "vkey": self.vkey,
            "number": Stream(row.stream).number(row.sequence),
            "index": row.idx,
            "leaf": base64.b64encode(read_frame(self.home, row).leaf).decode(),
            "proof": Proof(row.idx, hashes, self.note).to_text(),
            "example": self.is_example,
        }

    def message(self, view: View, index: int) -> PackMessage:
        """Return what a pack holds of one message.

        Raises:
            Missing: the entry has no content, or was not released. Unavailable: it is newer than the checkpoint.
            Tampered: its entry is committed to other bytes.
        """
        row, holder = self.row_of(index), index
        while (where := view.bytes_of(holder)).kind == Kind.OBSERVATION and where.about is not None:
            holder = where.about
        content, sent = whole_faces(view, holder)
        if not content:
            raise Missing(f"entry {index} has no content: there is no message in it")
        entry = self.entry(row)
        seed = view.content_seed(holder)
        disclosure = {"format": FORMAT, "number": entry["number"], "seed": base64.b64encode(seed).decode()}
        faces = [content] if sent is None else [content, sent]
        if where.blobs:
            manifest, disclosure["keeps"] = _manifest(content, sent)
            faces = [manifest]
        ends = face_ends(faces)
        disclosure["faces"] = [[len(face), list(cuts)] for face, cuts in zip(faces, ends, strict=True)]
        held = entry if holder == index else self.entry(self.row_of(holder))
        if holder != index:
            disclosure["holder"] = held
        # What would not be proved to its reader must not leave.
        committed = parse_leaf(base64.b64decode(held["leaf"])).content_commitment
        if commit(seed, faces, ends) != committed:
            raise Tampered(
                f"entry {holder} does not commit to the message that it opens to; run muniment verify"
            )
        return PackMessage(entry, disclosure, content, sent, row.captured_ms, view.open_meta(index)[1])


def _manifest(content: bytes, sent: bytes | None) -> tuple[bytes, list[int]]:
    """Return the manifest of a long message, and how much of its beginning and end the sent bytes keep."""
    patch = None if sent is None else chain.difference(content, sent)
    manifest = chain.Manifest(chain.VERSION, len(content), hashlib.sha256(content).digest(), patch)
    return msgspec.msgpack.encode(manifest), [] if patch is None else [patch.keep_start, patch.keep_end]
