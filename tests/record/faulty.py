"""A disk that fails on demand: the n-th call of a kind, with or without having stored what it was given."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from muniment.policy.errors import Unavailable
from muniment.record.disk import AppendFile, Disk, FlushFailed

ANY = "any"
WRITES = (
    "open",
    "write",
    "flush",
    "write_durable",
    "create_durable",
    "sync_dir",
    "move",
    "remove",
    "remove_folder",
)


class FaultyDisk(Disk):
    """Fails once, at the `at`-th call (from 1) of `kind`, one of WRITES or ANY; then works again.

    `stored` tells whether the failing call did its work before it failed. A failed flush that was not stored
    loses everything since the last good flush. `calls` counts; with `at=0` nothing fails.
    """

    def __init__(self, kind: str = ANY, at: int = 0, *, stored: bool = False) -> None:
        self.kind, self.at, self.stored = kind, at, stored
        self.calls: Counter[str] = Counter()
        self.log: list[tuple[str, str]] = []

    def is_due(self, kind: str, path: Path) -> bool:
        self.calls[kind] += 1
        self.calls[ANY] += 1
        self.log.append((kind, path.name))
        return self.kind in (kind, ANY) and self.calls[self.kind] == self.at

    def append(self, path: Path, mode: int = 0o644) -> AppendFile:
        due = self.is_due("open", path)
        if due and not self.stored:
            raise _failed("open", path)
        real = super().append(path, mode)
        if due:
            real.close()
            raise _failed("open", path)
        return FaultyFile(self, real)

    def write_durable(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        due = self.is_due("write_durable", path)
        if not due or self.stored:
            super().write_durable(path, data, mode)
        if due:
            raise _failed("write_durable", path)

    def create_durable(self, path: Path, data: bytes, mode: int = 0o644, *, sync_folder: bool = True) -> None:
        due = self.is_due("create_durable", path)
        if not due or self.stored:
            super().create_durable(path, data, mode, sync_folder=sync_folder)
        if due:
            raise _failed("create_durable", path)

    def sync_dir(self, path: Path) -> None:
        due = self.is_due("sync_dir", path)
        if not due or self.stored:
            super().sync_dir(path)
        if due:
            raise _failed("sync_dir", path)

    def move(self, path: Path, target: Path) -> None:
        due = self.is_due("move", path)
        if not due or self.stored:
            super().move(path, target)
        if due:
            raise _failed("move", path)

    def remove(self, path: Path) -> None:
        due = self.is_due("remove", path)
        if not due or self.stored:
            super().remove(path)
        if due:
            raise _failed("remove", path)

    def remove_folder(self, path: Path) -> None:
        due = self.is_due("remove_folder", path)
        if not due or self.stored:
            super().remove_folder(path)
        if due:
            raise _failed("remove_folder", path)


class FaultyFile(AppendFile):
    """An append file whose writes and flushes fail when its disk says so."""

    def __init__(self, disk: FaultyDisk, real: AppendFile) -> None:
        self.path, self._real, self._disk = real.path, real, disk
        self._flushed = real.size

    @property
    def size(self) -> int:  # type: ignore[override]
        return self._real.size

    def write(self, data: bytes | Sequence[bytes]) -> None:
        due = self._disk.is_due("write", self.path)
        if due and not self._disk.stored:
            whole = data if isinstance(data, bytes) else b"".join(data)
            self._real.write(whole[: len(whole) // 2])  # a full disk takes part of it
        else:
            self._real.write(data)
        if due:
            raise _failed("write", self.path)

    def flush(self) -> None:
        due = self._disk.is_due("flush", self.path)
        if due and not self._disk.stored:
            os.truncate(self.path, self._flushed)
            self._real.size = self._flushed
        else:
            self._real.flush()
            self._flushed = self._real.size
        if due:
            raise FlushFailed(f"the flush of {self.path.name} failed, as this test asked.")

    def cut(self, size: int) -> None:
        self._real.cut(size)
        self._flushed = min(self._flushed, size)

    def close(self) -> None:
        self._real.close()


def _failed(kind: str, path: Path) -> Unavailable:
    return Unavailable(f"{kind} of {path.name} failed, as this test asked.")
