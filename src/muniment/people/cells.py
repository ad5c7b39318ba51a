"""The cells of one row of a CSV file of people, each turned into its value or a mistake. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from muniment.people.address import fold
from muniment.people.mistake import Mistake
from muniment.people.moment import LONDON
from muniment.people.role import Role, parse_role
from muniment.policy.errors import BadInput
from muniment.policy.reserved import is_reserved

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EARLIEST = 1900
_LATEST = 2200


class Cells:
    """One row's cells by column; asking for a value notes what is wrong with it in `mistakes`."""

    def __init__(self, number: int, texts: dict[str, str]) -> None:
        self.number, self.texts = number, texts
        self.mistakes: list[Mistake] = []

    def wrong(self, column: str, wrong: str, mend: str, found: str | None = None) -> None:
        """Note a mistake in a column."""
        text = self.texts[column] if found is None else found
        self.mistakes.append(Mistake(self.number, column, text, wrong, mend))

    def line(self, column: str, *, longest: int, required: bool = True) -> str:
        """Return a line of text."""
        text = self.texts[column]
        if required and not text:
            self.wrong(column, "expected some text", "Fill it in.")
        elif not text.isprintable():
            self.wrong(
                column, "which has a line break, a tab or a control character", "Write it on one line."
            )
        elif len(text) > longest:
            self.wrong(column, f"expected at most {longest} characters", "Shorten it.")
        return text

    def parts(self, column: str) -> list[str]:
        """Return the parts of a cell that holds several, parted by semicolons."""
        return [part.strip() for part in self.texts[column].split(";") if part.strip()]

    def roles(self) -> tuple[str, ...]:
        """Return the roles, at least one, each once."""
        found: list[str] = []
        for part in self.parts("roles"):
            role = parse_role(part)
            if role is None:
                known = ", ".join(role.value for role in Role)
                self.wrong("roles", "which is not a role", f"Write one or more of {known}.", part)
            else:
                found.append(role.value)
        if not self.parts("roles"):
            self.wrong("roles", "expected at least one role", 'Write, for instance, "staff" or "staff; hr".')
        return _once(found)

    def addresses(self, *, example: bool) -> tuple[str, ...]:
        """Return the mail addresses, folded, each once; none is allowed."""
        found: list[str] = []
        for part in self.parts("addresses"):
            try:
                address = fold(part)
            except BadInput:
                mend = "Write, for instance, tomas@training.example; part several by semicolons."
                self.wrong("addresses", "which is not a mail address", mend, part)
                continue
            if example and not is_reserved(address.rpartition("@")[2]):
                mend = "An example organisation uses names nobody can own, for instance under .example."
                self.wrong("addresses", "which could be somebody's real address", mend, part)
            found.append(address)
        return _once(found)

    def moment(self, column: str) -> datetime | None:
        """Return the moment a day begins in London, or the moment written out with its offset; None when empty."""
        text = self.texts[column]
        if not text:
            return None
        try:
            found = _moment(text)
        except (ValueError, OverflowError):
            mend = "Write a day as 2026-11-24, or a moment as 2026-11-24T09:30+00:00."
            self.wrong(column, "which is not a day", mend)
            return None
        if not _EARLIEST <= found.year < _LATEST:
            self.wrong(column, f"expected a year from {_EARLIEST} to {_LATEST - 1}", "Mend the year.")
            return None
        return found


def _moment(text: str) -> datetime:
    if _DAY.fullmatch(text):
        return datetime.combine(date.fromisoformat(text), time(), LONDON).astimezone(UTC)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time needs its offset")
    return found.astimezone(UTC)


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))
