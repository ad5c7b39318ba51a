"""Moves the log from one signed checkpoint to the next; no crash makes it sign two that disagree.

1. compute the new tiles from the right edge alone;
2. put them all in one durable staging file;
3. sign the checkpoint and swap it into the lock: from here on it is the truth;
4. write the tiles;
5. write the `checkpoint` file;
6. drop the staging file, and those of checkpoints that nobody knows to be signed.

A swap that fails may have been stored all the same: SQLite takes up the commit of a failed flush when its log is read
again. So a staging file stays until a checkpoint of its size or more is published.

`recover` takes up where a crash left off: the lock is the truth, and what it lacks is taken from staging.
A failure in the middle of `publish` asks for `recover` before anything more is signed.
Source: Sunlight, `internal/ctlog`; C2SP tlog-checkpoint, "Signatures".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from muniment.policy.errors import MunimentError, Tampered, Unavailable
from muniment.record.disk import Disk
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.growth import Edge, Growth, TileWriter, read_edge
from muniment.record.ledger.merkle import Frontier, leaf_hash
from muniment.record.ledger.note import Signer
from muniment.record.ledger.staging import pack_staging, parse_staging, staged_size, staging_name
from muniment.record.ledger.tiles import TileReader

CHECKPOINT_FILE = "checkpoint"
STAGING_FOLDER = "staging"


class CheckpointLock(Protocol):
    """Holds the last signed checkpoint where one writer at a time can change it, durably."""

    def current(self) -> bytes:
        """Return the last signed checkpoint; empty before the first."""

    def swap(self, old: bytes, new: bytes) -> None:
        """Put `new` in the place of `old`. Raises: Conflict when `old` is not what stands there."""


class Publisher:
    """The one writer of a log's folder. The log's name is the name of its signing key."""

    def __init__(
        self, directory: Path, signer: Signer, lock: CheckpointLock, disk: Disk | None = None
    ) -> None:
        self.origin = signer.key.name
        self._directory = directory
        self._signer = signer
        self._lock = lock
        self._disk = disk or Disk()
        self._tiles = TileWriter(directory, self._disk)
        self._edge: Edge | None = None

    @property
    def size(self) -> int:
        """Return how many leaves the last checkpoint covers. Raises: Unavailable before `recover`."""
        return self._ready().size

    def recover(self) -> int:
        """Bring the folder up to the lock's checkpoint, check its right edge, and return its size.

        Raises: Tampered when the folder, the lock and their signatures cannot all be genuine;
            Unavailable when the disk fails.
        """
        self._edge = None
        locked, published = self._lock.current(), self._published()
        if not locked and published:
            raise Tampered("a checkpoint is published, but the lock knows none: its database is older.")
        edge = Edge()
        if locked:
            checkpoint = self._open(locked, "the lock")
            if published != locked:
                self._bring_up(checkpoint, locked, published)
            edge = self._check_edge(checkpoint)
        self._clear_staging(edge.size)
        self._edge = edge
        return edge.size

    def publish(
        self, size: int, root: bytes, entries: Sequence[bytes], hashes: Sequence[bytes] | None = None
    ) -> bytes:
        """Add `entries`, which make the log `size` leaves under `root`, and return the signed checkpoint.

        `hashes` are the leaves' own. With nothing new, the standing checkpoint is returned.
        Raises: Tampered when size or root do not come out; Conflict when another process has published;
            Unavailable when the disk fails. After any of them `recover` comes first.
        """
        edge, self._edge = self._ready(), None
        old = self._lock.current()
        if old and not entries and size == edge.size and root == edge.root():
            self._edge = edge
            return old
        hashes = [leaf_hash(entry) for entry in entries] if hashes is None else hashes
        grown, growth = edge.grow(entries, hashes)  # 1
        if (grown.size, grown.root()) != (size, root):
            raise Tampered(f"the new leaves do not make the tree of {size} leaves that the record has.")
        staging = self._directory / STAGING_FOLDER / staging_name(size, root)
        self._disk.write_durable(staging, pack_staging(growth))  # 2
        note = Checkpoint(self.origin, size, root).sign(self._signer)
        self._lock.swap(old, note)  # 3
        self._finish(growth, note, size)
        self._edge = grown
        return note

    def _finish(self, growth: Growth, note: bytes, size: int) -> None:
        self._tiles.apply(growth)  # 4
        self._disk.write_durable(self._directory / CHECKPOINT_FILE, note)  # 5
        self._clear_staging(size)  # 6

    def _bring_up(self, checkpoint: Checkpoint, locked: bytes, published: bytes) -> None:
        """Re-apply the staging file of the lock's checkpoint over an older folder."""
        old = self._open(published, "the published file") if published else None
        if old and old.size >= checkpoint.size:
            raise Tampered(
                f"the published checkpoint ({old.size} leaves) is not older than the lock's "
                f"({checkpoint.size}): an earlier copy of the database was put back, or the log was forked. "
                "Run `muniment rebuild`."
            )
        staging = self._directory / STAGING_FOLDER / staging_name(checkpoint.size, checkpoint.root)
        try:
            growth = parse_staging(staging.read_bytes())
        except FileNotFoundError:
            raise Tampered(
                f"the published checkpoint is older than the lock's ({checkpoint.size} leaves), and nothing "
                "is staged: an earlier copy of the ledger's folder was put back. Run `muniment rebuild`."
            ) from None
        self._tiles.apply(growth)
        reader = TileReader(self._directory, checkpoint.size)
        if old and Frontier.from_subtrees(old.size, reader.hash).root() != old.root:
            raise Tampered(f"the published checkpoint of {old.size} leaves is not the beginning of the log.")
        self._check_edge(checkpoint)
        self._finish(growth, locked, checkpoint.size)

    def _check_edge(self, checkpoint: Checkpoint) -> Edge:
        """Return the folder's right edge when it gives the checkpoint's root."""
        reader = TileReader(self._directory, checkpoint.size)
        edge = read_edge(reader)
        if edge.root() != checkpoint.root or reader.root() != checkpoint.root:
            raise Tampered(
                f"the tiles at the right edge do not give the root signed for {checkpoint.size} leaves. "
                "Run `muniment verify` to have the damaged tile named."
            )
        return edge

    def _open(self, note: bytes, place: str) -> Checkpoint:
        try:
            return open_checkpoint(note, self.origin, [self._signer.key])
        except MunimentError as error:
            raise Tampered(f"the checkpoint in {place} is not one this log signed: {error}") from error

    def _published(self) -> bytes:
        try:
            return (self._directory / CHECKPOINT_FILE).read_bytes()
        except FileNotFoundError:
            return b""

    def _clear_staging(self, size: int) -> None:
        """Drop what was staged for a log of `size` leaves or fewer, and what a crash left half written."""
        folder = self._directory / STAGING_FOLDER
        for file in sorted(folder.iterdir()) if folder.is_dir() else []:
            if staged_size(file.name) <= size:
                self._disk.remove(file)

    def _ready(self) -> Edge:
        if self._edge is None:
            raise Unavailable("the log must be recovered before it is added to.")
        return self._edge
