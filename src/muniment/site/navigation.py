"""The navigation of one person: the pages their roles open, in the order of their work, at most five on a phone.

What does not fit a phone's bar stands in the foot of the page there, so that nothing is out of reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from muniment.people.permission import Permission, allows
from muniment.people.role import Role

MOST_ON_A_PHONE = 5
# Which role a person is named by when they have several: the one that bears most.
_RANK = (
    Role.MANAGING_DIRECTOR,
    Role.OFFICE_MANAGER,
    Role.ALTERNATE,
    Role.DATA_PROTECTION_OFFICER,
    Role.IT_SUPPORT,
    Role.SAFEGUARDING_LEAD,
    Role.HR,
    Role.AUDITOR,
    Role.GOVERNOR,
    Role.UNION_REPRESENTATIVE,
    Role.LINE_MANAGER,
    Role.STAFF,
    Role.STUDENT,
    Role.CONTRACTOR,
    Role.GUEST,
)


@dataclass(frozen=True)
class Page:
    """A page the navigation knows: label, mark, the name of its route, who may open it."""

    label: str
    mark: str
    route: str
    permission: Permission


@dataclass(frozen=True)
class Item:
    """One line of the navigation; `current` is what aria-current says of it, empty for none."""

    label: str
    mark: str
    address: str
    current: str


@dataclass(frozen=True)
class Navigation:
    """What stands in the bar, and what stands beside it on a wide screen."""

    label: str
    main: tuple[Item, ...]
    later: tuple[Item, ...]


_TODAY = Page("Today", "today", "today", Permission.SEE_TODAY)
_HEALTH = Page("Health", "health", "health", Permission.SEE_HEALTH)
_OWN = Page("My record", "me", "my-record", Permission.SEE_OWN_RECORD)
_PAGES = (
    _TODAY,
    Page("Permits", "permit", "permits", Permission.SEE_PERMIT),
    Page("Rooms", "room", "rooms", Permission.ENTER_ROOM),
    Page("Looks", "eye", "audit", Permission.SEE_AUDIT),
)
_REFERENCE = (
    Page("What is kept", "rules", "streams", Permission.SEE_STREAMS),
    Page("The record", "clock", "record", Permission.SEE_RECORD_STATE),
)
_CLOSED_SITES = Page("Closed sites", "login", "permit-exemptions", Permission.ASK_EXEMPTION)
_OUTSIDE = Page("Outside world", "web", "outside", Permission.SEE_OUTSIDE)


def navigation_of(roles: frozenset[Role], path: str, *, is_example: bool) -> Navigation:
    """Return the navigation of somebody signed in, who looks at `path`."""
    has_today = allows(Permission.SEE_TODAY, roles)
    work = (*_PAGES, _HEALTH) if has_today else (_HEALTH, *_PAGES)
    pages = [page for page in work if allows(page.permission, roles)]
    main, rest = pages[: MOST_ON_A_PHONE - 1], pages[MOST_ON_A_PHONE - 1 :]
    asks_here = allows(Permission.ASK_EXEMPTION, roles) and not allows(Permission.SEE_PERMIT, roles)
    reference = [*_REFERENCE, *((_CLOSED_SITES,) if asks_here else ()), *((_OUTSIDE,) if is_example else ())]
    bar, later = [*main, _OWN], [*rest, *reference]
    if not main:
        bar, later = [_OWN, *reference], []
    return Navigation(role_in_words(roles), tuple(_items(bar, path)), tuple(_items(later, path)))


def role_in_words(roles: Iterable[Role]) -> str:
    """Return the role a person is named by."""
    held = set(roles)
    return next((role.label for role in _RANK if role in held), "Signed in")


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of a name."""
    words = [word for word in name.split() if word[0].isalpha()]
    ends = words[:1] + (words[-1:] if len(words) > 1 else [])
    return "".join(word[0] for word in ends).upper()


def address_of(route: str) -> str:
    """Return where a page is, empty when the console has none of that name."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""


def _items(pages: Iterable[Page], path: str) -> Iterator[Item]:
    for page in pages:
        address = address_of(page.route)
        if address:
            is_below = path.startswith(f"{address}/")
            yield Item(
                page.label, page.mark, address, "page" if path == address else "true" if is_below else ""
            )
