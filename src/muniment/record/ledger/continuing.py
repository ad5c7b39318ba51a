"""Whether the ledger continues a checkpoint that was signed before. Source: R-2.1-b; docs/trust.md, limit 3."""

from __future__ import annotations

from muniment.policy.errors import Tampered
from muniment.record.home import Home
from muniment.record.ledger.merkle import Frontier
from muniment.record.ledger.tiles import TileReader


def require_extends(home: Home, size: int, old_size: int, old_root: bytes, place: str) -> None:
    """Return when the ledger of `size` leaves continues an earlier checkpoint.

    Raises:
        Tampered: it is shorter, or has other leaves.
    """
    if old_size > size:
        raise Tampered(
            f"the ledger has {size} entries, the checkpoint at {place} says {old_size}: an earlier copy of the record "
            "was put back. Restore the newest copy; until then nothing can be added"
        )
    reader = TileReader(home.ledger, size)
    if Frontier.from_subtrees(old_size, reader.hash).root() != old_root:
        raise Tampered(
            f"the first {old_size} entries of the ledger are not those of the checkpoint at {place}: "
            "the ledger was forked. Keep both copies: together they prove it"
        )
