"""Expiry: what has lived its lawful time is forgotten, provably.

For every epoch whose last entry is due, in this order, so that a stop at any point can be taken up again:

1. husks: the leaves of its segments, written durably, so that every proof about other entries still holds;
2. the keeper's share leaves the ring, and the ring is written under a fresh wrapping key: old copies are useless;
3. the segments and their catalogue rows are removed;
4. a tombstone, an open entry, says what was forgotten, under which clause, and what it does not cover.

A single record is forgotten by puncturing its key; its frame stays and means nothing.
Source: R-5.1-a (retained for a set period); DESIGN "Retention".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from muniment.policy.errors import Conflict
from muniment.record.backup.noted import still_held
from muniment.record.catalogue import Row
from muniment.record.entry import Entry, Kind, Retention, Stream
from muniment.record.frame import HEADER_BYTES, Frame, pack_husk, walk
from muniment.record.keeper import EpochId
from muniment.record.leaf import NO_EXPIRY
from muniment.record.opening import OpenRecord
from muniment.record.segment import SegmentId, mapped

NOT_COVERED = (
    "copies in the mail system and on its backups",
    "messages that left the organisation",
    "packs and exports already handed out",
    "copies of the keeper's ring together with the machine secret made before this expiry, if anyone kept both",
)


def not_covered(opened: OpenRecord) -> list[str]:
    """Return what a certificate of now does not cover; a backup that was not run since is named."""
    generation = opened.record.parts.keeper.generation
    return [*NOT_COVERED, *still_held(opened.backups.copied, generation)]


@dataclass(frozen=True)
class Tombstone:
    """What one expiry forgot: entries `first` to `last` (inclusive) of the ledger lie within it."""

    retention: str
    epoch: int
    entries: int
    first: int
    last: int
    day: str


def expire(opened: OpenRecord) -> list[Tombstone]:
    """Forget every epoch whose entries are all due by the record's clock; return what was forgotten."""
    record, keeper = opened.record, opened.record.parts.keeper
    today = record.now_ms() // 86_400_000
    due = _due_epochs(opened, today)
    if not due:
        return []
    before = keeper.digest()
    tombs = []
    for epoch, segments in due.items():
        tombs.append(_write_husks(opened, epoch, segments, today))
        keeper.covers.pop(epoch, None)
    keeper.turn()
    for epoch, segments in due.items():
        for segment in segments:
            opened.record.parts.disk.remove(segment.path(opened.home))
        record.parts.catalogue.remove_epoch(*epoch)
    record.append([_tombstone_entry(opened, tomb, before, keeper.digest()) for tomb in tombs])
    opened.publish()
    return tombs


def _due_epochs(opened: OpenRecord, today: int) -> dict[EpochId, list[SegmentId]]:
    """Return the closed epochs whose last day has come, and those an interrupted expiry left half done."""
    opened.record.end_spent_epochs()
    due: dict[EpochId, list[SegmentId]] = {}
    open_epochs = set()
    for row in opened.record.parts.catalogue.segments():
        epoch = (row.segment.retention, row.segment.epoch)
        if not row.is_closed or row.last_expiry_day == NO_EXPIRY or row.last_expiry_day > today:
            open_epochs.add(epoch)
        due.setdefault(epoch, []).append(row.segment)
    return {epoch: segments for epoch, segments in due.items() if epoch not in open_epochs}


def _write_husks(opened: OpenRecord, epoch: EpochId, segments: list[SegmentId], today: int) -> Tombstone:
    indexes: list[int] = []
    for segment in segments:
        path = segment.path(opened.home)
        if not path.exists():
            continue
        with mapped(path) as data:
            head = bytes(data[:HEADER_BYTES])
            frames = [(item.ledger_index, item.leaf) for item in walk(data) if isinstance(item, Frame)]
        husk = head + b"".join(pack_husk(index, leaf) for index, leaf in frames)
        opened.record.parts.disk.write_durable(segment.husk_path(opened.home), husk, mode=0o600)
        indexes += [index for index, _ in frames]
    day = datetime.fromtimestamp(today * 86_400, UTC).date().isoformat()
    name = Retention(epoch[0]).name.lower()
    return Tombstone(name, epoch[1], len(indexes), min(indexes, default=-1), max(indexes, default=-1), day)


def _tombstone_entry(opened: OpenRecord, tomb: Tombstone, before: str, after: str) -> Entry:
    term = opened.policy.retention[tomb.retention]
    plain = {
        "format": "muniment-expiry/1",
        "class": tomb.retention,
        "epoch": tomb.epoch,
        "entries": tomb.entries,
        "first": tomb.first,
        "last": tomb.last,
        "day": tomb.day,
        "clause": term.clause,
        "reason": term.reason,
        "ring_before": before,
        "ring_after": after,
        "not_covered": not_covered(opened),
    }
    return Entry(stream=Stream.RETENTION, kind=Kind.EXPIRY, plain=json.dumps(plain, sort_keys=True).encode())


def forget_entry(opened: OpenRecord, row: Row, *, authority: str, clause: str) -> None:
    """Destroy the key of one entry; its leaf and all proofs stay, its content is gone for ever.

    `authority` says by whose order, for instance a court's.
    Raises:
        Conflict: later entries hold no bytes of their own and rely on this one's.
    """
    catalogue, keeper = opened.record.parts.catalogue, opened.record.parts.keeper
    relying = catalogue.rows("about = ? AND kind = ?", (row.idx, Kind.OBSERVATION))
    if relying:
        raise Conflict(
            f"entries {[r.idx for r in relying]} came with the same bytes; name them as well, they go first"
        )
    before = keeper.digest()
    keeper.cover((row.retention, row.epoch)).puncture(row.position)
    keeper.turn()
    plain = {
        "format": "muniment-erasure/1",
        "entry": row.idx,
        "authority": authority,
        "clause": clause,
        "ring_before": before,
        "ring_after": keeper.digest(),
        "not_covered": not_covered(opened),
    }
    entry = Entry(stream=Stream.RETENTION, kind=Kind.EXPIRY, plain=json.dumps(plain, sort_keys=True).encode())
    opened.append([entry])
    opened.publish()
