"""Segments: the append-only files of one class and epoch, at most 64 MiB each.

A flush is the only commit point: frames, one trailer, `fdatasync`. A write or flush that fails ends the segment;
its torn tail goes to quarantine and is never counted, overwritten or deleted. Source: docs/formats/segment.md.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from muniment.policy.errors import Tampered
from muniment.record.disk import AppendFile, Disk
from muniment.record.entry import Retention
from muniment.record.frame import HEADER_BYTES, Header, parse_header
from muniment.record.home import Home

MAX_BYTES = 64 << 20


class SegmentId(NamedTuple):
    """Names one segment: retention class, epoch, number within the epoch."""

    retention: int
    epoch: int
    number: int

    def path(self, home: Home) -> Path:
        """Return where it lies."""
        return (
            home.segments / Retention(self.retention).name.lower() / f"{self.epoch:08x}-{self.number:04d}.seg"
        )

    def husk_path(self, home: Home) -> Path:
        """Return where the leaves lie once it has expired."""
        return self.path(home).with_suffix(".husk")


def origin_sha256(origin: str) -> bytes:
    """Return how a segment names the log it belongs to."""
    return hashlib.sha256(origin.encode()).digest()


def list_segments(home: Home, suffix: str = ".seg") -> list[SegmentId]:
    """Return every segment on disk, in no useful order.

    Raises:
        Tampered: a file lies there whose name is not a segment's.
    """
    found = []
    for folder in sorted(home.segments.iterdir()) if home.segments.exists() else ():
        for path in folder.glob(f"*{suffix}"):
            try:
                epoch, number = path.stem.split("-")
                found.append(SegmentId(Retention[folder.name.upper()], int(epoch, 16), int(number)))
            except (ValueError, KeyError):
                raise Tampered(
                    f"{path} does not have a segment's name; move it away and run muniment verify"
                ) from None
    return found


@contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """Map a file for reading; an empty file gives an empty view."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            yield memoryview(b"")
            return
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    data = memoryview(view)
    try:
        yield data
    finally:
        data.release()
        with suppress(BufferError):  # a frame of it is still in use: the map goes with the last of them
            view.close()


def check_header(path: Path, data: memoryview, segment: SegmentId, origin: str) -> Header:
    """Return the header of a segment, compared with its name and log.

    Raises:
        Tampered: it belongs elsewhere or was altered.
    """
    header = parse_header(bytes(data[:HEADER_BYTES]))
    if (header.retention, header.epoch, header.number) != segment or header.origin_sha256 != origin_sha256(
        origin
    ):
        raise Tampered(f"{path}: its header belongs to another segment or another log")
    return header


class SegmentWriter:
    """Writes one segment; `good_bytes` is its length up to the last flush that succeeded."""

    def __init__(self, home: Home, disk: Disk, segment: SegmentId, first_index: int, origin: str) -> None:
        self.segment = segment
        self._home, self._disk = home, disk
        self._path = segment.path(home)
        self._file: AppendFile = disk.append(self._path, mode=0o600)
        self._head = Header(*segment, first_index, origin_sha256(origin)).pack()
        self.good_bytes = 0

    def takes(self, length: int) -> bool:
        """Tell whether `length` more bytes fit; an empty segment takes anything."""
        return self.good_bytes <= HEADER_BYTES or self.good_bytes + length <= MAX_BYTES

    @property
    def next_offset(self) -> int:
        """Return where the next frame will lie."""
        return self.good_bytes or HEADER_BYTES

    def commit(self, pieces: list[bytes]) -> None:
        """Append frames and their trailer and flush them; the header goes with the first.

        Raises:
            Unavailable: nothing of this call counts as stored; the segment must be `abandon`ed.
        """
        self._file.write(pieces if self.good_bytes else [self._head, *pieces])
        self._file.flush()
        self.good_bytes = self._file.size

    def abandon(self) -> None:
        """Move what lies behind the last good flush to quarantine and cut it off; the segment is finished.

        Raises:
            Unavailable: there is no room for the tail yet; it stays where it is and this can be called again.
        """
        quarantine_tail(self._home, self._disk, self.segment, self.good_bytes)
        self._file.close()

    def close(self) -> None:
        """Finish the segment."""
        self._file.close()


def quarantine_tail(home: Home, disk: Disk, segment: SegmentId, good_bytes: int) -> int:
    """Copy a segment's torn tail to the quarantine folder, then cut it off; return its length.

    A segment with nothing good in it is moved there whole.
    """
    path = segment.path(home)
    if not path.exists():
        return 0
    length = path.stat().st_size - good_bytes
    name = f"{Retention(segment.retention).name.lower()}-{path.stem}"
    if good_bytes == 0:
        disk.move(path, home.quarantine / f"{name}-whole.tail")
        return length
    if length > 0:
        with path.open("rb") as file:
            file.seek(good_bytes)
            tail = file.read()
        disk.write_durable(home.quarantine / f"{name}-{good_bytes}.tail", tail, mode=0o600)
    writer = disk.append(path)
    try:  # also when nothing is left to cut: an earlier cut may not have reached the disk
        writer.cut(good_bytes)
        writer.flush()
    finally:
        writer.close()
    return length


def write_anew(home: Home, disk: Disk, segment: SegmentId) -> None:
    """Replace a segment by a copy of itself, so that what can be read of it is on the disk for certain."""
    path = segment.path(home)
    disk.write_durable(path, path.read_bytes(), mode=0o600)
