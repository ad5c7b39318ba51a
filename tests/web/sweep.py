"""Every route of the console, with an address that fits its pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse

from muniment.people.route import Terms, terms_of
from muniment.site import urls

_FILLINGS = {"int": "1", "str": "2026-001", "path": "tokens.css", "uuid": str(UUID(int=1)), "slug": "a"}
_PART = re.compile(r"<(?:(\w+):)?\w+>")
LACKING = "Your roles do not open this page"


@dataclass(frozen=True)
class Place:
    """One route: its pattern, an address, its terms."""

    pattern: str
    path: str
    terms: Terms


def places() -> list[Place]:
    """Return every route."""
    found = []
    for route in urls.urlpatterns:
        terms = terms_of(route.callback)
        assert terms is not None, f"{route.pattern} names no permission"
        pattern = str(route.pattern)
        path = "/" + _PART.sub(lambda part: _FILLINGS[part.group(1) or "str"], pattern)
        found.append(Place(pattern, path, terms))
    return found


def is_denied(answer: HttpResponse) -> bool:
    """Tell whether the gate said that the roles do not suffice."""
    return answer.status_code == 403 and LACKING in answer.content.decode()
