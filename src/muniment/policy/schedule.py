"""The retention schedule: how long each class is kept, for which reason, under which clause.

Source: R-5.1-a; requirements 2.4 (first disposal day).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated

import msgspec

from .particulars import line_mistakes
from .shape import About, Mistake

CLASSES = ("journal", "mail", "refused")
_CLAUSE = "R-5.1-a"
_LONGEST_YEARS, _LONGEST_DAYS = 100, 36_525
_A_DAY = date(2001, 1, 1)  # two terms are compared by where they end when both begin here


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long one class is kept: years or days, never both; `years = 0` means as long as the record lives."""

    reason: Annotated[str, About("why this long and no longer", _CLAUSE, '"Limitation Act 1980"')]
    years: Annotated[int | None, About("whole years", _CLAUSE, "5")] = None
    days: Annotated[int | None, About("whole days, instead of years", _CLAUSE, "90")] = None
    clause: Annotated[str, About("the clause the term serves", _CLAUSE, '"R-5.1-a"')] = _CLAUSE

    @property
    def is_lasting(self) -> bool:
        """Tell whether the class is kept as long as the record lives."""
        return self.years == 0

    def expiry_day(self, captured: date) -> date | None:
        """Return the first day on which disposal is lawful; None when the class is kept while the record lives.

        The same day of the year, `years` later; 29 February becomes 1 March where the year has none.
        """
        if self.is_lasting:
            return None
        if self.days is not None:
            return captured + timedelta(days=self.days)
        year = captured.year + (self.years or 0)
        try:
            return captured.replace(year=year)
        except ValueError:
            return date(year, 3, 1)

    @property
    def words(self) -> str:
        """Return the term as people say it."""
        if self.is_lasting:
            return "as long as the record lives"
        number, unit = (self.days, "day") if self.days is not None else (self.years, "year")
        return f"{number} {unit}{'' if number == 1 else 's'}"


def schedule_mistakes(retention: Mapping[str, Term]) -> Iterator[Mistake]:
    """Yield what makes the schedule impossible."""
    for name in CLASSES:
        if name not in retention:
            yield Mistake(
                f"retention.{name}", _CLAUSE, "is missing, so nothing of it could ever expire", _write(name)
            )
    for name, term in retention.items():
        yield from _term_mistakes(name, term)
    if not any(True for name, term in retention.items() for _ in _term_mistakes(name, term)):
        yield from _order_mistakes(retention)


def _write(name: str) -> str:
    """Return the mend that shows a row of the schedule."""
    example = {"journal": "years = 0", "mail": "years = 5", "refused": "days = 90"}[name]
    return f'Write [retention.{name}] with {example} and reason = "…".'


def _term_mistakes(name: str, term: Term) -> Iterator[Mistake]:
    """Yield what is wrong with one row."""
    key = f"retention.{name}"
    if name not in CLASSES:
        shown = name if name.isprintable() and len(name) <= 40 else repr(name[:40])
        yield Mistake(
            f"retention.{shown}", _CLAUSE, "is no class of the record", f"Known: {', '.join(CLASSES)}."
        )
        return
    yield from line_mistakes(f"{key}.reason", term.reason, _CLAUSE)
    if (term.years is None) == (term.days is None):
        found = "neither years nor days" if term.years is None else "both years and days"
        yield Mistake(key, _CLAUSE, f"has {found}, expected one of them", _write(name))
    elif (term.years or 0) < 0 or (term.days or 0) < 0:
        yield Mistake(key, _CLAUSE, "ends before it begins", "Write a number that is not negative.")
    elif (term.years or 0) > _LONGEST_YEARS or (term.days or 0) > _LONGEST_DAYS:
        yield Mistake(
            key, _CLAUSE, f"is longer than {_LONGEST_YEARS} years", "Write a term somebody can outlive."
        )
    elif term.days == 0 or (term.years == 0 and name != "journal"):
        yield Mistake(key, _CLAUSE, "keeps nothing: the term is nought", _write(name))


def _order_mistakes(retention: Mapping[str, Term]) -> Iterator[Mistake]:
    """Yield a mistake when one class ends before another that needs it."""
    ends = {name: term.expiry_day(_A_DAY) for name, term in retention.items()}
    mail, refused, journal = ends.get("mail"), ends.get("refused"), ends.get("journal")
    if mail and refused and refused > mail:
        yield Mistake(
            "retention.refused",
            _CLAUSE,
            "keeps refused mail longer than delivered mail",
            "Shorten it, or lengthen retention.mail.",
        )
    if journal and mail and journal < mail:
        yield Mistake(
            "retention.journal",
            _CLAUSE,
            "ends before the mail whose proof it holds",
            "Write years = 0, or a term at least as long as retention.mail.",
        )
