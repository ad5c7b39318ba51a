"""Opening sealed entries with an officer's share and the keeper's: what a permit will release, entry by entry.

Nothing in the running product calls this without an officer's private key in hand; the key never reaches the
recorder. Source: R-5.2-f; docs/formats/seals.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import Missing
from muniment.record import chain, commitment, line, packing, seal, wraps
from muniment.record import leaf as leaves
from muniment.record.catalogue import Catalogue, Row
from muniment.record.entry import Kind, Retention, Stream
from muniment.record.epoch import split_officers_root
from muniment.record.frame import Frame, parse_sections
from muniment.record.home import Home
from muniment.record.keeper import EpochId, Keeper
from muniment.record.keytree import descend
from muniment.record.reading import open_facts, open_line, read_frame
from muniment.record.units import face_ends

DEPTH = 24
MAX_CONTENT_BYTES = 512 << 20


@dataclass(frozen=True)
class Opened:
    """One entry in the clear; `sent` is None when the message left as it was written."""

    row: Row
    told: line.Line
    facts: bytes = b""
    shielded: str = ""
    meta: bytes = b""
    content: bytes = b""
    sent: bytes | None = None
    plain: bytes = b""


@dataclass
class OfficerView:
    """What one officer's key opens: the officers' share of every epoch sealed to that key."""

    home: Home
    origin: str
    private_key: X25519PrivateKey
    catalogue: Catalogue
    keeper: Keeper
    _roots: dict[EpochId, tuple[bytes, bytes]] = field(default_factory=dict)
    _again: dict[EpochId, list[Any]] | None = None

    def open(self, index: int) -> Opened:
        """Open one entry whole, following observations and chains to the bytes they refer to.

        Raises:
            Missing: the share was destroyed or was never sealed to this key. Tampered: the bytes do not open.
        """
        row = self.catalogue.row(index)
        frame = read_frame(self.home, row)
        opened = self._open_frame(row, frame)
        if row.kind == Kind.OBSERVATION and row.about is not None:
            held = self.open(row.about)
            return _with_content(opened, held.content, None)
        if opened.told.blobs:
            manifest = chain.parse_manifest(opened.content)
            parts = [self.open(blob).content for blob in opened.told.blobs]
            return _with_content(opened, *chain.join(manifest, parts))
        return opened

    def _open_frame(self, row: Row, frame: Frame) -> Opened:
        head, sections = frame.leaf[: leaves.HEAD], parse_sections(frame.body)
        told = open_line(frame.leaf, frame.body, self.keeper)
        keeper_seed = self.keeper.cover((row.retention, row.epoch)).seed(row.position)
        facts, shielded, meta = open_facts(frame, self.keeper), "", b""
        fields = leaves.parse(frame.leaf)
        if sections.meta:
            key, seed = self._keys(row, keeper_seed, seal.META, sections.salt)
            packed = seal.unpad(seal.open_section(key, seal.META, head, sections.meta))
            plain, _ = packing.unpack(packed, MAX_CONTENT_BYTES)
            commitment.verify_bytes(seed, plain, fields.meta_commitment)
            shielded, meta = msgspec.msgpack.decode(plain, type=tuple[str, bytes])
        content, sent = b"", None
        if sections.content:
            key, seed = self._keys(row, keeper_seed, seal.CONTENT, sections.salt)
            packed = seal.unpad(seal.open_section(key, seal.CONTENT, head, sections.content))
            content, sent = packing.unpack(packed, MAX_CONTENT_BYTES)
            faces = [content] if sent is None else [content, sent]
            if commitment.commit(seed, faces, face_ends(faces)) != fields.content_commitment:
                raise Missing(
                    f"entry {row.idx} opens, but its redaction commitment is another; run muniment verify"
                )
        return Opened(row, told, facts, shielded, meta, content, sent, sections.plain)

    def _keys(self, row: Row, keeper_seed: bytes, section: bytes, salt: bytes) -> tuple[bytes, bytes]:
        meta_root, content_root = self.roots((row.retention, row.epoch))
        root = meta_root if section == seal.META else content_root
        return seal.sealed_keys(descend(root, row.position, DEPTH), seal.blade(keeper_seed, section), salt)

    def roots(self, epoch: EpochId) -> tuple[bytes, bytes]:
        """Return the officers' `meta` and `content` roots of an epoch.

        Raises:
            Missing: the epoch's share was never sealed to this key.
        """
        if epoch not in self._roots:
            self._roots[epoch] = split_officers_root(self.share(epoch))
        return self._roots[epoch]

    def share(self, epoch: EpochId) -> bytes:
        """Return the officers' root of an epoch, from its own entry or from one that sealed it again.

        Raises:
            Missing: it was never sealed to this key, or the epoch has expired.
        """
        rows = self.catalogue.rows("retention = ? AND epoch = ? AND position = 0", epoch)
        if not rows:
            raise Missing(f"epoch {epoch[1]} has expired: its shares are destroyed")
        stated = json.loads(parse_sections(read_frame(self.home, rows[0]).body).plain)
        key_id = wraps.key_id(self.private_key.public_key().public_bytes_raw())
        for item in [*stated["wraps"], *self._sealed_again().get(epoch, ())]:
            wrap = wraps.from_json(item)
            if wrap.key_id == key_id:
                return wraps.open_share(wrap, self.private_key, self.origin, *epoch)
        raise Missing(
            f"the share of epoch {epoch[1]} was never sealed to this key; another officer must open it"
        )

    def _sealed_again(self) -> dict[EpochId, list[Any]]:
        """Return the wraps of later entries that sealed shares again, for instance to a new officer."""
        if self._again is None:
            self._again = {}
            for row in self.catalogue.rows("stream = ? AND retention = ?", (Stream.KEYS, Retention.JOURNAL)):
                plain = json.loads(parse_sections(read_frame(self.home, row).body).plain)
                for share in plain.get("shares", ()):
                    self._again.setdefault((share["class"], share["epoch"]), []).extend(share["wraps"])
        return self._again


def _with_content(opened: Opened, content: bytes, sent: bytes | None) -> Opened:
    return Opened(
        opened.row, opened.told, opened.facts, opened.shielded, opened.meta, content, sent, opened.plain
    )
