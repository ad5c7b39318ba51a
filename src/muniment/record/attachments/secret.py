"""The secret of a day: what attachments were stored, and their keys for whoever has the bytes. Never on a disk.

It tells nothing without the bytes of an attachment; with them, that it was stored, and its key. Losing it costs that an
attachment is stored once more. Source: docs/formats/segment.md, "Attachments"; docs/decisions/0020.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hashlib import sha256
from hmac import digest as hmac_digest
from typing import NamedTuple

MOST_NAMES = 65_536
_NAME = b"muniment/1 attachment name"
_KEY = b"muniment/1 attachment key"


class Stored(NamedTuple):
    """Where an attachment lies: its ledger index and epoch."""

    entry: int
    epoch: int


class Named(NamedTuple):
    """The name and key of some bytes under the secret of one day."""

    name: bytes
    key: bytes


class DaySecret:
    """The attachments of one class and day; `expiry_day` and `day` tell when it is over."""

    def __init__(self, expiry_day: int, day: int) -> None:
        self.expiry_day, self.day = expiry_day, day
        self._secret = secrets.token_bytes(32)
        self._stored: dict[bytes, Stored] = {}

    def is_over(self, expiry_day: int, day: int) -> bool:
        """Tell whether another secret is due: what comes now expires on another day, or there are too many names."""
        return (self.expiry_day, self.day) != (expiry_day, day) or len(self._stored) >= MOST_NAMES

    def name(self, data: bytes) -> Named:
        """Return how an attachment is known again, and its key."""
        hashed = sha256(data).digest()
        return Named(
            hmac_digest(self._secret, _NAME + hashed, "sha256"),
            hmac_digest(self._secret, _KEY + hashed, "sha256"),
        )

    def find(self, name: bytes) -> Stored | None:
        """Return where an attachment is stored already."""
        return self._stored.get(name)

    def note(self, stored: Mapping[bytes, Stored]) -> None:
        """Take down what a flush stored; before it has ended nothing may be noted."""
        for name, place in stored.items():
            self._stored.setdefault(name, place)
