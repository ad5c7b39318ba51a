"""The console's JSON API: what a program of the organisation's own may ask, with the session of somebody signed in.

A program says who it is as a browser does: by the session's cookie, and with the token of a form where it writes.
What people wrote, their own record and rooms are pages only.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from muniment.people.permission import Permission, allows
from muniment.policy.errors import Unavailable
from muniment.record.client import Recorder
from muniment.site.api_description import describe

_ANSWER_SECONDS = 10.0


@require_safe
def description(request: HttpRequest) -> JsonResponse:
    """Answer with the OpenAPI document of the API."""
    return JsonResponse(describe())


@require_safe
def record(request: HttpRequest) -> JsonResponse:
    """Answer with the state of the record: counts, times and the newest proof.

    Raises: Unavailable when no home is served or the recorder does not answer.
    """
    home = settings.MUNIMENT_HOME
    if home is None:
        raise Unavailable("the console serves no home; start it with `muniment up`, or set MUNIMENT_HOME")
    with Recorder(home.socket, timeout_seconds=_ANSWER_SECONDS) as recorder:
        status = recorder.status()
    streams = [{"name": str(each["name"]), "entries": int(each["sequence"])} for each in status["streams"]]
    size = int(status["size"])
    return JsonResponse(
        {
            "origin": str(status["origin"]),
            "size": size,
            "published": int(status.get("published", size)),
            "root": str(status["root"]),
            "witnessed": bool(status["witnessed"]),
            "gaps": int(status["gaps"]),
            "problems": [str(problem) for problem in status["problems"]],
            "streams": streams,
        }
    )


@require_safe
def me(request: HttpRequest) -> JsonResponse:
    """Answer with who is signed in, and what their roles open."""
    person, roles = request.person, request.roles  # type: ignore[attr-defined]
    return JsonResponse(
        {
            "id": str(person.pk),
            "name": person.name,
            "roles": sorted(roles),
            "permissions": sorted(permission for permission in Permission if allows(permission, roles)),
        }
    )
