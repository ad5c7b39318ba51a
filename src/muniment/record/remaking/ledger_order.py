"""Which flushes of all segments make the ledger, in its order, and its leaves.

A flush counts when it continues the tree with the root its trailer states, as at the recorder's start. What continues
nothing and lies behind the ledger's end is a torn tail, which the recorder's next start moves to quarantine.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from muniment.policy.errors import Tampered
from muniment.record.frame import Frame, walk
from muniment.record.home import Home
from muniment.record.leaf import SIZE
from muniment.record.ledger.merkle import Frontier
from muniment.record.segment import SegmentId, check_header, list_segments, mapped


class FoundFlush(NamedTuple):
    """One flush as it lies in a segment, from byte `start` on; `leaves` are joined."""

    segment: SegmentId
    start: int
    end: int
    first_index: int
    size: int
    root: bytes
    leaves: bytes


@dataclass
class Ledger:
    """The leaves in order, the flushes they come from, and those of expired segments."""

    leaves: list[bytes] = field(default_factory=list)
    frontier: Frontier = field(default_factory=Frontier)
    flushes: list[FoundFlush] = field(default_factory=list)
    expired: dict[int, bytes] = field(default_factory=dict)

    def extend(self, leaves: list[bytes]) -> None:
        """Add leaves at the end."""
        self.leaves += leaves
        self.frontier.extend(sha256(b"\0" + leaf).digest() for leaf in leaves)


def read_ledger(home: Home, origin: str) -> Ledger:
    """Read every segment and husk, and put what they hold in order.

    Raises:
        Tampered: entries are missing between those that are there.
    """
    ledger = Ledger(expired=_expired_leaves(home))
    waiting: dict[int, list[FoundFlush]] = defaultdict(list)
    for segment in sorted(list_segments(home), key=lambda found: -found.epoch):
        for flush in _flushes_of(home, segment, origin):
            waiting[flush.first_index].append(flush)
    while _take_next(ledger, waiting):
        pass
    behind = [index for index in (*waiting, *ledger.expired) if index > len(ledger.leaves)]
    if behind:
        raise Tampered(
            f"entries {len(ledger.leaves)} to {min(behind) - 1} are missing between the segments; "
            "run `muniment verify`, which names what is wrong"
        )
    return ledger


def _take_next(ledger: Ledger, waiting: dict[int, list[FoundFlush]]) -> bool:
    at = len(ledger.leaves)
    if at in ledger.expired:
        ledger.extend([ledger.expired[at]])
        return True
    for flush in waiting.pop(at, ()):
        leaves = _split(flush.leaves)
        grown = ledger.frontier.copy()
        grown.extend(sha256(b"\0" + leaf).digest() for leaf in leaves)
        if (grown.size, grown.root()) == (flush.size, flush.root):
            ledger.frontier = grown
            ledger.leaves += leaves
            ledger.flushes.append(flush._replace(leaves=b""))
            return True
    return False


def _expired_leaves(home: Home) -> dict[int, bytes]:
    leaves: dict[int, bytes] = {}
    for husk in list_segments(home, ".husk"):
        if not husk.path(home).exists():
            with mapped(husk.husk_path(home)) as data:
                leaves.update((f.ledger_index, f.leaf) for f in walk(data) if isinstance(f, Frame))
    return leaves


def _flushes_of(home: Home, segment: SegmentId, origin: str) -> list[FoundFlush]:
    found: list[FoundFlush] = []
    path = segment.path(home)
    with mapped(path) as data:
        if len(data) < 64:
            return []
        check_header(path, data, segment, origin)
        leaves, start = [], 64
        for item in walk(data):
            if isinstance(item, Frame):
                leaves.append(item.leaf)
                continue
            end, _, first, size, root = item
            found.append(FoundFlush(segment, start, end, first, size, root, b"".join(leaves)))
            leaves, start = [], end
    return found


def _split(leaves: bytes) -> list[bytes]:
    return [leaves[at : at + SIZE] for at in range(0, len(leaves), SIZE)]
