"""Every link within the documents leads somewhere, and every document can be found from the README."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.house.tree import DOCS, ROOT, headings, name_of, pages, without_code

_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield file and anchor of every link that stays within the project."""
    for target in _LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = unquote(target).partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


def anchors(page: Path) -> set[str]:
    """Return the anchors a page's headings have where it is shown."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in headings(page.read_text(encoding="utf-8")):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(
            " ", "-"
        )
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for path, anchor in links(page):
        assert path.is_relative_to(ROOT), f"{path} lies outside the project"
        assert path.exists(), f"{path} is not there"
        if anchor:
            assert anchor in anchors(path), f"{name_of(path)} has no heading #{anchor}"


def test_every_document_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        if page.suffix == ".md":
            waiting += [path for path, _ in links(page)]
    lost = {path for path in DOCS.rglob("*") if path.is_file()} - reached
    assert sorted(map(name_of, lost)) == []


def test_every_document_the_code_speaks_of_is_there() -> None:
    missing = set()
    for path in [
        *(ROOT / "src").rglob("*.py"),
        *(ROOT / "src").rglob("*.toml"),
        *(ROOT / "tests").rglob("*.py"),
    ]:
        for named in re.findall(r"(?<![\w/])docs/[\w/-]+\.md", path.read_text(encoding="utf-8")):
            if not (ROOT / named).exists():
                missing.add((name_of(path), named))
    assert sorted(missing) == []


def test_an_anchor_is_made_as_it_is_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# What root can read, and when\n## `a_b` & c\n## Keys\n## Keys\n```\n# none\n```\n")
    assert anchors(page) == {"what-root-can-read-and-when", "a_b--c", "keys", "keys-1"}
