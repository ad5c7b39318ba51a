"""The recorder's answers that write nothing: select, release, listing and more. They run beside the thread that writes.

Source: docs/formats/recorder-socket.md; R-5.2-f.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from muniment.policy.errors import BadInput, Missing
from muniment.record import seal
from muniment.record.catalogue import Catalogue
from muniment.record.chain import WHOLE_LIMIT_BYTES
from muniment.record.entry import Kind
from muniment.record.inquiry.held import HeldKeys
from muniment.record.inquiry.listing import Listing, list_entries
from muniment.record.inquiry.passing import Passing, Presence, find_passing, find_present
from muniment.record.inquiry.permit_acts import PermitActs
from muniment.record.inquiry.releasing import (
    Claim,
    Standing,
    number_of,
    query_of,
    require_release,
    require_within,
)
from muniment.record.inquiry.sealed_line import SealedLines
from muniment.record.keeper import EpochId
from muniment.record.keytree import Punctured, SeedReader
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.merkle import Frontier
from muniment.record.ledger.note import parse_note
from muniment.record.ledger.tiles import TileReader
from muniment.record.opening import OpenRecord
from muniment.record.permit_selection import CONTENT, ITEM_BYTES, META, Item, digest_of, parse_selection
from muniment.record.reading import open_line, read_frame
from muniment.record.release_item import NO_BLADE, ReleaseItem, item_of, pack_items
from muniment.record.retention.quarantine import Quarantined
from muniment.record.row import Row
from muniment.record.selection import Query, select
from muniment.record.wire import read_arguments

MOST_ITEMS = 50_000
_VERIFIED = 4
_DENSE = 8  # derive a whole block of seeds when at least one in so many is asked for


class _Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    request: str
    approval: str
    signature: bytes
    selection_sha256: str
    selection: bytes | None = None
    first: int = 0
    most: int = MOST_ITEMS


class _Verified(NamedTuple):
    """A selection that its request's words give; whose bytes its holders hold; and what compares sealed lines."""

    selection: bytes
    referrers: dict[int, int]
    lines: SealedLines


