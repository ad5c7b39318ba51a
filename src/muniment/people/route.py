"""A route of the console names the permission it needs where it is declared; nobody takes one that names none.

Each part lists its own routes in its `urls.py`; `site.urls` joins them.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponseBase
from django.urls import URLPattern, path

from muniment.people.permission import Permission


def route(place: str, view: Callable[..., HttpResponseBase], permission: Permission, name: str) -> URLPattern:
    """Return a route that names who may take it."""
    pattern = path(place, view, name=name)
    pattern.permission = permission  # type: ignore[attr-defined]
    return pattern
