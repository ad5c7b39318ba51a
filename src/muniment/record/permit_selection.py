"""The selection of a permit: which entries it opens, 19 bytes each, in the order of the ledger.

Source: docs/formats/permit.md, "The selection".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from muniment.policy.errors import BadInput
from muniment.record.keytree import DEPTH

META, CONTENT, BYTES_ONLY = 1, 2, 4
ITEM_BYTES = 19
MAX_ENTRIES = 2_000_000
_ITEM = struct.Struct(">QHIIB")
_SECTIONS = frozenset({META, META | CONTENT, CONTENT | BYTES_ONLY})


class Item(NamedTuple):
    """One entry: its ledger index, where its keys are, and which sections are opened."""

    idx: int
    class_id: int
    epoch: int
    position: int
    sections: int

    @property
    def is_bytes_only(self) -> bool:
        """Tell whether it only holds the content of another entry, and is not itself within the permit."""
        return bool(self.sections & BYTES_ONLY)


def pack_item(idx: int, class_id: int, epoch: int, position: int, sections: int) -> bytes:
    """Return the 19 bytes of one entry."""
    return _ITEM.pack(idx, class_id, epoch, position, sections)


def pack_selection(items: Iterable[Item]) -> bytes:
    """Return the selection's bytes; `items` are in the order of the ledger."""
    pack = _ITEM.pack
    return b"".join([pack(*item) for item in items])


def parse_selection(data: bytes) -> list[Item]:
    """Read a selection.

    Raises:
        BadInput: it is none: wrong length, out of order, an entry or a key named twice, or sections that cannot be.
    """
    if len(data) % ITEM_BYTES or len(data) > MAX_ENTRIES * ITEM_BYTES:
        raise BadInput(f"{len(data):,} bytes are no selection of at most {MAX_ENTRIES:,} entries")
    items = list(map(Item._make, _ITEM.iter_unpack(data)))
    previous = -1
    for item in items:
        if item.idx <= previous or item.position >> DEPTH or item.sections not in _SECTIONS:
            raise BadInput(
                "a selection names its entries out of order, twice, or with sections that cannot be"
            )
        previous = item.idx
    if len({item[1:4] for item in items}) < len(items):
        raise BadInput("a selection names one key for two entries; ask for the permit again")
    return items


def digest_of(selection: bytes) -> str:
    """Return the hash of a selection as a request names it."""
    return sha256(selection).hexdigest()
