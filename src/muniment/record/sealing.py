"""Turning an Entry into a leaf and a body: everything that is hidden is hidden here.

Pure but for the random salt that is handed in, so that it may be done in any process. Source: docs/formats/seals.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import msgspec

from muniment.record import commitment, line, packing, seal
from muniment.record.attachments.blob import seal_blob
from muniment.record.attachments.laying import Sharing
from muniment.record.entry import Entry, Kind
from muniment.record.frame import Sections, body_sha256, pack_sections
from muniment.record.leaf import SEAL_CONTENT, SEAL_FACTS, SEAL_META, SEAL_PLAIN, SIZE, pack_head
from muniment.record.units import face_ends

_NOTHING = bytes(32)
_encode = msgspec.msgpack.Encoder().encode


@lru_cache(maxsize=256)
def _packed_facts(facts: bytes, level: int) -> bytes:
    """Return packed facts; most decisions of a day are one of a few."""
    return packing.pack_map(facts, level=level)


class Place(NamedTuple):
    """Where and when an entry stands; the part of its leaf that the recorder decides."""

    epoch: int
    position: int
    captured_ms: int
    expiry_day: int
    sequence: int
    policy_digest: bytes


class Job(NamedTuple):
    """All that sealing one entry takes: what `seal_entry` is given."""

    entry: Entry
    place: Place
    seeds: seal.Seeds
    catalogue_line: line.Line
    salt: bytes
    level: int
    sharing: Sharing = Sharing()


Sealed = tuple[bytes, bytes]
"""The leaf and the body of one entry."""


class SealingLost(Exception):
    """Sealing beside the recorder did not end; the positions of these jobs are burnt, the entries are sealed anew."""


class Sealer(Protocol):
    """Seals batches, here or beside."""

    @property
    def state(self) -> str:
        """Where the sealing is done, in words for `muniment status`."""

    def seal(self, jobs: Sequence[Job]) -> list[Sealed]:
        """Return what `seal_entry` makes of each job, in the same order.

        Raises:
            SealingLost: not all of them are sealed; none of these jobs may be sealed again.
        """


class InPlace:
    """Seals in the caller's thread."""

    state = "in the recorder's own process"

    def seal(self, jobs: Sequence[Job]) -> list[Sealed]:
        """Return what `seal_entry` makes of each job."""
        return [seal_entry(*job) for job in jobs]


def seals_of(entry: Entry) -> int:
    """Return the bits that say which sections an entry has, under which seal."""
    holds_content = entry.kind in (Kind.RECORD, Kind.BLOB) and bool(entry.content or entry.sent or entry.meta)
    return (
        (SEAL_CONTENT if holds_content else 0)
        | (SEAL_META if entry.meta or entry.shielded else 0)
        | (SEAL_FACTS if entry.facts else 0)
        | (SEAL_PLAIN if entry.plain else 0)
    )


def seal_entry(
    entry: Entry,
    place: Place,
    seeds: seal.Seeds,
    catalogue_line: line.Line,
    salt: bytes,
    level: int,
    sharing: Sharing = Sharing(),  # noqa: B008 - a value
) -> tuple[bytes, bytes]:
    """Return (leaf of 176 bytes, body) of an entry; `salt` is 16 random bytes, `level` the compression's."""
    seals = seals_of(entry)
    head = pack_head(
        entry.kind,
        entry.channel,
        entry.retention,
        place.epoch,
        place.position,
        place.captured_ms,
        place.expiry_day,
        entry.stream,
        entry.capture,
        seals,
        place.sequence,
    )
    keeper = seeds.keeper
    line_key = seal.kept_key(seal.blade(keeper, seal.LINE), salt)
    sealed_line = seal.close(line_key, seal.LINE, head, line.encode(catalogue_line))
    facts = meta = content = b""
    meta_commitment = content_commitment = _NOTHING
    if seals & SEAL_FACTS:
        key = seal.kept_key(seal.blade(keeper, seal.FACTS), salt)
        facts = seal.close(key, seal.FACTS, head, _packed_facts(entry.facts, level))
    if seals & SEAL_META:
        plain_meta = _encode((entry.shielded, entry.meta))
        key, seed = seal.sealed_keys(seeds.officers_meta, seal.blade(keeper, seal.META), salt)
        meta = seal.close(key, seal.META, head, seal.pad(packing.pack_map(plain_meta, level=level)))
        meta_commitment = commitment.commit_bytes(seed, plain_meta)
    if seals & SEAL_CONTENT and sharing.key:
        content, content_commitment = seal_blob(entry.content, sharing.key, salt, head, level)
    elif seals & SEAL_CONTENT:
        faces = [entry.content] if entry.sent is None else [entry.content, entry.sent]
        key, seed = seal.sealed_keys(seeds.officers_content, seal.blade(keeper, seal.CONTENT), salt)
        prepared = sharing.prepared or packing.prepare(entry.content, entry.sent)
        packed = packing.compress(prepared, sharing.names, level=level)
        content = seal.close(key, seal.CONTENT, head, seal.pad(packed))
        content_commitment = commitment.commit(seed, faces, face_ends(faces))
    body = pack_sections(Sections(salt, sealed_line, facts, meta, content, entry.plain))
    leaf = b"".join(
        (
            head,
            len(body).to_bytes(8, "big"),
            body_sha256(body),
            content_commitment,
            meta_commitment,
            place.policy_digest,
        )
    )
    if len(leaf) != SIZE:
        raise AssertionError("a leaf of the wrong size was made")
    return leaf, body
