"""Which keys the keeper still holds, asked of very many entries in a row."""

from __future__ import annotations

from bisect import bisect_right

from muniment.record.keeper import EpochId, Keeper
from muniment.record.keytree import Cover


class HeldKeys:
    """Tells whether the keeper's share of an entry's key stands; it sees nothing of what is destroyed later."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._edges: dict[EpochId, list[int]] = {}

    def __call__(self, retention: int, epoch: int, position: int) -> bool:
        """Tell whether the key is held: an odd number of edges lies at or before a position that is."""
        edges = self._edges.get((retention, epoch))
        if edges is None:
            edges = self._edges[retention, epoch] = _edges_of(self._keeper.covers.get((retention, epoch)))
        return bool(bisect_right(edges, position) & 1)


def _edges_of(cover: Cover | None) -> list[int]:
    """Return where runs of held positions begin and end, in turn; nothing for an epoch that was destroyed."""
    edges: list[int] = []
    if cover is None:
        return edges
    for level, index in sorted(cover.nodes, key=lambda node: node[1] << (cover.depth - node[0])):
        first, end = index << (cover.depth - level), (index + 1) << (cover.depth - level)
        if edges and edges[-1] == first:
            edges[-1] = end
        else:
            edges += [first, end]
    return edges
