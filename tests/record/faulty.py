"""A disk that fails on demand: the n-th call of a kind, with or without having stored what it was given.

What a failed flush had not stored can still be read, as with Linux, until `cut_power` takes it away.
"""

from __future__ import annotations

import os
import shutil
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
    "cut",
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
        self.log: list[tuple[str, Path]] = []
        self.breaks_next_flush = False
        self._lost: dict[int, tuple[int, int]] = {}
        self._kept_open: list[int] = []  # so that no other file gets the number of one that lost bytes
        self._nameless: set[Path] = set()
        self.uncut: dict[int, bytes] = {}

    def is_due(self, kind: str, path: Path) -> bool:
        self.calls[kind] += 1
        self.calls[ANY] += 1
        self.log.append((kind, path))
        return self.kind in (kind, ANY) and self.calls[self.kind] == self.at

    def lose(self, path: Path, start: int, end: int) -> None:
        """Note bytes of a file that can be read and are not on the disk; flushing that file again does not help."""
        self._lost[path.stat().st_ino] = (start, end)
        self._kept_open.append(os.open(path, os.O_RDONLY))

    def cut_power(self, folder: Path) -> int:
        """Take away what was never stored from every file below a folder; return how many bytes that was."""
        taken = 0
        for path in self._nameless:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for path in folder.rglob("*"):
            if tail := self.uncut.get(path.stat().st_ino):
                with path.open("ab") as file:
                    file.write(tail)
            start, end = self._lost.get(path.stat().st_ino, (0, 0))
            end = min(end, path.stat().st_size)
            if start < end:
                with path.open("r+b") as file:
                    file.seek(start)
                    file.write(bytes(end - start))
                taken += end - start
        while self._kept_open:
            os.close(self._kept_open.pop())
        return taken

    def append(self, path: Path, mode: int = 0o644) -> AppendFile:
        due = self.is_due("open", path)
        if due and not self.stored:
            raise _failed("open", path)
        if not path.exists():
            self._nameless.add(path)
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

    def make_folder(self, path: Path) -> None:
        if not path.is_dir():
            self._nameless.add(path)
        super().make_folder(path)

    def sync_dir(self, path: Path) -> None:
        due = self.is_due("sync_dir", path)
        if not due or self.stored:
            super().sync_dir(path)
            self._nameless = {name for name in self._nameless if name.parent != path}
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
        due, disk = self._disk.is_due("flush", self.path), self._disk
        if disk.breaks_next_flush:
            disk.breaks_next_flush = False
            disk.lose(self.path, self._flushed, self._real.size)
            raise FlushFailed(f"the flush of {self.path.name} failed, as this test asked.")
        if due and not disk.stored:
            os.truncate(self.path, self._flushed)
            self._real.size = self._flushed
        else:
            self._real.flush()
            self._flushed = self._real.size
            disk.uncut.pop(self.path.stat().st_ino, None)
        if due:
            raise FlushFailed(f"the flush of {self.path.name} failed, as this test asked.")

    def cut(self, size: int) -> None:
        due = self._disk.is_due("cut", self.path)
        if not due or self._disk.stored:
            tail = self.path.read_bytes()[size:]
            if tail:
                self._disk.uncut[self.path.stat().st_ino] = tail
                self._disk.lose(self.path, size, size)
            self._real.cut(size)
            self._flushed = min(self._flushed, size)
        if due:
            raise _failed("cut", self.path)

    def close(self) -> None:
        self._real.close()


def _failed(kind: str, path: Path) -> Unavailable:
    return Unavailable(f"{kind} of {path.name} failed, as this test asked.")
