"""Choosing people from the register: those ticked so far, and those whose name or address is like what was typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from muniment.people.models import Person
from muniment.people.moment import in_words
from muniment.people.register import at

_FEW = 20  # so many people are all shown, without a search
_MOST = 20


@dataclass(frozen=True)
class Choice:
    """One person to tick: name, address, and when they left if they did."""

    id: str
    name: str
    told: str
    is_chosen: bool


def chosen(values: Iterable[Any]) -> list[Person]:
    """Return the people ticked so far; what is no pseudonym of anybody is left out."""
    ids = []
    for value in values:
        try:
            ids.append(value.pk if isinstance(value, Person) else UUID(str(value)))
        except ValueError:
            continue
    return list(Person.objects.filter(pk__in=ids).order_by("name"))


def choices(find: str, now: datetime, picked: list[Person]) -> list[Choice]:
    """Return the people to tick: those ticked, then those found, or everybody where there are few."""
    others = Person.objects.exclude(pk__in=[person.pk for person in picked]).order_by("name", "pk")
    if find.split():
        others = others.filter(_called(find)).distinct()[:_MOST]
    else:
        few = others.filter(at(now))
        others = few if few.count() <= _FEW else few.none()
    return [_choice(person, now, True) for person in picked] + [_choice(each, now, False) for each in others]


def _called(text: str) -> Q:
    """Return the condition of people whose name or address holds every word."""
    found = Q()
    for word in text.split()[:6]:
        found &= Q(name__icontains=word) | Q(addresses__folded__icontains=word)
    return found


def _choice(person: Person, now: datetime, is_chosen: bool) -> Choice:
    address = person.addresses.order_by("-started").values_list("folded", flat=True).first() or "no address"
    is_here = person.ended is None or person.ended > now
    left = "" if is_here else f", left on {in_words(person.ended)}" if person.ended else ""
    return Choice(str(person.pk), person.name, f"{address}{left}", is_chosen)
