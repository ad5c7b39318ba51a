"""The files of a home that a backup holds, each with the bytes that count and how they are read.

Source: docs/formats/backup.md, "What is in it".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from muniment.policy.errors import Tampered, Unavailable
from muniment.record.backup.manifest import POLICY, is_allowed
from muniment.record.backup.standing import Standing
from muniment.record.home import Home
from muniment.record.ledger.publisher import CHECKPOINT_FILE, STAGING_FOLDER
from muniment.record.segment import list_segments

_NOT_COPIED = frozenset(
    {"record.db", "record.db-wal", "record.db-shm", "record.rebuilt", "lock", "restored.json"}
)


class Moved(Unavailable):
    """A file went away while it was read, for instance because it expired: the run looks again where things stand."""


@dataclass(frozen=True)
class Source:
    """One file of a backup: its path below the home, how many bytes count, where they are.

    A file that `grows` keeps what it has: its earlier pieces need not be read again.
    """

    path: str
    size: int
    place: Path | None = None
    data: bytes = b""
    grows: bool = False

    def read(self, start: int, length: int) -> bytes:
        """Return bytes of it.

        Raises:
            Moved: the file is gone. Tampered: it is shorter than was acknowledged.
        """
        if self.place is None:
            return self.data[start : start + length]
        try:
            with self.place.open("rb") as file:
                file.seek(start)
                data = file.read(length)
        except FileNotFoundError:
            raise Moved(f"{self.place} went away while it was backed up; try again") from None
        except OSError as error:
            raise Unavailable(f"{self.place} cannot be read: {error.strerror}; mend the disk") from error
        if len(data) < length and self.grows:
            raise Tampered(
                f"{self.place} has {start + len(data):,} bytes, {self.size:,} were acknowledged; the backup stays as "
                "it was. Run `muniment verify`"
            )
        if len(data) < length:
            raise Moved(f"{self.place} changed while it was backed up; try again")
        return data


def sources(home: Home, standing: Standing, extras: Sequence[tuple[str, Path]]) -> Iterator[Source]:
    """Yield every file of a backup; `extras` are copies made for this run, with their names in the backup."""
    for segment, size in standing.acknowledged().items():
        yield _growing(home, segment.path(home), size)
    for segment in list_segments(home, ".husk"):
        path = segment.husk_path(home)
        yield _growing(home, path, _size(path))
    for name, data in standing.keeper.items():
        yield Source(f"record/keeper/{name}", len(data), data=data)
    checkpoint = standing.checkpoint.encode()
    yield Source(f"record/ledger/{CHECKPOINT_FILE}", len(checkpoint), data=checkpoint)
    yield from _others(home)
    yield _whole(POLICY, home.policy_file)
    for name, path in extras:
        yield _whole(name, path)


def _others(home: Home) -> Iterator[Source]:
    """Yield what lies in the record beside segments, keeper and tiles."""
    known = {home.segments, home.keeper}
    for path in _files(home.record, known):
        relative = path.relative_to(home.path).as_posix()
        parts = path.relative_to(home.record).parts
        if parts[0] == home.ledger.name and parts[1] in ("tile", STAGING_FOLDER, CHECKPOINT_FILE):
            continue
        if parts[0] in _NOT_COPIED or any(part.startswith(".") for part in parts) or not is_allowed(relative):
            continue
        yield _whole(relative, path)


def _files(folder: Path, known: set[Path]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path in known or path.is_symlink():
            continue
        if path.is_dir():
            if path.name not in ("tile", STAGING_FOLDER):
                yield from _files(path, known)
        elif path.is_file():
            yield path


def _growing(home: Home, path: Path, size: int) -> Source:
    return Source(path.relative_to(home.path).as_posix(), size, path, grows=True)


def _whole(name: str, path: Path) -> Source:
    return Source(name, _size(path), path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        raise Moved(f"{path} went away while it was backed up; try again") from None
