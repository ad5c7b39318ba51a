"""What a permit opens: exactly the entries whose keys an officer released and the recorder gave its blades for.

It holds released nodes and blades, never an epoch's root and never the keeper's ring, so whoever takes its whole memory
opens these entries and no neighbour. Source: R-5.2-f; docs/formats/permit.md; docs/trust.md.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from muniment.policy.errors import BadInput, Missing, Tampered
from muniment.record import seal
from muniment.record.attachments.fetching import Attachments
from muniment.record.entry import Kind
from muniment.record.frame import Frame, Sections, parse_sections, walk
from muniment.record.home import Home
from muniment.record.keytree import Cover, SeedReader
from muniment.record.leaf import place_of
from muniment.record.permit_text import Section
from muniment.record.reading import facts_under
from muniment.record.release_item import ITEM_BYTES, NO_BLADE, ReleaseItem, pack_items, unpack_item
from muniment.record.segment import SegmentId
from muniment.record.unsealing import Bytes, Faces, Keys, Opened, open_faces, open_meta, whole_faces

Covers = Mapping[tuple[int, int, Section], Cover]
_OPEN_SEGMENTS = 8
_READERS = 16
_NAMES: dict[bytes, Section] = {seal.META: "meta", seal.CONTENT: "content"}


class ReleasedView:
    """The entries of one permit, opened one by one from their sealed frames. One thread at a time.

    `covers` are the officer's (`permit_text.covers_of`); `items` the recorder's (`Recorder.release`), in the order of
    the ledger; `blobs` gives the pieces of long messages. Nothing opened is kept.
    """

    def __init__(
        self,
        home: Home,
        covers: Covers,
        items: Iterable[ReleaseItem],
        blobs: Mapping[int, tuple[int, ...]] | None = None,
    ) -> None:
        self._home, self._covers = home, covers
        self._blobs = dict(blobs or {})
        self._indexes: array[int] = array("Q")
        self._items = bytearray()
        for item in items:
            self._indexes.append(item.idx)
            self._items += pack_items((item,))
        if any(before >= after for before, after in pairwise(self._indexes)):
            raise BadInput("the items of a release are not in the order of the ledger")
        self._open: dict[SegmentId, int] = {}
        self._attachments = Attachments(home)
        self._readers: dict[tuple[int, int, Section], SeedReader] = {}

    def __len__(self) -> int:
        return len(self._indexes)

    def __contains__(self, index: object) -> bool:
        return isinstance(index, int) and self._at(index) is not None

    def items(self) -> Iterator[ReleaseItem]:
        """Yield every entry in the order of the ledger, those that only hold bytes included."""
        for at in range(0, len(self._items), ITEM_BYTES):
            yield unpack_item(self._items, at)

    def item(self, index: int) -> ReleaseItem:
        """Return one entry.

        Raises:
            Missing: the permit does not open it.
        """
        at = self._at(index)
        if at is None:
            raise Missing(f"entry {index} is not one that this permit opens")
        return unpack_item(self._items, at)

    def open(self, index: int, *, is_verified: bool = True) -> Opened:
        """Open one entry whole, following observations and chains to the bytes they refer to.

        Raises:
            Missing: the permit does not open it, or not so deep. Tampered: the bytes do not open.
        """
        item = self._within(index)
        frame, sections = self._frame(item)
        shielded, meta = open_meta(frame.leaf, sections, self._keys(item))
        content, sent = self.open_faces(index, is_verified=is_verified)
        facts, told = self._facts(item, frame, sections), item.line(self._blobs.get(index, ()))
        return Opened(item.row, told, facts, shielded, meta, content, sent, sections.plain)

    def open_meta(self, index: int, *, is_verified: bool = True) -> tuple[str, bytes]:
        """Return (why it is shielded, meta map) of one entry: its envelope and header facts.

        Raises:
            Missing: the permit does not open it. Tampered: it does not open.
        """
        item = self._within(index)
        frame, sections = self._frame(item)
        return open_meta(frame.leaf, sections, self._keys(item), is_verified=is_verified)

    def open_both(self, index: int) -> tuple[bytes, bytes]:
        """Return (meta map, message as written) of one entry, commitments not recomputed: for an index of many.

        Raises:
            Missing: the permit does not open it, or not so deep. Tampered: it does not open.
        """
        item = self._within(index)
        frame, sections = self._frame(item)
        keys = self._keys(item)
        meta = open_meta(frame.leaf, sections, keys, is_verified=False)[1]
        if item.kind == Kind.RECORD and index not in self._blobs:
            return meta, open_faces(frame.leaf, sections, keys, self._attachments, is_verified=False)[0]
        return meta, self.open_faces(index, is_verified=False)[0]

    def open_facts(self, index: int) -> bytes:
        """Return the facts of one entry (a Decision); empty when it has none. Raises: as `open_meta`."""
        item = self._within(index)
        return self._facts(item, *self._frame(item))

    def open_faces(self, index: int, *, is_verified: bool = True) -> Faces:
        """Return (as written, as sent or None) of one entry. `is_verified` recomputes the leaf's commitment.

        Raises:
            Missing: the permit does not open it, or opens the envelope only. Tampered: it does not open.
        """
        self._within(index)
        return whole_faces(_Whole(self, is_verified), index)

    def leaf(self, index: int) -> bytes:
        """Return the leaf of an entry, 176 bytes, as it stands in the ledger's tree."""
        return self._frame(self.item(index))[0].leaf

    def content_seed(self, index: int) -> bytes:
        """Return the commitment seed of an entry's own content section, with which a pack proves it.

        Raises:
            Missing: the permit does not open the content.
        """
        item = self.item(index)
        return self._keys(item)(seal.CONTENT, self._frame(item)[1].salt).commitment_seed

    def bytes_of(self, index: int) -> Bytes:
        """Return where the bytes of an entry are: an observation's in an earlier one, a chain's in its pieces."""
        row = self.item(index).row
        return Bytes(row.kind, row.about, self._blobs.get(index, ()))

    def own_faces(self, index: int, *, is_verified: bool = True) -> Faces:
        """Return what an entry's own content section holds; for an entry that only holds bytes, too.

        Raises:
            Missing: the permit does not open it. Tampered: it does not open.
        """
        item = self.item(index)
        frame, sections = self._frame(item)
        return open_faces(frame.leaf, sections, self._keys(item), self._attachments, is_verified=is_verified)

    def close(self) -> None:
        """Let go of the segments."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _within(self, index: int) -> ReleaseItem:
        item = self.item(index)
        if item.is_bytes_only:
            raise Missing(
                f"entry {index} is not one that this permit opens; it holds the bytes of one that it does"
            )
        return item

    def _at(self, index: int) -> int | None:
        found = bisect_left(self._indexes, index) if index >= 0 else len(self._indexes)
        is_there = found < len(self._indexes) and self._indexes[found] == index
        return found * ITEM_BYTES if is_there else None

    def _keys(self, item: ReleaseItem) -> Keys:
        def keys(section: bytes, salt: bytes) -> seal.SectionKey:
            reader = self._reader((item.retention, item.epoch, _NAMES[section]))
            blade = item.meta if section == seal.META else item.content
            if reader is None or blade == NO_BLADE:
                raise Missing(f"the permit does not open the {section.decode()} of entry {item.idx}")
            return seal.section_key(reader.seed(item.position), blade, salt)

        return keys

    def _reader(self, place: tuple[int, int, Section]) -> SeedReader | None:
        """Return what derives the officer's seeds of an epoch's section; a few are kept, with a block of seeds each."""
        reader = self._readers.get(place)
        if reader is None and place in self._covers:
            if len(self._readers) >= _READERS:
                self._readers.clear()
            reader = self._readers[place] = SeedReader(self._covers[place])
        return reader

    def _facts(self, item: ReleaseItem, frame: Frame, sections: Sections) -> bytes:
        if not sections.facts:
            return b""
        if item.facts == NO_BLADE:
            raise Missing(f"the permit does not open the decision about entry {item.idx}")
        key = seal.kept_key(item.facts, sections.salt)
        return facts_under(key, frame.leaf, sections.facts)

    def _frame(self, item: ReleaseItem) -> tuple[Frame, Sections]:
        found = next(iter(walk(self._read(item), 0)), None)
        if not isinstance(found, Frame) or found.ledger_index != item.idx or found.is_husk:
            raise Tampered(f"entry {item.idx} does not stand where the recorder says; run muniment verify")
        if place_of(found.leaf) != (item.retention, item.epoch, item.position):
            raise Tampered(f"entry {item.idx} has the leaf of another; run muniment verify")
        return found, parse_sections(found.body)

    def _read(self, item: ReleaseItem) -> bytes:
        """Return the bytes of an entry's frame; the files of the last few segments stay open."""
        segment = SegmentId(item.retention, item.epoch, item.number)
        descriptor = self._open.pop(segment, None)
        if descriptor is None:
            path = segment.path(self._home)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise Missing(
                    f"{path} is not there; entry {item.idx} has expired, or lies in a backup"
                ) from None
        self._open[segment] = descriptor
        while len(self._open) > _OPEN_SEGMENTS:
            os.close(self._open.pop(next(iter(self._open))))
        return os.pread(descriptor, item.length, item.at)


class _Whole:
    """The view as a source of whole messages, verified or not."""

    def __init__(self, view: ReleasedView, is_verified: bool) -> None:
        self._view, self._is_verified = view, is_verified

    def bytes_of(self, index: int) -> Bytes:
        return self._view.bytes_of(index)

    def own_faces(self, index: int) -> Faces:
        return self._view.own_faces(index, is_verified=self._is_verified)
