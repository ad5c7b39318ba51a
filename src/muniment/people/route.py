"""A route of the console names the permission it needs where it is declared; nobody takes one that names none.

Each part lists its own routes in its `urls.py`; `site.urls` joins them. What a route names stands on the view itself,
so that `muniment.site.gate` and `muniment.site.headers` find it on the request, however the address was resolved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path

from muniment.people.limits import MOST_BYTES
from muniment.people.permission import Permission


class Content(StrEnum):
    """What a page may load and run: its content security policy, beside what holds for all (`site.headers`)."""

    PLAIN = "style-src 'self'; img-src 'self'"
    SCRIPTS = "style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'"
    FRAMES = "style-src 'self'; img-src 'self'; frame-src 'self'"
    # Mail as its sender made it: an origin of its own, no script, no form, nothing fetched.
    RECORDED = "sandbox; style-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True)
class Terms:
    """What a route asks of a request, and what its page may do."""

    permission: Permission
    content: Content = Content.PLAIN
    is_sensitive: bool = False
    most_bytes: int = MOST_BYTES


def route(
    place: str,
    view: Callable[..., HttpResponseBase],
    permission: Permission,
    name: str,
    *,
    content: Content = Content.PLAIN,
    sensitive: bool = False,
    most_bytes: int = MOST_BYTES,
) -> URLPattern:
    """Return a route that names who may take it.

    A `sensitive` route (decide, revoke, unlock, pack) is taken only by somebody who proved who they are a short time
    ago; it asks again otherwise. Mark the page that holds the form, too, so that nobody fills it in vain. `most_bytes`
    is the largest request it takes.
    """
    terms = Terms(permission, content, sensitive, most_bytes)

    @wraps(view)
    def taken(*args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(*args, **kwargs)

    taken.terms = terms  # type: ignore[attr-defined]
    pattern = path(place, taken, name=name)
    pattern.permission = permission  # type: ignore[attr-defined]
    return pattern


def terms_of(view: object) -> Terms | None:
    """Return what the route of a view asks, None when it was not declared by `route`."""
    found = getattr(view, "terms", None)
    return found if isinstance(found, Terms) else None
