"""Opening sealed entries once both shares are at hand; and what an officer's own key opens, for the acts that need it.

A permit's room opens with released keys (`record.released`), an officer with hers (`OfficerView`); both do what
stands here. The officer's key never reaches the recorder. Source: R-5.2-f; docs/formats/seals.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import Missing, Tampered
from muniment.record import chain, commitment, line, packing, seal, wraps
from muniment.record import leaf as leaves
from muniment.record.attachments.blob import require_no_attachment
from muniment.record.attachments.fetching import Attachments
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Kind
from muniment.record.epoch import split_officers_root
from muniment.record.frame import Frame, Sections, parse_sections
from muniment.record.home import Home
from muniment.record.keeper import EpochId, Keeper
from muniment.record.keytree import DEPTH, descend
from muniment.record.reading import open_facts, open_line, read_frame
from muniment.record.row import Row
from muniment.record.sharing import opening_wraps, sealed_again
from muniment.record.units import face_ends
from muniment.record.wraps import WrittenWrap

MAX_CONTENT_BYTES = 512 << 20
_META = msgspec.msgpack.Decoder(tuple[str, bytes])
Faces = tuple[bytes, bytes | None]  # as written; as sent, None when it left as it was written
Keys = Callable[[bytes, bytes], seal.SectionKey]  # (section, salt) to its key


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


class Bytes(NamedTuple):
    """Where the bytes of an entry are: in itself, in the entry `about`, or in the entries `blobs`."""

    kind: int
    about: int | None
    blobs: tuple[int, ...]


class Source(Protocol):
    """Entries that can be opened one by one."""

    def bytes_of(self, index: int) -> Bytes:
        """Return where the bytes of an entry are."""

    def own_faces(self, index: int) -> Faces:
        """Return what an entry's own content section holds."""


def open_meta(leaf: bytes, sections: Sections, keys: Keys, *, is_verified: bool = True) -> tuple[str, bytes]:
    """Return (why it is shielded, meta map) of a frame; empty when it has none. `is_verified` as in `open_faces`.

    Raises:
        Missing: the key is not held. Tampered: it does not open, or is not what its leaf commits to.
    """
    if not sections.meta:
        return "", b""
    found = keys(seal.META, sections.salt)
    packed = seal.unpad(seal.open_section(found.key, seal.META, leaf[: leaves.HEAD], sections.meta))
    plain, _ = packing.unpack(packed, MAX_CONTENT_BYTES)
    if is_verified:
        commitment.verify_bytes(found.commitment_seed, plain, leaves.parse(leaf).meta_commitment)
    return _META.decode(plain)


def open_faces(
    leaf: bytes, sections: Sections, keys: Keys, attachments: Attachments, *, is_verified: bool = True
) -> Faces:
    """Return the faces in a frame's content section; (empty, None) when it has none.

    The seal proves that the bytes are the recorder's. `is_verified` also recomputes the commitment in the leaf, which
    is what a pack proves to others, and what takes the time.
    Raises:
        Missing: the key is not held, or an attachment is not there. Tampered: it does not open, or is not what its leaf
            commits to.
    """
    if not sections.content:
        return b"", None
    require_no_attachment(leaf)
    found = keys(seal.CONTENT, sections.salt)
    packed = seal.unpad(seal.open_section(found.key, seal.CONTENT, leaf[: leaves.HEAD], sections.content))
    content, sent = packing.unpack(packed, MAX_CONTENT_BYTES, attachments.of(leaf))
    if is_verified:
        faces = [content] if sent is None else [content, sent]
        if (
            commitment.commit(found.commitment_seed, faces, face_ends(faces))
            != leaves.parse(leaf).content_commitment
        ):
            raise Tampered("an entry opens, but its leaf commits to other bytes; run muniment verify")
    return content, sent


def whole_faces(source: Source, index: int) -> Faces:
    """Return the faces of an entry, following an observation to its earlier copy and a chain to its pieces.

    Raises:
        Missing: a key is not held. Tampered: what it refers to cannot be what it says.
    """
    where = source.bytes_of(index)
    if where.kind == Kind.OBSERVATION and where.about is not None:
        if where.about >= index:
            raise Tampered(f"entry {index} says that its bytes are in a later entry; run muniment verify")
        return whole_faces(source, where.about)[0], None
    faces = source.own_faces(index)
    if not where.blobs:
        return faces
    parts = [source.own_faces(blob)[0] for blob in where.blobs]
    return chain.join(chain.parse_manifest(faces[0]), parts)


@dataclass
class OfficerView:
    """What one officer's key opens: the officers' share of every epoch sealed to that key."""

    home: Home
    origin: str
    private_key: X25519PrivateKey
    catalogue: Catalogue
    keeper: Keeper
    _roots: dict[EpochId, tuple[bytes, bytes]] = field(default_factory=dict)
    _again: dict[EpochId, list[WrittenWrap]] | None = None

    def __post_init__(self) -> None:
        self._attachments = Attachments(self.home)

    def open(self, index: int) -> Opened:
        """Open one entry whole, following observations and chains to the bytes they refer to.

        Raises:
            Missing: the share was destroyed or was never sealed to this key. Tampered: the bytes do not open.
        """
        row, frame = self._frame(index)
        sections = parse_sections(frame.body)
        shielded, meta = open_meta(frame.leaf, sections, self._keys(row))
        content, sent = whole_faces(self, index)
        told = open_line(frame.leaf, frame.body, self.keeper)
        return Opened(
            row, told, open_facts(frame, self.keeper), shielded, meta, content, sent, sections.plain
        )

    def bytes_of(self, index: int) -> Bytes:
        """Return where the bytes of an entry are."""
        row, frame = self._frame(index)
        told = open_line(frame.leaf, frame.body, self.keeper)
        return Bytes(row.kind, row.about, told.blobs if chain.is_chain(told.size) else ())

    def own_faces(self, index: int) -> Faces:
        """Return what an entry's own content section holds, proved by its leaf's commitment."""
        row, frame = self._frame(index)
        return open_faces(frame.leaf, parse_sections(frame.body), self._keys(row), self._attachments)

    def _frame(self, index: int) -> tuple[Row, Frame]:
        row = self.catalogue.row(index)
        return row, read_frame(self.home, row)

    def _keys(self, row: Row) -> Keys:
        def keys(section: bytes, salt: bytes) -> seal.SectionKey:
            meta_root, content_root = self.roots((row.retention, row.epoch))
            officers = descend(meta_root if section == seal.META else content_root, row.position, DEPTH)
            keeper = self.keeper.cover((row.retention, row.epoch)).seed(row.position)
            return seal.section_key(officers, seal.blade(keeper, section), salt)

        return keys

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
        if self._again is None:
            self._again = sealed_again(self.home, self.catalogue)
        own = wraps.key_id(self.private_key.public_key().public_bytes_raw())
        for written in [*opening_wraps(self.home, epoch), *self._again.get(epoch, ())]:
            wrap = wraps.from_written(written)
            if wrap.key_id == own:
                return wraps.open_share(wrap, self.private_key, self.origin, *epoch)
        raise Missing(
            f"the share of epoch {epoch[1]} was never sealed to this key; another officer must open it"
        )
