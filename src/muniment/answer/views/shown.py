"""What a room answered, in the words and pieces a page shows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from muniment.answer.room_values import RUNGS, Hit, Reason
from muniment.people.moment import LONDON, in_clock, local

_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "KB"))
_WORD = re.compile(r'"[^"]*"(?:~\d+)?|\S+')
_OPERATORS = {"OR", "AND", "NOT"}
_SHOWN_RECIPIENTS = 3
# Marks that change the order in which what follows is drawn, and those that are no writing at all. Joiners stay: some
# scripts need them.
_HARMFUL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\x7f")
_CONTROLS = frozenset(map(chr, (*range(9), 11, 12, *range(14, 32), *range(128, 160))))
_DIRECTIONS = {"inbound": "came in", "outbound": "went out", "internal": "within the organisation"}
# Why an attachment has no text, or not all of it, by the word its reader left (`reading.extracted.Problem`).
_PROBLEMS = {
    "encrypted": "It is encrypted, so no search looked into it. Its owner can be asked for the password (clause 5.3).",
    "picture": "It is a picture, or a scan without text. Nothing reads pictures here; no search finds what it shows.",
    "sound or film": "It is sound or film. Nothing listens to it here, so no search finds what it says.",
    "unknown kind": "Nothing here reads this kind of file, so no search looked into it.",
    "damaged": "The file is damaged: no text could be drawn out of it.",
    "too large": "The file is too large to be read here, so no search looked into it.",
    "unpacks to too much": "It unpacks to far more than it holds, as a trap does, and was left alone.",
    "took too long": "Reading it took too long and was stopped.",
    "its reader broke off": "The program that reads such files broke off on it.",
    "only in part": "Only a part of it could be read; no search looked into the rest.",
}
RUNG_NAMES = (
    ("counts", "Counts", "how many, when, how large"),
    ("envelope", "Envelopes", "from, to, date, size"),
    ("subject", "Subjects", "the subject line"),
    ("content", "Content", "the message itself"),
)
_ORDER: list[str] = list(RUNGS)


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder; `place` is `done`, `here` or empty."""

    name: str
    label: str
    means: str
    place: str


@dataclass(frozen=True)
class Piece:
    """A run of text, marked when it is what was sought."""

    text: str
    is_mark: bool


@dataclass(frozen=True)
class Row:
    """One entry of a result; subject and snippet are empty below their rung."""

    index: int
    day: str
    clock: str
    sender: str
    recipients: str
    size: str
    direction: str
    attachments: int
    copies: int
    subject: str
    snippet: tuple[Piece, ...]
    tags: tuple[str, ...]
    notes: int


@dataclass(frozen=True)
class Unseen:
    """So many things a search could not look into, and why."""

    count: int
    reason: str


def ladder(rung: str, depth: str) -> tuple[Rung, ...]:
    """Return the four rungs; above `rung` they are empty, and a permit for envelopes has none called content."""
    at = _ORDER.index(rung) if rung in _ORDER else 0
    places = ["done" if each < at else "here" if each == at else "" for each in range(len(_ORDER))]
    return tuple(
        Rung(
            name,
            label,
            "not within this permit" if name == "content" and depth == "envelope" else means,
            place,
        )
        for (name, label, means), place in zip(RUNG_NAMES, places, strict=True)
    )


def next_rung(rung: str, depth: str) -> Rung | None:
    """Return the rung that can be climbed now; None at the top, and at the permit's own top."""
    at = _ORDER.index(rung) + 1 if rung in _ORDER else 1
    if at >= len(_ORDER) or (_ORDER[at] == "content" and depth == "envelope"):
        return None
    return ladder(rung, depth)[at]


def can(rung: str, wanted: str) -> bool:
    """Tell whether `wanted` has been reached."""
    return rung in _ORDER and _ORDER.index(rung) >= _ORDER.index(wanted)


def rows(hits: Iterable[Hit]) -> tuple[Row, ...]:
    """Return a result's entries as a table shows them, what was sought marked."""
    return tuple(row(hit) for hit in hits)


