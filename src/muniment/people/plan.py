"""What an import would write, worked out without writing: the dry run and the real run are this one value. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from muniment.people.clash import circle_mistakes, holder_mistakes
from muniment.people.difference import Difference, difference_of, ends_with_manager
from muniment.people.fact import About, Known
from muniment.people.mistake import Mistake
from muniment.people.moment import in_words
from muniment.people.people_csv import Row
from muniment.people.span import Span
from muniment.people.stay import Standing, Stay, stay_of


@dataclass(frozen=True)
class Change:
    """What happens to one person, in words."""

    external_id: str
    name: str
    what: tuple[str, ...]


@dataclass
class Plan:
    """The whole import. Nothing of it may be written while `mistakes` holds anything."""

    moment: datetime
    persons: dict[str, tuple[str, Span]] = field(default_factory=dict)
    difference: Difference = field(default_factory=Difference)
    added: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    ended: list[Change] = field(default_factory=list)
    unchanged: int = 0
    mistakes: list[Mistake] = field(default_factory=list)


def make_plan(rows: list[Row], known: Mapping[str, Known], moment: datetime, *, complete: bool) -> Plan:
    """Return what importing `rows` at `moment` does; with `complete`, who is here and not in the file is ended."""
    plan = Plan(moment)
    plan.mistakes += _repeated(rows)
    stays = _stays(rows, known, plan)
    if complete:
        stays |= _absent(known, {row.external_id for row in rows}, moment)
    if plan.mistakes:
        return plan
    spans = {person: each.span for person, each in known.items()}
    spans |= {person: stay.span for person, stay in stays.items()}
    by_id = {row.external_id: row for row in rows}
    for person, stay in stays.items():
        _plan_person(plan, by_id.get(person), known.get(person), person, stay, spans)
    _plan_managed(plan, known, stays, by_id)
    _check_whole(plan, known, rows)
    return plan


def _repeated(rows: Iterable[Row]) -> list[Mistake]:
    first: dict[str, int] = {}
    found = []
    for row in rows:
        at = first.setdefault(row.external_id, row.number)
        if at != row.number:
            wrong = f"which row {at} has already"
            found.append(
                Mistake(row.number, "external_id", row.external_id, wrong, "Write one row a person.")
            )
    return found


def _stays(rows: Iterable[Row], known: Mapping[str, Known], plan: Plan) -> dict[str, Stay]:
    stays: dict[str, Stay] = {}
    for row in rows:
        stay = stay_of(row, known.get(row.external_id), plan.moment)
        if isinstance(stay, Mistake):
            plan.mistakes.append(stay)
        else:
            stays[row.external_id] = stay
    return stays


def _absent(known: Mapping[str, Known], listed: set[str], moment: datetime) -> dict[str, Stay]:
    """Return the stays that end now because the file is complete and does not name them."""
    return {
        person: Stay(Standing.HERE, Span(each.span.start, moment), moment)
        for person, each in known.items()
        if person not in listed and each.span.holds_at(moment) and each.span.start < moment
    }


def _plan_person(
    plan: Plan, row: Row | None, known: Known | None, person: str, stay: Stay, spans: Mapping[str, Span]
) -> None:
    """Add one person's differences and the words for them."""
    name = row.name if row else known.name if known else person
    difference = difference_of(row, known, stay, spans, plan.moment)
    plan.mistakes += difference.mistakes
    plan.difference.add(difference)
    what = list(difference.words)
    if known is not None and known.name != name:
        what.insert(0, f"name from {known.name} to {name}")
    is_ended = stay.span.end is not None and (known is None or known.span.end is None)
    if known is not None and stay.standing is not Standing.BACK and stay.span.end != known.span.end:
        end = stay.span.end
        what.insert(0, f"ends {in_words(end)}" if end else "no longer ends")
    if known is not None and not what and stay.span == known.span:
        plan.unchanged += 1
        return
    plan.persons[person] = (name, stay.span)
    if stay.standing in (Standing.NEW, Standing.BACK):
        plan.added.append(Change(person, name, (_since(stay), *what)))
    elif is_ended:
        plan.ended.append(Change(person, name, tuple(what)))
    else:
        plan.changed.append(Change(person, name, tuple(what)))


def _since(stay: Stay) -> str:
    again = "again " if stay.standing is Standing.BACK else ""
    until = f" until {in_words(stay.span.end)}" if stay.span.end else ""
    return f"here {again}from {in_words(stay.span.start)}{until}"


def _plan_managed(
    plan: Plan, known: Mapping[str, Known], stays: Mapping[str, Stay], rows: Mapping[str, Row]
) -> None:
    """End the line management of those who leave over people the file does not name."""
    ends = {person: stay.span.end for person, stay in stays.items() if stay.span.end is not None}
    for each in known.values():
        if each.external_id in rows or each.external_id in stays:
            continue
        difference = ends_with_manager(each, ends)
        if difference.words:
            plan.difference.add(difference)
            plan.changed.append(Change(each.external_id, each.name, tuple(difference.words)))


def _check_whole(plan: Plan, known: Mapping[str, Known], rows: list[Row]) -> None:
    """Add the mistakes that show only when everybody is looked at together."""
    facts = plan.difference.after(fact for each in known.values() for fact in each.facts)
    touched = plan.difference.touched()
    numbers = {row.external_id: row.number for row in rows}
    names = {person: each.name for person, each in known.items()} | {
        row.external_id: row.name for row in rows
    }
    plan.mistakes += holder_mistakes([f for f in facts if f.about is About.ADDRESS], touched, numbers, names)
    if not plan.mistakes:
        plan.mistakes += circle_mistakes(facts, touched, numbers)
    plan.mistakes.sort()
