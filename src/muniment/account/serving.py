"""What every page here begins with: the home that is served, its policy, and who is asking."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from muniment.people.models import Person
from muniment.people.role import Role
from muniment.policy.errors import Refused, Unavailable
from muniment.policy.policyfile import PolicyFile
from muniment.record.home import Home


class Served(NamedTuple):
    """The home of this console and its policy file."""

    home: Home
    policy: PolicyFile


class Acting(NamedTuple):
    """Who is signed in; `id` is the pseudonym by which the record knows them."""

    person: Person
    roles: frozenset[Role]

    @property
    def id(self) -> str:
        """Return the person's pseudonym."""
        return str(self.person.pk)


def served() -> Served:
    """Return what this console serves.

    Raises:
        Unavailable: it serves no home.
    """
    home, policy = settings.MUNIMENT_HOME, settings.MUNIMENT_POLICY
    if home is None or policy is None:
        raise Unavailable("the console serves no home; start it with `muniment up`, or set MUNIMENT_HOME")
    return Served(home, policy)


def acting(request: HttpRequest) -> Acting:
    """Return who asks.

    Raises:
        Refused: nobody is signed in; the gate lets nobody get here so.
    """
    person = getattr(request, "person", None)
    if person is None:
        raise Refused("this page is somebody's own, and nobody is signed in", clause="R-5.2-f")
    return Acting(person, getattr(request, "roles", frozenset()))


def link(name: str, *arguments: object) -> str:
    """Return where a page is, empty when the console has none of that name."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""
