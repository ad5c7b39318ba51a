"""Every page of the console with the permission it needs; a test lists the routes that name none."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponseBase
from django.urls import URLPattern, path

from muniment.account import views
from muniment.people.permission import Permission
from muniment.site import failure, styles


def route(place: str, view: Callable[..., HttpResponseBase], permission: Permission, name: str) -> URLPattern:
    """Return a route that names who may take it."""
    pattern = path(place, view, name=name)
    pattern.permission = permission  # type: ignore[attr-defined]
    return pattern


urlpatterns = [
    route("", views.record_state, Permission.SEE_RECORD_STATE, "record"),
    route("outside", views.outside_list, Permission.SEE_OUTSIDE, "outside"),
    route("outside/<int:number>", views.outside_message, Permission.SEE_OUTSIDE, "outside-message"),
    route("static/<str:name>", styles.static_file, Permission.LOAD_STYLES, "static"),
]
handler400 = failure.bad_request
handler403 = failure.forbidden
handler404 = failure.not_found
handler500 = failure.server_error
