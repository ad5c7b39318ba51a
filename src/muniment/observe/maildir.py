"""A Maildir says by folder whether a message was seen, and by the end of its name which flags it had.

Source: the Maildir specification (cr.yp.to/proto/maildir.html); Maildir++ sub-folders begin with a dot.
"""

from __future__ import annotations

from pathlib import Path

FLAGS = {"D": "draft", "F": "flagged", "P": "passed", "R": "replied", "S": "seen", "T": "trashed"}


def is_maildir(folder: Path) -> bool:
    """Tell whether a folder is one Maildir: it has both cur and new."""
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def flags(name: str) -> list[str]:
    """Return the flags in a file's name, in the order of their letters; letters that mean nothing are kept as such."""
    _, mark, letters = name.rpartition(":2,")
    return [FLAGS.get(letter, letter) for letter in letters] if mark else []
