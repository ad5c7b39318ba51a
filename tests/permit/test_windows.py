"""Whose mail is frozen when it is asked for: addresses by the time somebody held them, and those that are nobody's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from muniment.people.models import Address, Person
from muniment.people.register import addresses_of
from muniment.people.span import Span
from muniment.permit.windows import windows_of
from muniment.policy.errors import BadInput

pytestmark = pytest.mark.usefixtures("database")


def day(number: int, month: int = 11) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def person(name: str) -> Person:
    return Person.objects.create(external_id=name, name=name.capitalize(), started=day(1, 1))


def holds(who: Person, address: str, start: datetime, end: datetime | None = None) -> None:
    Address.objects.create(person=who, folded=address, started=start, ended=end)


NOVEMBER = Span(day(1), day(30))


def test_every_address_a_person_held_in_the_time_is_a_window() -> None:
    """R-5.2-f"""
    tomas = person("tomas")
    holds(tomas, "old@training.example", day(1, 3), day(1, 10))
    holds(tomas, "was@training.example", day(1, 10), day(10))
    holds(tomas, "tomas@training.example", day(1, 3))
    holds(tomas, "later@training.example", day(30))
    windows, looked_at = windows_of((tomas,), (), NOVEMBER)
    assert [(each.address, each.end_ms) for each in windows] == [
        ("tomas@training.example", None),
        ("was@training.example", milliseconds(day(10))),
    ]
    assert {each.person for each in windows} == {str(tomas.pk)} and looked_at == (tomas,)


def test_an_address_that_changed_hands_names_each_holder_and_the_time_nobody_had_it() -> None:
    tomas, stella = person("tomas"), person("stella")
    holds(tomas, "desk@training.example", day(1, 3), day(5))
    holds(stella, "desk@training.example", day(10), day(20))
    windows, looked_at = windows_of((), ("Desk@Training.example",), NOVEMBER)
    assert [(each.start_ms, each.end_ms, each.person) for each in windows] == [
        (milliseconds(day(1, 3)), milliseconds(day(5)), str(tomas.pk)),
        (milliseconds(day(5)), milliseconds(day(10)), ""),
        (milliseconds(day(10)), milliseconds(day(20)), str(stella.pk)),
        (milliseconds(day(20)), milliseconds(day(30)), ""),
    ]
    assert looked_at == (stella, tomas)  # both would be told


def test_an_address_that_is_nobodys_has_no_person() -> None:
    windows, looked_at = windows_of((), ("someone@outside.example",), NOVEMBER)
    assert [(each.address, each.person) for each in windows] == [("someone@outside.example", "")]
    assert looked_at == ()


def test_the_address_of_a_person_named_besides_is_one_window() -> None:
    tomas = person("tomas")
    holds(tomas, "tomas@training.example", day(1, 3))
    windows, _ = windows_of((tomas,), ("tomas@training.example",), NOVEMBER)
    assert len(windows) == 1


def test_what_is_no_address_is_bad_input() -> None:
    with pytest.raises(BadInput):
        windows_of((), ("nobody",), NOVEMBER)


def test_who_asks_is_known_by_the_addresses_held_now() -> None:
    tomas = person("tomas")
    holds(tomas, "was@training.example", day(1, 3), day(10))
    holds(tomas, "tomas@training.example", day(1, 3))
    assert addresses_of(tomas, day(11)) == ("tomas@training.example",)
    assert addresses_of(tomas, day(9)) == ("tomas@training.example", "was@training.example")
