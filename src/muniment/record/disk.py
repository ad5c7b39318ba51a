"""The one seam between the record and the file system: durable writes, and nothing that overwrites in place.

A file is written durably in this order, as Sunlight and Tessera do:

1. open the folder, so that nothing but the folder's own flush can fail after the rename;
2. write the whole file under a temporary name beside its target;
3. flush the file;
4. rename (or link, when an existing file must stand) to the target;
5. flush the folder.

After a failed flush the kernel may have thrown the bytes away and may say "flushed" when asked again, so a
`FlushFailed` is final: the writer stops, and only what can be read back after a restart counts as stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from muniment.policy.errors import Conflict, Unavailable

_PIECES_PER_WRITE = 1024  # IOV_MAX on Linux
_FOLDER_MODE = 0o755


class FlushFailed(Unavailable):
    """A flush failed: what was written since the last good flush may be lost, whatever is read back."""


class AppendFile:
    """A file that only grows. One writer; not shared between threads."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor

    def write(self, data: bytes | Sequence[bytes]) -> None:
        """Append all of `data`; it counts as stored after the next `flush` only.

        Raises: Unavailable when the disk takes no more (`size` then tells how many bytes it did take).
        """
        pieces = [data] if isinstance(data, bytes) else data
        for start in range(0, len(pieces), _PIECES_PER_WRITE):
            self._write_pieces(pieces[start : start + _PIECES_PER_WRITE])

    def _write_pieces(self, pieces: Sequence[bytes]) -> None:
        rest = [memoryview(piece) for piece in pieces if piece]
        while rest:
            with _naming(self.path, "append to"):
                taken = os.writev(self._descriptor, rest)
            self.size += taken
            rest = _after(rest, taken)

    def flush(self) -> None:
        """Return when every byte written is on the disk.

        Raises: FlushFailed, after which this file must not be written to again.
        """
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise _flush_failed(self.path, error) from error

    def cut(self, size: int) -> None:
        """Drop a torn tail that was never flushed and acknowledged, so that `size` bytes are left."""
        with _naming(self.path, "shorten"):
            os.ftruncate(self._descriptor, size)
        self.size = size

    def close(self) -> None:
        """Close the file; what was not flushed is not promised."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class Disk:
    """The real disk. Tests put one in its place that fails on demand."""

    def append(self, path: Path, mode: int = 0o644) -> AppendFile:
        """Open a file for appending, making it and its folders durable in their parents when they are new."""
        self.make_folder(path.parent)
        with _naming(path, "open"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            file = AppendFile(path, os.open(path, flags, mode))
        if not file.size:  # new, or left empty by a call that failed here
            try:
                self.sync_dir(path.parent)
            except BaseException:
                file.close()
                raise
        return file

    def write_durable(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        """Put `data` at `path`, whole or not at all; an earlier file of that name is replaced.

        Raises: Unavailable when it could not be written; FlushFailed when nobody knows whether it is stored.
        """
        self.make_folder(path.parent)
        with _folder(path.parent) as folder:
            temporary = _write_temporary(path, data, mode)
            with _naming(path, "rename to"):
                temporary.replace(path)
            _sync(folder, path.parent)

    def create_durable(self, path: Path, data: bytes, mode: int = 0o644, *, sync_folder: bool = True) -> None:
        """Put `data` at `path` unless a file is there already; the same bytes there already are a success.

        Without `sync_folder` its name is durable only after the caller's `sync_dir`, one for many files.
        Raises: Conflict when other bytes are there; Unavailable, FlushFailed as `write_durable`.
        """
        self.make_folder(path.parent)
        temporary = _write_temporary(path, data, mode)
        try:
            with _naming(path, "create"):
                path.hardlink_to(temporary)
        except _AlreadyThere:
            if path.read_bytes() != data:
                raise Conflict(
                    f"{path} exists with other contents; expected no file, or the same bytes. "
                    "Run `muniment verify` before anything else is written."
                ) from None
        finally:
            with suppress(OSError):
                temporary.unlink()
        if sync_folder:
            self.sync_dir(path.parent)

    def move(self, path: Path, target: Path) -> None:
        """Rename durably; the target's folder is made when it is missing."""
        self.make_folder(target.parent)
        with _naming(path, "move"):
            path.replace(target)
        self.sync_dir(target.parent)
        if path.parent != target.parent:
            self.sync_dir(path.parent)

    def remove(self, path: Path) -> None:
        """Remove a file durably; one that is gone already is a success."""
        with _naming(path, "remove"):
            path.unlink(missing_ok=True)
        if path.parent.is_dir():
            self.sync_dir(path.parent)

    def remove_folder(self, path: Path) -> None:
        """Remove a folder of files durably; one that is gone already is a success."""
        if not path.is_dir():
            return
        with _naming(path, "remove"):
            for file in path.iterdir():
                file.unlink()
            path.rmdir()
        self.sync_dir(path.parent)

    def make_folder(self, path: Path) -> None:
        """Make a folder and its parents durable; existing ones cost one look."""
        if path.is_dir():
            return
        self.make_folder(path.parent)
        with _naming(path, "create the folder"):
            path.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        try:
            self.sync_dir(path.parent)
        except BaseException:
            with suppress(OSError):  # so that the next call makes it, and its name, durable
                path.rmdir()
            raise

    def sync_dir(self, path: Path) -> None:
        """Return when the names in a folder are on the disk."""
        with _folder(path) as folder:
            _sync(folder, path)


class _AlreadyThere(Unavailable):
    """The name is taken: only `create_durable` sees this."""


@contextmanager
def _naming(path: Path, action: str) -> Iterator[None]:
    """Turn an operating-system error into one of our kinds that names the file and the action."""
    try:
        yield
    except FileExistsError as error:
        raise _AlreadyThere(f"could not {action} {path}: {error.strerror}") from error
    except OSError as error:
        raise Unavailable(
            f"could not {action} {path}: {error.strerror}. Make room or mend the disk; nothing is lost."
        ) from error


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    with _naming(path, "open the folder"):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_temporary(path: Path, data: bytes, mode: int) -> Path:
    """Write and flush a temporary file beside `path`; a left-over of a crash is replaced."""
    temporary = path.with_name(f".{path.name}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with _naming(temporary, "create"):
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, flags, mode)
    try:
        rest = memoryview(data)
        with _naming(temporary, "write"):
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        _sync(descriptor, temporary)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        os.close(descriptor)
    return temporary


def _sync(descriptor: int, path: Path) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise _flush_failed(path, error) from error


def _flush_failed(path: Path, error: OSError) -> FlushFailed:
    return FlushFailed(
        f"could not flush {path} to disk: {error.strerror}. What was written since the last flush is not "
        "counted as stored; check the disk, then start again."
    )


def _after(pieces: list[memoryview], taken: int) -> list[memoryview]:
    """Return what is left of `pieces` after the kernel took `taken` bytes of them."""
    for number, piece in enumerate(pieces):
        if taken < len(piece):
            return [piece[taken:], *pieces[number + 1 :]]
        taken -= len(piece)
    return []
