"""A restored home says so: a file that `restore` leaves, and that becomes a gap entry at the next start.

What was recorded after the backup is lost; the entry says from when, and the numbers of every stream go on from
where the backup stood. A newer checkpoint that somebody decided to go on without stands in the entry whole, so that
the two histories are never silent. Source: docs/formats/backup.md, "A restored home".
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from muniment.policy.errors import Conflict, Tampered
from muniment.record.disk import Disk
from muniment.record.home import Home

FILE = "restored.json"
MARK = "restore-under-way.json"


class Restored(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of which backup a home was restored, and when; `lost` is a newer checkpoint that it does not continue, or ""."""

    format: Literal["muniment-restored/1"] = "muniment-restored/1"
    run: int
    backup_ms: int
    size: int
    restored_ms: int
    lost: str = ""

    def facts(self) -> dict[str, object]:
        """Return the facts of the gap entry."""
        facts = dict(msgspec.to_builtins(self))
        del facts["format"]
        return facts


def path_of(home: Home) -> Path:
    """Return where the file lies once the home is whole."""
    return home.record / FILE


def mark_of(home: Home) -> Path:
    """Return where the same file lies while the home is being restored."""
    return home.path / MARK


def begin(home: Home, restored: Restored, disk: Disk) -> None:
    """Mark the home as being restored."""
    disk.write_durable(mark_of(home), msgspec.json.encode(restored), 0o600)


def end(home: Home, disk: Disk) -> None:
    """Let the home be started: one rename takes the mark away and leaves the file for the next start."""
    disk.move(mark_of(home), path_of(home))


def read(home: Home) -> Restored | None:
    """Return what the file says, None when the home was not restored since its last start.

    Raises:
        Conflict: a restore has not ended. Tampered: the file is none of ours.
    """
    if mark_of(home).exists():
        raise Conflict(f"{home.path} is being restored; let `muniment restore` end, or start it again")
    return read_file(path_of(home))


def read_file(path: Path) -> Restored | None:
    """Return what such a file says, None when it is not there; errors as `read`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Restored)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Tampered(
            f"{path} is not what `muniment restore` writes; restore into an empty folder"
        ) from None


def is_let_go(home: Home, anchor: bytes) -> bool:
    """Tell whether this checkpoint is the one somebody decided to go on without when the home was restored."""
    restored = read(home)
    return restored is not None and bool(restored.lost) and restored.lost.encode() == anchor
