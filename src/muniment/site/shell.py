"""What the shell around every page shows: the organisation, who is signed in, their navigation, if it is an example.

Until the recorder says that a proof has left this machine, every page says "not yet witnessed".
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from muniment.people.role import Role
from muniment.policy.errors import MunimentError
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.opening import clock_ms
from muniment.record.witnessed.words import witnessed_words
from muniment.site.navigation import initials, navigation_of

# In the order in which they build on each other.
STYLES = (
    "tokens.css",
    "elements.css",
    "forms.css",
    "layout.css",
    "table.css",
    "paper.css",
    "permit.css",
    "room.css",
    "timeline.css",
    "chart.css",
    "print.css",
)
_ANSWER_SECONDS = 2.0


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the shell's part of a template's context."""
    policy = settings.MUNIMENT_POLICY
    is_example = bool(policy and policy.example)
    person = getattr(request, "person", None)
    signed_in: dict[str, Any] = {}
    if person is not None:
        roles: frozenset[Role] = getattr(request, "roles", frozenset())
        signed_in = {
            "person": person,
            "initials": initials(person.name),
            "navigation": navigation_of(roles, request.path, is_example=is_example),
        }
    return signed_in | {
        "organisation": policy.organisation.short_name if policy else "",
        "example": is_example,
        "path": request.path,
        "styles": STYLES,
        "is_witnessed": witnessed,
    }


def witnessed() -> str:
    """Return who has witnessed the record and when, empty when nobody; a template asks only when its view did not."""
    home: Home | None = settings.MUNIMENT_HOME
    if home is None:
        return ""
    try:
        with Recorder(home.socket, timeout_seconds=_ANSWER_SECONDS) as recorder:
            return witnessed_words(recorder.status(), clock_ms())
    except MunimentError:
        return ""
