"""The words of the footer: the four particulars as plain lines, as HTML, and as what to look for in a text.

Source: R-2.2-b; Companies (Trading Disclosures) Regulations 2015, regulations 24 and 25.
"""

from __future__ import annotations

import html
import re
import textwrap
import unicodedata
from functools import lru_cache
from typing import Protocol

import msgspec

LINE_WIDTH = 76
LIMITED = "a limited company"
# The reader's own pair of colours, light or dark: legible on whatever ground the page has.
_STYLE = "clear:both;padding:8px;font:13px/1.4 Arial,sans-serif;color:CanvasText;background:Canvas"

_QUOTE_MARKER = re.compile(r"\n[ \t]*+[>|][>| \t]*+")
_MARKS = dict.fromkeys("‘’‚‛′´`ʼ", "'") | dict.fromkeys("“”„‟″«»", '"') | dict.fromkeys("‐‑‒–—―−", "-")
# Marks nobody sees: the soft hyphen, zero-width marks, direction marks.
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_LIKENESS = _MARKS | dict.fromkeys(_UNSEEN, "")
_MARK = re.compile(f"[{''.join(_LIKENESS)}]")
_ASCII_LIKENESS = str.maketrans(_MARKS | {"£": "GBP", "€": "EUR", "Ø": "O", "ø": "o", "ß": "ss"})


class Particulars(Protocol):
    """What the law wants on business letters of a registered company."""

    @property
    def name(self) -> str:
        """The registered name."""

    @property
    def part_of_uk(self) -> str:
        """The part of the United Kingdom the company is registered in."""

    @property
    def company_number(self) -> str:
        """The registered number, leading zeros included."""

    @property
    def registered_office(self) -> str:
        """The address of the registered office."""

    @property
    def exempt_from_limited(self) -> bool:
        """Whether the name may leave out "Limited"; the footer then says that the company is one."""


class Words(msgspec.Struct, frozen=True):
    """The footer in its forms, and each particular as it is looked for."""

    text: str  # lines end in CRLF, the last too
    ascii_text: str
    html: str  # ASCII only, whatever the particulars hold
    number: str  # as compared
    values: tuple[str, ...]  # as compared: the four and, where the name leaves it out, "a limited company"
    ascii_values: tuple[str, ...]

    def stand_in(self, text: str, *, in_ascii: bool = False) -> bool:
        """Whether all four particulars stand in the text a reader sees, whatever its spacing, case and quote marks."""
        if self.number not in text.casefold():
            return False  # the usual case, and cheap
        seen = normalise(text)
        if all(_stands(value, seen) for value in self.values):
            return True
        return in_ascii and all(_stands(value, seen) for value in self.ascii_values)


def words(particulars: Particulars) -> Words:
    """Return the footer's words for an organisation."""
    return _words(
        particulars.name,
        particulars.part_of_uk,
        particulars.company_number,
        particulars.registered_office,
        particulars.exempt_from_limited,
    )


def normalise(text: str) -> str:
    """Return the text as compared: case, spacing, quote marks, dashes, unseen marks and quoting do not count."""
    if text.isascii():
        text = text.replace("`", "'")
    else:
        text = _MARK.sub(lambda found: _LIKENESS[found.group()], unicodedata.normalize("NFKC", text))
    if ">" in text or "|" in text:
        text = _QUOTE_MARKER.sub("\n", "\n" + text)
    return " ".join(text.split()).casefold()


def in_ascii(text: str) -> str:
    """Return the text in ASCII letters; accents fall away and what has no likeness becomes a question mark."""
    bare = unicodedata.normalize("NFKD", text.translate(_ASCII_LIKENESS))
    kept = "".join(mark for mark in bare if not unicodedata.combining(mark))
    return kept.encode("ascii", "replace").decode("ascii")


@lru_cache(maxsize=16)
def _words(
    name: str, part_of_uk: str, company_number: str, registered_office: str, exempt_from_limited: bool
) -> Words:
    four = tuple(_one_line(value) for value in (name, part_of_uk, company_number, registered_office))
    status = f", {LIMITED}" if exempt_from_limited else ""
    sought = (*four, LIMITED) if exempt_from_limited else four
    lines = (
        four[0],
        f"Registered in {four[1]}, company number {four[2]}{status}",
        f"Registered office: {four[3]}",
    )
    text = _as_text(lines)
    return Words(
        text=text,
        ascii_text=text if text.isascii() else _as_text(tuple(in_ascii(line) for line in lines)),
        html=_as_html(lines),
        number=normalise(four[2]),
        values=tuple(normalise(value) for value in sought),
        ascii_values=tuple(normalise(in_ascii(value)) for value in sought),
    )


def _one_line(value: str) -> str:
    return " ".join("".join(mark if mark.isprintable() else " " for mark in value).split())


def _stands(value: str, text: str) -> bool:
    """Whether the value stands in the text as words of its own, not inside longer ones."""
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        if not text[at - 1 : at].isalnum() and not text[end : end + 1].isalnum():
            return True
        at = text.find(value, at + 1)
    return False


def _as_text(lines: tuple[str, ...]) -> str:
    return "".join(f"{line}\r\n" for long in lines for line in _wrapped(long))


def _as_html(lines: tuple[str, ...]) -> str:
    escaped = [html.escape(line).encode("ascii", "xmlcharrefreplace").decode("ascii") for line in lines]
    rows = ["\r\n".join(_wrapped(line)) for line in escaped]
    return f'<br />\r\n<div style="{_STYLE}">\r\n' + "<br />\r\n".join(rows) + "</div>\r\n"


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, LINE_WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
