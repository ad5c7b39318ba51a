"""Reads one log file, as it is or compressed with gzip, bzip2 or xz, and says which bytes it was.

Source: R-2.1-b; docs/formats/reconciliation.md.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, cast

from muniment.observe.postfix_log import Event, LogReader
from muniment.policy.errors import Missing, Unavailable
from muniment.record.statement.reconciliation import LogFile

_PIECE_BYTES = 1 << 20
_OPENERS: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda file: cast("BinaryIO", gzip.GzipFile(fileobj=file)),
    b"BZh": lambda file: cast("BinaryIO", bz2.BZ2File(file)),
    b"\xfd7zXZ\0": lambda file: cast("BinaryIO", lzma.LZMAFile(file)),  # noqa: SIM115 - read to its end by whoever opened the file
}


class ReadLog:
    """One log file; `events` reads it to its end, and then `told` says what was read."""

    def __init__(self, path: Path, zone: tzinfo | None = None) -> None:
        self._path, self._zone = path, zone
        self._digest, self._bytes, self._lines = sha256(), 0, 0

    def events(self) -> Iterator[Event]:
        """Yield the events of its lines.

        Raises:
            Missing: there is no such file. Unavailable: it cannot be read to its end, so that nothing may be counted.
        """
        try:
            with self._path.open("rb") as file:
                written = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
                reader = LogReader(written, self._zone)
                for piece in self._pieces(file):
                    self._lines += piece.count(b"\n")
                    yield from reader.feed(piece)
                yield from reader.close()
        except FileNotFoundError:
            raise Missing(f"{self._path} is not there; name the log files of the mail server") from None
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise Unavailable(
                f"{self._path} cannot be read to its end: {error}; nothing was counted. "
                "Take the file whole, then try again"
            ) from error

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the text piece by piece; the digest is of the bytes as they lie on the disk."""
        raw = _Hashed(file, self._take)
        head, hashed = raw.peek(), cast("BinaryIO", raw)
        if head.startswith(b"\x28\xb5\x2f\xfd"):
            raise OSError("it is compressed with zstd; uncompress it first")
        opener = next((each for magic, each in _OPENERS.items() if head.startswith(magic)), None)
        source = opener(hashed) if opener else hashed
        while piece := source.read(_PIECE_BYTES):
            yield piece
        hashed.read()

    def _take(self, data: bytes) -> None:
        self._digest.update(data)
        self._bytes += len(data)

    def told(self) -> LogFile:
        """Return its name, hash, length and number of lines."""
        name = self._path.name.encode("utf-8", "backslashreplace").decode()[:255]
        return LogFile(name=name, sha256=self._digest.hexdigest(), bytes=self._bytes, lines=self._lines)


class _Hashed(io.RawIOBase):
    """A file that tells every byte once, whoever reads it."""

    def __init__(self, file: BinaryIO, take: Callable[[bytes], None]) -> None:
        self._file, self._take = file, take
        self._ahead = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def peek(self) -> bytes:
        """Return how it begins, which is read again after."""
        self._ahead = self._file.read(16)
        return self._ahead

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; 0 at the end."""
        data, self._ahead = self._ahead[: len(buffer)], self._ahead[len(buffer) :]
        if not data:
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._take(data)
        return len(data)