class Inquiries:
    """Answers questions to one open record, in one thread of its own, from a catalogue opened for reading."""

    def __init__(self, record: OpenRecord) -> None:
        self._record, self._home = record, record.home
        self._keeper = record.record.parts.keeper
        self._catalogue = Catalogue.open_readonly(self._home.database)
        self._acts = PermitActs(self._home, self._catalogue)
        self._quarantined = Quarantined(self._home, self._catalogue)
        self._verified: OrderedDict[tuple[str, str], _Verified] = OrderedDict()

    def close(self) -> None:
        """Close the catalogue and the segments."""
        for verified in self._verified.values():
            verified.lines.close()
        self._catalogue.close()

    def answer(self, operation: str) -> Callable[[dict[str, Any], int], dict[str, Any]] | None:
        """Return what answers an operation from its arguments and the record's time; None when it is none of these."""
        return {
            "select": self._select,
            "release": self._release,
            "listing": self._listing,
            "presence": self._presence,
            "passing": self._passing,
        }.get(operation)

    def _select(self, arguments: dict[str, Any], now_ms: int) -> dict[str, Any]:
        query = read_arguments(arguments, Query)
        size, root = self._state_at(query.size)
        found = select(self._home, self._catalogue, self._keeper, msgspec.structs.replace(query, size=size))
        told = msgspec.structs.replace(found, size=size, root=root)
        value: dict[str, Any] = msgspec.to_builtins(told, builtin_types=(bytes,))
        return value

    def _listing(self, arguments: dict[str, Any], now_ms: int) -> dict[str, Any]:
        listing = read_arguments(arguments, Listing)
        value: dict[str, Any] = msgspec.to_builtins(list_entries(self._catalogue, self._keeper, listing))
        return value

    def _presence(self, arguments: dict[str, Any], now_ms: int) -> dict[str, Any]:
        asked = read_arguments(arguments, Presence)
        value: dict[str, Any] = msgspec.to_builtins(
            find_present(self._home, self._catalogue, self._keeper, asked)
        )
        return value

    def _passing(self, arguments: dict[str, Any], now_ms: int) -> dict[str, Any]:
        asked = read_arguments(arguments, Passing)
        value: dict[str, Any] = msgspec.to_builtins(
            find_passing(self._home, self._catalogue, self._keeper, asked)
        )
        return value

    def _release(self, arguments: dict[str, Any], now_ms: int) -> dict[str, Any]:
        asked = read_arguments(arguments, _Release)
        if asked.first < 0 or not 1 <= asked.most <= MOST_ITEMS:
            raise BadInput(f"a page of a release has 1 to {MOST_ITEMS:,} entries")
        claim = Claim(asked.request, asked.approval, asked.signature, asked.selection_sha256)
        verified = self._verify(claim, asked.selection, now_ms)
        selection = verified.selection
        part = selection[asked.first * ITEM_BYTES : (asked.first + asked.most) * ITEM_BYTES]
        items, blobs = self._items(parse_selection(part), verified)
        return {
            "items": pack_items(items),
            "blobs": [[index, list(pieces)] for index, pieces in blobs.items()],
            "total": len(selection) // ITEM_BYTES,
        }

    def _verify(self, claim: Claim, selection: bytes | None, now_ms: int) -> _Verified:
        """Return the selection once every rule holds: rules 1 to 4 for each page, rule 5 for the first."""
        standing = Standing(
            origin=self._record.origin,
            officers=self._record.record.parts.officers,
            addresses={officer.id: officer.address for officer in self._record.policy.officers},
            acts=self._acts.of(number_of(claim)),
            now_ms=now_ms,
        )
        if selection is not None and digest_of(selection) != claim.selection_sha256:
            raise BadInput("the selection does not have the hash that is named with it")
        request = require_release(claim, standing)
        known = (claim.request, claim.selection_sha256)
        if known not in self._verified:
            if selection is None:
                raise Missing("the selection is not at hand here; send it with the first page")
            query, referrers = query_of(request), dict[int, int]()
            found = select(self._home, self._catalogue, self._keeper, query, referrers)
            require_within(selection, found.selection, self._is_destroyed())
            lines = SealedLines(self._home, self._keeper.token_key, query)
            self._verified[known] = _Verified(selection, referrers, lines)
        self._verified.move_to_end(known)
        while len(self._verified) > _VERIFIED:
            self._verified.popitem(last=False)[1].lines.close()
        return self._verified[known]

    def _is_destroyed(self) -> Callable[[Item], bool]:
        is_held = HeldKeys(self._keeper)
        return lambda item: not is_held(item.class_id, item.epoch, item.position)

    def _items(
        self, items: Sequence[Item], verified: _Verified
    ) -> tuple[list[ReleaseItem], dict[int, tuple[int, ...]]]:
        """Return the items of a page that still have keys, and the pieces of long messages among them: rule 6."""
        rows = {row.idx: row for row in self._catalogue.rows_at([item.idx for item in items])}
        seeds = self._seeds(items)
        found: list[ReleaseItem] = []
        blobs: dict[int, tuple[int, ...]] = {}
        quarantined = self._quarantined()
        for item in items:
            row, seed = rows.get(item.idx), seeds.get(item.idx)
            if (
                row is None
                or seed is None
                or row.idx in quarantined
                or (row.retention, row.epoch, row.position) != item[1:4]
            ):
                continue
            if not self._is_borne_out(item, row, seed, verified):
                continue
            found.append(_blades(row, item.sections, seed))
            if row.kind == Kind.RECORD and row.size > WHOLE_LIMIT_BYTES and item.sections & CONTENT:
                frame = read_frame(self._home, row)
                blobs[row.idx] = open_line(frame.leaf, frame.body, self._keeper).blobs
        return found, blobs

    def _is_borne_out(self, item: Item, row: Row, seed: bytes, verified: _Verified) -> bool:
        """Tell whether an entry is released; raise when its own sealed line, or its referrer's, does not bear it out.

        One that holds the bytes of no entry asked for, or of one whose key was destroyed meanwhile, is not.
        """
        if not item.is_bytes_only:
            verified.lines.require_fits(row, seed)
            return True
        if row.idx not in verified.referrers:
            return False
        try:
            referrer = self._catalogue.row(verified.referrers[row.idx])
            cover = self._keeper.cover((referrer.retention, referrer.epoch))
            referrer_seed = cover.seed(referrer.position)
        except Missing:
            return False
        verified.lines.require_holds(row.idx, referrer, referrer_seed)
        return True

    def _seeds(self, items: Sequence[Item]) -> dict[int, bytes]:
        """Return the keeper's seed of each entry that still has one."""
        by_epoch: defaultdict[EpochId, list[Item]] = defaultdict(list)
        for item in items:
            by_epoch[item.class_id, item.epoch].append(item)
        return {
            index: seed for epoch, part in by_epoch.items() for index, seed in self._seeds_of(epoch, part)
        }

    def _seeds_of(self, epoch: EpochId, items: Sequence[Item]) -> Iterator[tuple[int, bytes]]:
        cover = self._keeper.covers.get(epoch)
        if cover is None:
            return
        positions = [item.position for item in items]
        is_dense = len(positions) * _DENSE > max(positions) - min(positions)
        seed_of = SeedReader(cover).seed if is_dense else cover.seed
        for item in items:
            try:
                yield item.idx, seed_of(item.position)
            except Punctured:
                continue

    def _state_at(self, size: int | None) -> tuple[int, bytes]:
        """Return the size and root of the newest published checkpoint, or of the ledger when it was shorter.

        Raises:
            BadInput: it was never so long.
        """
        note = self._catalogue.current()
        if not note:
            raise Missing("no checkpoint has been signed yet; try again in a second")
        newest = parse_checkpoint(parse_note(note).text)
        if size is None or size == newest.size:
            return newest.size, newest.root
        if not 0 <= size <= newest.size:
            raise BadInput(f"the ledger has {newest.size} entries in its newest checkpoint, and never {size}")
        reader = TileReader(self._home.ledger, newest.size)
        return size, Frontier.from_subtrees(size, reader.hash).root()


def _blades(row: Row, sections: int, seed: bytes) -> ReleaseItem:
    meta = facts = content = NO_BLADE
    if sections & META:
        meta, facts = seal.blade(seed, seal.META), seal.blade(seed, seal.FACTS)
    if sections & CONTENT:
        content = seal.blade(seed, seal.CONTENT)
    return item_of(row, sections, meta, content, facts)
