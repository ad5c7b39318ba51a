"""Where the files of the project lie, for the tests that look at all of them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "muniment"
SHARED = ROOT.parent / "shared"
_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)


def python_files(*folders: str) -> list[Path]:
    """Return every module below folders of the project, migrations left out."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def source_files() -> list[Path]:
    """Return every file of the packages as it is shipped."""
    found = [path for path in SOURCE.rglob("*") if path.is_file()]
    return sorted(p for p in found if "__pycache__" not in p.parts and ".egg-info" not in str(p))


def pages() -> list[Path]:
    """Return every page people read: those of docs/ and the ones beside it."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def name_of(path: Path) -> str:
    """Return a path as people write it, from the project's root."""
    return path.relative_to(ROOT).as_posix()


def without_code(page: str) -> str:
    """Return a page without what stands in fences and in code marks."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page))


def headings(page: str) -> list[str]:
    """Return the text of every heading of a page."""
    return re.findall(r"^#{1,6} +(.+?)\s*$", _FENCE.sub("", page), re.MULTILINE)


def sh_blocks(page: str, mark: str = "") -> list[str]:
    """Return the fenced shell blocks of a page; with a mark, those whose fence says it."""
    found = re.findall(r"^```sh([^\n]*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [block for info, block in found if mark in info.split() or not mark]
