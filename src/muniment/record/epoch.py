"""An epoch is the keys of one retention class for at most an hour; a restart is a new one.

The writer holds the right-hand part of three trees and forgets what it used: whoever takes the machine now finds no
key to what was sealed before, but for the keeper's share, which alone opens nothing that is sealed.
Source: docs/formats/seals.md; DESIGN "Keys".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from muniment.record.keytree import DEPTH, Cover, Forward, expand
from muniment.record.seal import Seeds

MAX_AGE_MS = 3_600_000
MAX_RECORDS = 1 << DEPTH


@dataclass(frozen=True)
class Roots:
    """The two shares of an epoch, 32 bytes each; the officers' one lives only until it is sealed to them."""

    officers: bytes
    keeper: bytes

    @classmethod
    def draw(cls) -> Roots:
        """Return fresh random roots."""
        return cls(secrets.token_bytes(32), secrets.token_bytes(32))

    @property
    def cover(self) -> Cover:
        """The keeper's share as the keeper keeps it."""
        return Cover.whole(self.keeper)


def split_officers_root(root: bytes) -> tuple[bytes, bytes]:
    """Return the roots of the officers' `meta` and `content` subtrees."""
    meta, content = expand(root, 1)
    return meta, content


class Epoch:
    """The writer's end of one epoch: seeds for one record after the other, never twice."""

    def __init__(self, retention: int, number: int, opened_ms: int, roots: Roots) -> None:
        meta, content = split_officers_root(roots.officers)
        self.retention = retention
        self.number = number
        self.opened_ms = opened_ms
        self._meta = Forward(meta)
        self._content = Forward(content)
        self._keeper = Forward(roots.keeper)

    @property
    def position(self) -> int:
        """The position the next record gets; positions of failed writes are burnt."""
        return self._keeper.position

    def is_spent(self, now_ms: int, records: int) -> bool:
        """Tell whether `records` more must go into a new epoch."""
        return now_ms - self.opened_ms >= MAX_AGE_MS or self.position + records > MAX_RECORDS

    def next_seeds(self) -> Seeds:
        """Return the seeds of the next record and forget them here."""
        return Seeds(self._meta.next(), self._content.next(), self._keeper.next())
