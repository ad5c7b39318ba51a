"""The one door of a room to recorded content: what the permit's keys open, for several threads at once.

Source: R-5.2-f; docs/formats/permit.md; STYLE 3 ("recorded content has one door").
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock

from muniment.policy.decision import Decision
from muniment.policy.errors import BadInput
from muniment.record.entry import Kind
from muniment.record.home import Home
from muniment.record.inquiry.pages import Releasing
from muniment.record.release_item import ITEM_BYTES, ReleaseItem, pack_items, unpack_item
from muniment.record.released import Covers, ReleasedView
from muniment.record.unsealing import Opened


class ReleasedOpener:
    """Opens entries of one permit by ledger index; nothing opened is kept."""

    def __init__(self, home: Home, covers: Covers, released: Releasing) -> None:
        packed = bytearray()
        for item in released:
            packed += pack_items((item,))
        # Only now are all pieces of long messages known.
        items = (unpack_item(packed, at) for at in range(0, len(packed), ITEM_BYTES))
        self._view = ReleasedView(home, covers, items, released.blobs)
        self._lock = Lock()
        # Observations and long messages, whose bytes are in other entries; all others are opened the short way.
        self._elsewhere = {
            i.idx for i in self._view.items() if i.kind != Kind.RECORD or i.idx in released.blobs
        }

    @property
    def view(self) -> ReleasedView:
        """The view itself, for the making of a pack; hold `lock` while it is used."""
        return self._view

    @property
    def lock(self) -> Lock:
        """What one thread at a time holds."""
        return self._lock

    def items(self) -> Iterator[ReleaseItem]:
        """Yield the entries in the order of the ledger, those that only hold bytes included."""
        return self._view.items()

    def meta_map(self, index: int) -> bytes:
        """Return the MessagePack map of an entry's meta, empty when it has none. Raises: as `ReleasedView.open`."""
        with self._lock:
            return self._view.open_meta(index, is_verified=False)[1]

    def both(self, index: int) -> tuple[bytes, bytes]:
        """Return (meta map, bytes as written) of an entry in one reading, its redaction commitments not recomputed."""
        with self._lock:
            return self._view.open_both(index)

    def written(self, index: int) -> bytes:
        """Return the bytes of an entry as written, its redaction commitment not recomputed."""
        with self._lock:
            if index in self._elsewhere:
                return self._view.open_faces(index, is_verified=False)[0]
            return self._view.own_faces(index, is_verified=False)[0]

    def whole(self, index: int) -> Opened:
        """Return an entry whole, its commitments proved."""
        with self._lock:
            return self._view.open(index)

    def decision(self, index: int) -> str:
        """Return the sentence of the decision recorded with an entry, empty when there is none."""
        with self._lock:
            facts = self._view.open_facts(index)
        try:
            return Decision.from_facts(facts).reason if facts else ""
        except BadInput:
            return ""
