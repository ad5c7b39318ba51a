"""Where the record is backed up to, and how often. Source: R-5.1-a ("backed up")."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated

import msgspec

from .shape import About, Mistake

_CLAUSE = "R-5.1-a"
_MOST_HOURS = 168


class Backup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The backup's place and interval; without a place nothing is backed up by itself."""

    to: Annotated[
        str, About("absolute path of a folder on another disk or machine; empty for none", _CLAUSE, '""')
    ] = ""
    every_hours: Annotated[int, About("hours between two runs, 1 to 168", _CLAUSE, "1")] = 1


def backup_mistakes(backup: Backup) -> Iterator[Mistake]:
    """Yield what is wrong with the backup's table."""
    if backup.to and "://" in backup.to:
        yield Mistake(
            "backup.to",
            _CLAUSE,
            "names an object store, which this version cannot reach",
            'Write the path of a folder, for instance to = "/media/backup/muniment".',
        )
    elif backup.to and not (backup.to.isprintable() and PurePosixPath(backup.to).is_absolute()):
        yield Mistake(
            "backup.to",
            _CLAUSE,
            "is not an absolute path",
            'Write, for instance, to = "/media/backup/muniment".',
        )
    if not 1 <= backup.every_hours <= _MOST_HOURS:
        yield Mistake(
            "backup.every_hours",
            _CLAUSE,
            f"found {backup.every_hours}, expected 1 to {_MOST_HOURS}",
            "Write, for instance, every_hours = 1.",
        )
