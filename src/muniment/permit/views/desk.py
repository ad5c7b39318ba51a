"""The desk every page of permits stands at: whose it is, what the record says, what this person may see of it.

Who asked, who reads, the officers, the data protection officer and the auditor see a permit; who is looked at under
it does not, in whatever role: they are told when its notice is due. Whether there is one is told to nobody else.
Source: R-5.2-f, R-5.2-g, R-5.3-c.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest

from muniment.people.models import Person
from muniment.people.permission import ALLOWED, OFFICERS, Permission
from muniment.people.role import Role
from muniment.permit.deciders import officer_of
from muniment.permit.office import Office, open_office
from muniment.permit.replay import Standing
from muniment.permit.state import OPEN
from muniment.permit.windows import moment_of
from muniment.policy.errors import Missing, Refused, Unavailable
from muniment.policy.officer import Officer
from muniment.record.home import Home

WATCHERS = OFFICERS | {Role.DATA_PROTECTION_OFFICER, Role.AUDITOR}


@dataclass(frozen=True)
class Desk:
    """One person before the permits of one home, now."""

    office: Office
    person: Person
    roles: frozenset[Role]

    @property
    def id(self) -> str:
        """Return the pseudonym by which the record knows the person."""
        return str(self.person.pk)

    @property
    def now_ms(self) -> int:
        """Return the time."""
        return self.office.now_ms()

    @property
    def asks_as(self) -> str:
        """Return the role in which the person asks: the one that bears most of those that may."""
        able = ALLOWED[Permission.ASK_PERMIT]
        held = [role for role in Role if role in self.roles]
        may = [role for role in held if isinstance(able, frozenset) and role in able]
        return str(next(iter([*may, *held]), ""))

    @cached_property
    def officer(self) -> Officer | None:
        """Return the officer of the policy file that the person is, None when they are none."""
        return officer_of(self.office.policy, self.id, moment_of(self.now_ms))

    def require_officer(self) -> Officer:
        """Return the officer the person is. Raises: Refused."""
        officer = self.officer
        if officer is None:
            raise Refused(
                f"{self.person.name} is no officer of the policy file; the officers there decide",
                clause="R-5.2-f",
            )
        return officer

    def permit(self, number: str) -> Standing:
        """Return a permit that the person may see. Raises: Missing, the same when there is none."""
        standing = self.office.history().permits.get(number)
        if standing is None or not self.may_see(standing):
            raise Missing(f"there is no permit {number[:20]} that you may see; your permits are in the list")
        return standing

    def may_see(self, standing: Standing) -> bool:
        """Tell whether the person may see a permit."""
        request = standing.request
        if self.id == request.requester.id or self.id in request.readers:
            return True
        return bool(self.roles & WATCHERS) and self.id not in request.looked_at

    def counts_exactly(self, standing: Standing) -> bool:
        """Tell whether the person sees exact counts: not who asked, while an officer has yet to decide."""
        is_watcher = bool(self.roles & WATCHERS) and self.id != standing.request.requester.id
        return is_watcher or standing.approval is not None

    def may_decide(self, standing: Standing) -> bool:
        """Tell whether the person is an officer with nothing in the way of deciding this request now."""
        officer = self.officer
        if officer is None or standing.state not in OPEN:
            return False
        return any(each.may_decide for each in self.office.stands(standing) if each.officer.id == officer.id)


def served_home() -> Home:
    """Return the home this console serves. Raises: Unavailable when it serves none."""
    found: Home | None = settings.MUNIMENT_HOME
    if found is None:
        raise Unavailable("the console serves no home; start it with `muniment up`, or set MUNIMENT_HOME")
    return found


@contextmanager
def at_desk(request: HttpRequest) -> Iterator[Desk]:
    """Open the desk of whoever is signed in. Raises: Unavailable when the recorder does not answer."""
    person: Person | None = getattr(request, "person", None)
    if person is None:
        raise Missing("nobody is signed in; sign in to see permits")
    with open_office(served_home()) as office:
        yield Desk(office, person, getattr(request, "roles", frozenset()))
