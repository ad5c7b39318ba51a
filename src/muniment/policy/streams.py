"""The register of streams: what is captured about people, why, on which basis, and where they are told so.

A stream does not start until its row is whole. People are told; nobody is said to have agreed (finding L2): a row
that claims consent is a mistake of the policy file.
Source: R-5.1-c, R-5.3-n, R-1.S-a; requirements 0, L2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import msgspec

from .errors import Refused
from .shape import About, Mistake

_CLAUSE = "R-5.1-c"
_TOLD = "R-5.3-n"
_LONGEST = 1000
_ASSESSED_DAYS = 366
_LONGEST_SILENCE_HOURS = 8_784
_CONSENT = re.compile(r"\bconsent|\byou (hereby |also )?agree\b", re.IGNORECASE)


@dataclass(frozen=True)
class KnownStream:
    """A stream Muniment has a name for; `is_connected` when something in Muniment can capture it."""

    name: str
    label: str
    is_connected: bool
    how: str


KNOWN = {
    stream.name: stream
    for stream in (
        KnownStream("mail-gateway", "Mail through the gateway", True, "gateway.inside and gateway.outside"),
        KnownStream("mail-journal", "Mail journal", True, "gateway.journal"),
        KnownStream("mail-import", "Mail imported", True, "the command that imports mail"),
        KnownStream("web", "Web use", False, "not built yet"),
        KnownStream("calls", "Telephone calls", False, "not built yet"),
        KnownStream("printing", "Network printing", False, "not built yet"),
        KnownStream("log-ins", "Log-ins and network addresses", False, "not built yet"),
        KnownStream("voicemail", "Voicemail", False, "not built yet"),
        KnownStream("saved-chats", "Saved chats", False, "not built yet"),
    )
}


class StreamRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the register; a row that lacks something may stand, and its stream stays closed."""

    name: Annotated[str, About("which stream", _CLAUSE, '"mail-gateway"')]
    purpose: Annotated[str, About("what it is captured for", _CLAUSE, '"To keep a true copy of mail"')] = ""
    lawful_basis: Annotated[
        str, About("the basis in data protection law", _TOLD, '"Legitimate interests"')
    ] = ""
    notice: Annotated[
        str, About("what people are told, word for word", _TOLD, '"You have been told that mail is kept."')
    ] = ""
    notice_shown: Annotated[str, About("where they are told it", _TOLD, '"The terms of use, page 2"')] = ""
    assessed: Annotated[date | None, About("the day of its impact assessment", _CLAUSE, "2026-11-01")] = None
    owner: Annotated[str, About("the role that answers for it", _CLAUSE, '"Data Protection Officer"')] = ""
    silence_hours: Annotated[
        int, About("hours without an entry after which its silence is told; 0 for never", "R-2.1-b", "24")
    ] = 0

    @property
    def label(self) -> str:
        """Return how people call the stream."""
        return KNOWN[self.name].label if self.name in KNOWN else self.name


_LACKING = {
    "purpose": "what it is captured for",
    "lawful_basis": "its lawful basis",
    "notice": "what people are told",
    "notice_shown": "where they are told it",
    "assessed": "the day of its impact assessment",
    "owner": "who answers for it",
}


def lacks(row: StreamRow, today: date) -> tuple[str, ...]:
    """Return the keys that keep a row from being whole on `today`; an assessment that is yet to come does not count."""
    empty = [key for key in _LACKING if key != "assessed" and not getattr(row, key).strip()]
    is_assessed = row.assessed is not None and row.assessed <= today
    return tuple(key for key in _LACKING if key in empty or (key == "assessed" and not is_assessed))


def row_of(streams: Sequence[StreamRow], name: str) -> StreamRow | None:
    """Return the row of a stream, None when the register has none."""
    return next((row for row in streams if row.name == name), None)


def may_start(streams: Sequence[StreamRow], name: str, today: date) -> bool:
    """Tell whether a stream's row is there and whole."""
    row = row_of(streams, name)
    return row is not None and not lacks(row, today)


def require_row(streams: Sequence[StreamRow], name: str, today: date) -> None:
    """Let a stream start.

    Raises:
        Refused: the register has no whole row for it; the message says what is missing and how to mend it.
    """
    row = row_of(streams, name)
    lacking = tuple(_LACKING) if row is None else lacks(row, today)
    if lacking:
        found = "has no row in the register of streams" if row is None else f"lacks {in_words(lacking)}"
        message = (
            f"the stream {name} does not start: it {found}. "
            f'Write {", ".join(lacking)} under [[streams]] with name = "{name}" in the policy file'
        )
        raise Refused(message, clause=_CLAUSE)


def in_words(lacking: Sequence[str]) -> str:
    """Return missing keys as people say them, for instance `its lawful basis and who answers for it`."""
    words = [_LACKING[key] for key in lacking]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def is_old(row: StreamRow, today: date) -> bool:
    """Tell whether the assessment was more than a year ago, so that somebody should look at it again."""
    return row.assessed is not None and today - row.assessed > timedelta(days=_ASSESSED_DAYS)


def streams_mistakes(streams: Sequence[StreamRow]) -> Iterator[Mistake]:
    """Yield what is wrong with the register, although a row that merely lacks something is no mistake."""
    names = [row.name for row in streams]
    for number, row in enumerate(streams, start=1):
        key = f"streams[{number}]"
        if row.name not in KNOWN:
            yield Mistake(
                f"{key}.name", _CLAUSE, f"{row.name[:40]!r} is no stream", f"Known: {', '.join(KNOWN)}."
            )
        elif names.index(row.name) != number - 1:
            yield Mistake(f"{key}.name", _CLAUSE, f"{row.name} stands twice", "Leave one of the rows.")
        if not 0 <= row.silence_hours <= _LONGEST_SILENCE_HOURS:
            yield Mistake(
                f"{key}.silence_hours",
                "R-2.1-b",
                f"found {row.silence_hours}, expected 0 to {_LONGEST_SILENCE_HOURS}",
                "Write, for instance, silence_hours = 24; 0 for never.",
            )
        yield from _text_mistakes(key, row)


def _text_mistakes(key: str, row: StreamRow) -> Iterator[Mistake]:
    for name in ("purpose", "lawful_basis", "notice", "notice_shown", "owner"):
        text = getattr(row, name)
        if len(text) > _LONGEST or not text.isprintable():
            wrong = f"is no single line of at most {_LONGEST} characters"
            yield Mistake(f"{key}.{name}", _CLAUSE, wrong, "Write it on one line, in fewer words.")
        elif found := _CONSENT.search(text):
            yield Mistake(
                f"{key}.{name}",
                _TOLD,
                f"claims consent ({found.group()!r}), which staff can rarely give freely to their employer",
                'Say what people are told: "You have been told that …", and rest it on another lawful basis.',
            )
