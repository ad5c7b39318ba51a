"""What has to start, end or be withdrawn so that the register says of a person what the file says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from muniment.people.fact import About, Fact, Known
from muniment.people.mistake import Mistake
from muniment.people.moment import in_words
from muniment.people.people_csv import Row
from muniment.people.role import Role
from muniment.people.span import Span
from muniment.people.stay import Standing, Stay


@dataclass
class Difference:
    """Facts to write, facts that get another end (old, new), facts that never came to hold, and the words for them."""

    starts: list[Fact] = field(default_factory=list)
    ends: list[tuple[Fact, Fact]] = field(default_factory=list)
    withdrawn: list[Fact] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def add(self, other: Difference) -> None:
        """Take over what another difference writes."""
        self.starts += other.starts
        self.ends += other.ends
        self.withdrawn += other.withdrawn

    def end(self, fact: Fact, end: datetime | None) -> None:
        """Give a recorded fact another end; one that would end before it starts is withdrawn."""
        if fact.span.end == end:
            return
        if end is not None and end <= fact.span.start:
            self.withdrawn.append(fact)
            self.words.append(f"not {_says(fact)} from {in_words(fact.span.start)} after all")
            return
        self.ends.append((fact, replace(fact, span=Span(fact.span.start, end))))
        self.words.append(f"{_says(fact)} until {in_words(end)}" if end else f"{_says(fact)} with no end")

    def touched(self) -> list[Fact]:
        """Return every fact that is new or has a new end, as it will be."""
        return [*self.starts, *(new for _, new in self.ends)]

    def after(self, facts: Iterable[Fact]) -> list[Fact]:
        """Return `facts` as they will be."""
        gone = {id(fact) for fact in self.withdrawn} | {id(old) for old, _ in self.ends}
        return [*(fact for fact in facts if id(fact) not in gone), *self.touched()]


def difference_of(
    row: Row | None, known: Known | None, stay: Stay, spans: Mapping[str, Span], moment: datetime
) -> Difference:
    """Return what one person's row changes; `row` None is a person whom a complete file does not name.

    `spans` holds the stay of everybody as it will be, so that nobody answers to somebody who is not there.
    """
    made = Difference()
    if stay.standing is Standing.GONE:
        return made
    held = [fact for fact in known.facts if not fact.span.is_over_at(moment)] if known else []
    if row is None or (stay.standing is Standing.HERE and stay.span.is_over_at(moment)):
        for fact in held:
            made.end(fact, stay.span.end)
        return made
    wanted = dict(_wanted(row, stay, spans, made))
    for fact in held:
        span = wanted.pop((fact.about, fact.value), None)
        made.end(fact, span.end if span else moment)
    for (about, value), span in wanted.items():
        fact = Fact(about, row.external_id, value, span)
        made.starts.append(fact)
        if stay.standing is Standing.HERE:
            made.words.append(f"{_says(fact)} from {in_words(span.start)}")
        else:
            made.words.append(_says(fact))
    return made


def ends_with_manager(known: Known, ends: Mapping[str, datetime | None]) -> Difference:
    """Return the end of a person's line management by somebody who leaves."""
    made = Difference()
    for fact in known.facts:
        end = ends.get(fact.value) if fact.about is About.MANAGER else None
        if end is not None and not fact.span.is_over_at(end):
            made.end(fact, end)
    return made


def _wanted(
    row: Row, stay: Stay, spans: Mapping[str, Span], made: Difference
) -> Iterator[tuple[tuple[About, str], Span]]:
    """Yield what the row states, each with its stretch, were it to begin now."""
    span = Span(stay.begin, stay.span.end)
    for role in row.roles:
        yield (About.ROLE, role), span
    for address in row.addresses:
        yield (About.ADDRESS, address), span
    if row.line_manager:
        manager = spans.get(row.line_manager)
        shared = manager.shared_with(span) if manager else None
        if shared is not None:
            yield (About.MANAGER, row.line_manager), shared
        else:
            wrong = "who is not here in that time" if manager else "who is neither in the file nor known"
            mend = "Write the external_id of somebody who is here, or leave it empty."
            made.mistakes.append(Mistake(row.number, "line_manager", row.line_manager, wrong, mend))


def _says(fact: Fact) -> str:
    """Return a fact as the middle of a sentence."""
    if fact.about is About.ROLE:
        return f"role {Role(fact.value).label}"
    return f"{'answers to' if fact.about is About.MANAGER else 'address'} {fact.value}"
