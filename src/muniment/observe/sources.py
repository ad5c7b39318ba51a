"""The files an import finds below a path, in one order, each with what it is taken as.

Every regular file is one message, unless it is an mbox. Hidden files and side files are files too: what is left out
is named, so that nothing is missing unsaid.

1. In a folder that has cur and new, the files of these two are messages of a Maildir; its other files are its own
   housekeeping and are passed over by name.
2. A file that begins with a postmark and holds another one, or is called *.mbox or mbox, is an mbox; a file called
   *.eml never is.
3. Links to folders are not followed; sockets, pipes and devices are not read.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from muniment.observe.maildir import is_maildir


class Shape(StrEnum):
    """What a file is taken as; AUTO is settled when it is read."""

    AUTO = "auto"
    EML = "eml"
    MBOX = "mbox"
    MAILDIR = "maildir"


class Source(NamedTuple):
    """One file to read."""

    path: Path
    shape: Shape


class Skipped(NamedTuple):
    """A path that is not imported, and why; `is_failure` when it should have been."""

    path: Path
    why: str
    is_failure: bool


def find(path: Path, shape: Shape) -> Iterator[Source | Skipped]:
    """Yield every file below `path`, which may itself be one file; the same tree always gives the same order."""
    folders = []
    if _is_folder(path):
        folders.append(path)
    else:
        yield _file(path, shape)
    while folders:
        folder = folders.pop()
        taken_as = _taken_as(folder, shape)
        try:
            names = sorted(folder.iterdir(), reverse=True)
        except OSError as error:
            yield Skipped(folder, error.strerror or str(error), is_failure=True)
            continue
        for each in reversed(names):
            if not _is_folder(each):
                yield _file(each, taken_as)
            elif each.is_symlink():
                yield Skipped(each, "a link to a folder", is_failure=False)
        folders += [each for each in names if _is_folder(each) and not each.is_symlink()]


def _taken_as(folder: Path, shape: Shape) -> Shape | str:
    """Return what the files in a folder are taken as, or why they are passed over."""
    if shape not in (Shape.AUTO, Shape.MAILDIR):
        return shape
    if is_maildir(folder):
        return "not a message of this Maildir"
    if is_maildir(folder.parent) and folder.name == "tmp":
        return "not yet delivered"
    if is_maildir(folder.parent) and folder.name in ("cur", "new"):
        return Shape.MAILDIR
    return "not in a Maildir" if shape is Shape.MAILDIR else shape


def _file(path: Path, taken_as: Shape | str) -> Source | Skipped:
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        return Skipped(path, error.strerror or str(error), is_failure=True)
    if not is_file:
        return Skipped(path, "neither a file nor a folder", is_failure=False)
    return (
        Source(path, taken_as) if isinstance(taken_as, Shape) else Skipped(path, taken_as, is_failure=False)
    )


def _is_folder(path: Path) -> bool:
    """Tell whether this is a folder as far as one can see; what cannot be seen is reported when it is read."""
    try:
        return path.is_dir()
    except OSError:
        return False
