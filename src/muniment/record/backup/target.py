"""Where a backup lies: a directory outside the home. Whoever keeps it is trusted with nothing but keeping it.

An object is put whole or not at all, listed with its size, and taken away durably.
Source: docs/formats/backup.md, "Objects" and "Manifest".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from muniment.policy.errors import BadInput, Missing, Unavailable
from muniment.record.disk import Disk
from muniment.record.home import Home

_OBJECT = re.compile(r"[0-9a-f]{64}")
_RUN = re.compile(r"0[0-9a-f]{15}")


class Directory:
    """A backup in a directory, which must be there already: a disk that is not mounted is no place for a backup."""

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self.path, self._disk = path, disk or Disk()
        self._objects, self._manifests = path / "objects", path / "manifests"
        if not path.is_dir():
            raise Missing(f"{path} is not there; mount it, or make the folder, and try again")

    @property
    def place(self) -> str:
        """Return how people name it."""
        return str(self.path)

    def put(self, name: str, data: bytes) -> None:
        """Store an object durably."""
        self._disk.write_durable(self._object(name), data, 0o600)

    def put_manifest(self, run: int, data: bytes) -> None:
        """Store the manifest of a run durably; from then on it is the backup."""
        self._disk.write_durable(self._manifests / f"{run:016x}", data, 0o600)

    def get(self, name: str, most_bytes: int) -> bytes:
        """Return an object.

        Raises:
            Missing: it is not there. BadInput: it is longer than an object can be.
        """
        return _read(self._object(name), most_bytes)

    def get_manifest(self, run: int, most_bytes: int) -> bytes:
        """Return the sealed manifest of a run; errors as `get`."""
        return _read(self._manifests / f"{run:016x}", most_bytes)

    def objects(self) -> dict[str, int]:
        """Return {name: bytes} of every object, half-written files left out."""
        found = {}
        for folder in _entries(self._objects):
            for path in _entries(folder):
                if _OBJECT.fullmatch(name := folder.name + path.name):
                    found[name] = path.stat().st_size
        return found

    def runs(self) -> list[int]:
        """Return the runs that have a manifest, rising."""
        return sorted(int(p.name, 16) for p in _entries(self._manifests) if _RUN.fullmatch(p.name))

    def remove(self, name: str) -> None:
        """Take an object away durably."""
        self._disk.remove(self._object(name))

    def remove_manifest(self, run: int) -> None:
        """Take a manifest away durably."""
        self._disk.remove(self._manifests / f"{run:016x}")

    def remove_torn(self) -> None:
        """Take away what a run that was killed left half-written."""
        for folder in [self._manifests, *_entries(self._objects)]:
            for path in _entries(folder):
                if path.name.startswith(".") and path.name.endswith(".tmp"):
                    self._disk.remove(path)

    def _object(self, name: str) -> Path:
        return self._objects / name[:2] / name[2:]


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be read: {error.strerror}; mend the disk or its permissions"
        ) from error


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise Missing(f"{path} is not there: the backup is not whole") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}; mend the disk and try again") from error
    if len(data) > most_bytes:
        raise BadInput(f"{path} has more than {most_bytes:,} bytes, which nothing in a backup has")
    return data


def target_of(text: str, home: Home, disk: Disk | None = None) -> Directory:
    """Return the target a person names; it is an absolute path outside the home.

    Raises:
        BadInput: it is none, or an object store, which this version cannot reach. Missing: it is not there.
    """
    if "://" in text:
        raise BadInput(
            f"{text.partition('://')[0]}:// is no place this version can back up to; name a directory, for instance a "
            "mounted disk or share"
        )
    path = Path(text).absolute()
    here, there = home.path.resolve(), path.resolve()
    if there == here or here in there.parents or there in here.parents:
        raise BadInput(
            f"{path} and the home {home.path} lie within each other; name a folder on another disk"
        )
    return Directory(path, disk)
