"""The packs that lie in a room's folder until they are deleted or the room is closed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from muniment.answer.views import shown
from muniment.answer.views.door import Door
from muniment.people.moment import in_words, local

FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.(?:zip|age)")


def folder_of(door: Door) -> Path:
    """Return where a room's packs lie."""
    return door.room.place.folder / "packs"


def made(door: Door) -> list[dict[str, Any]]:
    """Return the packs that lie in the room's folder, the newest first."""
    folder = folder_of(door)
    files = [path for path in folder.iterdir() if FILE.fullmatch(path.name)] if folder.is_dir() else []
    files.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [
        {
            "name": path.name,
            "size": shown.size_in_words(path.stat().st_size),
            "is_encrypted": path.suffix == ".age",
            "made": in_words(local(path.stat().st_mtime_ns // 1_000_000)),
        }
        for path in files
    ]


def forget_packs(door: Door, named: str = "") -> None:
    """Delete the packs that lie in the room's folder, or the one that is named; what was handed out stays so."""
    for found in made(door):
        if named in ("", found["name"]):
            (folder_of(door) / found["name"]).unlink(missing_ok=True)
