"""The one place where keys are destroyed: an act of forgetting is begun, done step by step, and certified.

1. an open entry says what is about to be forgotten, and a signed checkpoint covers it;
2. of single entries, the catalogue's rows go: nothing that arrives can be kept as "the same bytes" of them any more;
3. husks: the leaves of whole segments are written durably, so that every proof about other entries still holds;
4. the keys leave the ring, and the ring is written under a fresh wrapping key: old copies of it are useless;
5. whole segments are removed, then their rows and those of single entries of an hour that is partly held;
6. a tombstone says what was forgotten, on which ground, and what it does not cover.

Every step can be done twice: a stop at any point is taken up from the entry of step 1. Source: R-5.1-a; tombstone.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from muniment.policy.errors import Tampered
from muniment.record.backup.noted import still_held
from muniment.record.entry import Entry, Retention
from muniment.record.frame import HEADER_BYTES, Frame, pack_husk, walk
from muniment.record.keeper import EpochId
from muniment.record.retention.statements import Begun, Certified, Group, Part, entry_of
from muniment.record.segment import SegmentId, list_segments, mapped

if TYPE_CHECKING:
    from muniment.record.opening import OpenRecord

NOT_COVERED = (
    "copies in the mail system and on its backups",
    "messages that left the organisation",
    "packs and exports already handed out",
    "rooms that were open, until they closed",
    "copies of the keeper's ring together with the machine secret made before this expiry, if anyone kept both",
)


def not_covered(opened: OpenRecord) -> tuple[str, ...]:
    """Return what a certificate of now does not cover; a backup that was not run since is named."""
    generation = opened.record.parts.keeper.generation
    return (*NOT_COVERED, *still_held(opened.backups.copied, generation))


def begin(opened: OpenRecord, begun: Begun, ground: Sequence[Entry] = ()) -> int:
    """Say in the record what is about to be forgotten; return the ledger index of that entry.

    `ground`: entries to record in the same flush, for instance the order that is carried out.
    """
    opened.publish()  # what goes must not be a leaf that waits for its first checkpoint
    receipts = opened.append([*ground, entry_of(begun)])
    opened.publish()
    return receipts[-1].index


def finish(opened: OpenRecord, index: int, begun: Begun) -> Certified:
    """Do what was begun, from wherever it stopped, and certify it.

    Raises:
        Unavailable: the disk fails; call again. Tampered: a segment is not what the ledger says; nothing is destroyed.
    """
    parts = opened.record.parts
    whole = {(part.class_id, part.epoch) for part in begun.parts if part.is_whole}
    segments = [s for s in list_segments(opened.home) if (s.retention, s.epoch) in whole]
    parts.catalogue.forget(place[0] for place in begun.places)
    for segment in segments:
        _write_husk(opened, segment)
    _destroy_keys(opened, begun)
    for segment in segments:
        parts.disk.remove(segment.path(opened.home))
    parts.catalogue.forget(_rows_of(opened, begun), whole)
    certified = _certificate(opened, index, begun)
    opened.append([entry_of(certified)])
    opened.publish()
    return certified


def _write_husk(opened: OpenRecord, segment: SegmentId) -> None:
    path = segment.path(opened.home)
    with mapped(path) as data:
        head = bytes(data[:HEADER_BYTES])
        husks = [pack_husk(item.ledger_index, item.leaf) for item in walk(data) if isinstance(item, Frame)]
    known = [row for row in opened.record.parts.catalogue.segments() if row.segment == segment]
    if known and not husks:
        raise Tampered(f"{path} holds no entries; nothing is forgotten. Run `muniment verify`")
    opened.record.parts.disk.write_durable(segment.husk_path(opened.home), head + b"".join(husks), mode=0o600)


def _destroy_keys(opened: OpenRecord, begun: Begun) -> None:
    keeper = opened.record.parts.keeper
    single: defaultdict[EpochId, list[int]] = defaultdict(list)
    for _, class_id, number, position in begun.places:
        single[class_id, number].append(position)
    for part in begun.parts:
        epoch = (part.class_id, part.epoch)
        if part.is_whole:
            keeper.covers.pop(epoch, None)
        elif epoch in keeper.covers:
            cover = keeper.covers[epoch]
            keeper.covers[epoch] = cover.restrict_to(p for p in part.kept if p in cover)
    for epoch, positions in single.items():
        for position in positions if epoch in keeper.covers else ():
            keeper.covers[epoch].puncture(position)
    keeper.turn()


def _rows_of(opened: OpenRecord, begun: Begun) -> list[int]:
    """Return the entries of the parts that are still in the catalogue and do not stay."""
    catalogue, gone = opened.record.parts.catalogue, []
    for part in begun.parts:
        kept = frozenset(part.kept)
        places = catalogue.places_in(part.class_id, part.epoch)
        gone += [index for index, position, _ in places if position not in kept]
    return gone


def _certificate(opened: OpenRecord, index: int, begun: Begun) -> Certified:
    return Certified(
        begun=index,
        what=begun.what,
        day=begun.day,
        groups=_groups(opened, begun),
        authority=begun.authority,
        order=begun.order,
        ring_before=begun.ring_before,
        ring_after=opened.record.parts.keeper.digest(),
        not_covered=not_covered(opened),
    )


def _groups(opened: OpenRecord, begun: Begun) -> tuple[Group, ...]:
    """Return the parts summed up by class and ground, with the clause and reason of the term or of the order."""
    by_ground: defaultdict[tuple[int, int], list[Part]] = defaultdict(list)
    for part in begun.parts:
        by_ground[part.class_id, part.shortening].append(part)
    for place, class_id, epoch, _ in begun.places:
        by_ground[class_id, 0].append(Part(class_id, epoch, 1, place, place, False))
    groups = []
    for (class_id, shortening), found in sorted(by_ground.items()):
        name = Retention(class_id).name.lower()
        term = opened.policy.retention[name]
        groups.append(
            Group(
                retention=name,
                hours=len({part.epoch for part in found}),
                entries=sum(part.entries for part in found),
                first=min(part.first for part in found),
                last=max(part.last for part in found),
                clause=begun.clause or term.clause,
                reason=begun.reason or term.reason,
                shortening=shortening,
            )
        )
    return tuple(groups)