def row(hit: Hit) -> Row:
    """Return one entry as a table shows it."""
    moment = local(hit.at_ms)
    return Row(
        index=hit.index,
        day=in_days(moment.date()),
        clock=in_clock(moment),
        sender=visible(hit.from_) or "no sender",
        recipients=visible(_joined(hit.to)) or "nobody named",
        size=size_in_words(hit.size),
        direction=direction(hit.direction),
        attachments=hit.attachments or 0,
        copies=hit.copies,
        subject=visible(hit.subject) if hit.subject else "",
        snippet=marked(hit.snippet or "", hit.snippet_marks),
        tags=tuple(visible(tag) for tag in hit.tags),
        notes=hit.notes,
    )


def direction(name: str) -> str:
    """Return a direction in the words of a page."""
    return _DIRECTIONS.get(name, name)


def _joined(names: Sequence[str]) -> str:
    """Return addresses in one line: the first three, and how many more."""
    more = len(names) - _SHOWN_RECIPIENTS
    return ", ".join(names[:_SHOWN_RECIPIENTS]) + (f" and {more:,} more" if more > 0 else "")


def unseen(listed: Iterable[Reason]) -> tuple[Unseen, ...]:
    """Return what could not be searched, the most first."""
    found = [Unseen(each.count, visible(each.reason)) for each in listed if each.count]
    return tuple(sorted(found, key=lambda each: -each.count))


def why_no_text(problem: str) -> str:
    """Return a sentence for what stood in the way of an attachment's text; empty when nothing did."""
    return _PROBLEMS.get(problem, visible(problem))


def marked(text: str, marks: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    """Return a text cut at the places the room marked; marks that lie outside or overlap are passed over."""
    cut, at = [], 0
    for start, end in sorted(marks):
        if at <= start < end <= len(text):
            cut += [Piece(visible(text[at:start]), False), Piece(visible(text[start:end]), True)]
            at = end
    return tuple(piece for piece in (*cut, Piece(visible(text[at:]), False)) if piece.text)


def sought(words: str) -> re.Pattern[str] | None:
    """Return a pattern that finds what a query seeks in a shown text; None when it seeks nothing readable."""
    terms = []
    for term in _WORD.findall(words):
        bare = re.sub(r"~\d+\Z", "", term).strip('"()')
        if term in _OPERATORS or term.startswith("-") or len(bare.rstrip("*")) < 2:
            continue
        spaced = r"\W+".join(map(re.escape, bare.rstrip("*").split()))
        terms.append(spaced + (r"\w*" if bare.endswith("*") else ""))
    return (
        re.compile(rf"\b(?:{'|'.join(terms[:50])})\b" if terms else r"(?!)", re.IGNORECASE) if terms else None
    )


def pieces(text: str, marks: re.Pattern[str] | None) -> tuple[Piece, ...]:
    """Return a text cut where something sought begins and ends."""
    if not text:
        return ()
    if marks is None:
        return (Piece(text, False),)
    cut, at = [], 0
    for match in marks.finditer(text):
        if match.end() > match.start():
            cut += [Piece(text[at : match.start()], False), Piece(match.group(), True)]
            at = match.end()
    return tuple(piece for piece in (*cut, Piece(text[at:], False)) if piece.text)


def visible(text: str) -> str:
    """Return a text in which marks that would turn the writing round, or end the page, are spelled out."""
    return "".join(
        f"\\u{ord(mark):04x}" if mark in _HARMFUL or mark in _CONTROLS else mark
        for mark in text.replace("\r", "")
    )


def size_in_words(count: int) -> str:
    """Return a number of bytes in the unit a person would choose."""
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}" if count < 10 * unit else f"{count / unit:,.0f} {name}"
    return f"{count} bytes"


def in_days(day: date) -> str:
    """Return a day as a table shows it, for instance `15 Sep 2026`."""
    return f"{day.day} {day:%b} {day.year}"


def start_of(day: date | None) -> int | None:
    """Return the first millisecond of a day in London."""
    return None if day is None else int(datetime.combine(day, time(), LONDON).timestamp() * 1000)


def end_of(day: date | None) -> int | None:
    """Return the first millisecond after a day in London."""
    return None if day is None else start_of(day + timedelta(days=1))
