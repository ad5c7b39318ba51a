"""The log the tests sign with, and where the public conformance suites lie when they are there."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

from muniment.policy.errors import Conflict
from muniment.record.ledger.merkle import leaf_hash, root_from_leaves
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.ledger.tiles import WIDTH, TileReader

ROOT = Path(__file__).resolve().parents[3]
PUBLIC = ROOT.parent / "shared" / "vectors"
OWN = json.loads((ROOT / "tests" / "vectors" / "tlog_vectors.json").read_text())

ORIGIN = "muniment.example/record"
ENTRIES = [b"entry %d" % number for number in range(300)]
HASHES = [leaf_hash(entry) for entry in ENTRIES]


def log_signer() -> Ed25519Signer:
    return Ed25519Signer(ORIGIN, sha256(b"muniment test log key").digest())


def root_of(size: int) -> bytes:
    return root_from_leaves(HASHES[:size])


def bytes_of(encoded: str | None) -> bytes:
    return b64decode(encoded) if encoded else b""


def leaves_of(reader: TileReader) -> list[bytes]:
    bundles = (reader.size + WIDTH - 1) // WIDTH
    return [leaf for number in range(bundles) for leaf in reader.bundle(number)]


class Lock:
    """A lock in memory that can fail before or after it has swapped."""

    def __init__(self, value: bytes = b"") -> None:
        self.value = value
        self.fails: str | None = None

    def current(self) -> bytes:
        return self.value

    def swap(self, old: bytes, new: bytes) -> None:
        if old != self.value:
            raise Conflict("the checkpoint in the lock is another one.")
        if self.fails == "not stored":
            raise OSError("the swap failed, as this test asked.")
        self.value = new
        if self.fails == "stored":
            raise OSError("the swap failed, as this test asked.")
