"""Serves the console's own style sheets, scripts and mark: a fixed set of small files, read once, each known by name.

No path is ever built from a request. A browser asks again each time and is mostly answered "not changed".
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class StaticFile(NamedTuple):
    """One file as it is sent."""

    data: bytes
    content_type: str
    etag: str


@cache
def files() -> dict[str, StaticFile]:
    """Return every static file by its name below the folder, for instance `noble-hashes/sha2.js`."""
    found = {}
    for path in sorted(_FOLDER.rglob("*")):
        if path.suffix in _TYPES:
            data = path.read_bytes()
            name = path.relative_to(_FOLDER).as_posix()
            found[name] = StaticFile(data, _TYPES[path.suffix], f'"{sha256(data).hexdigest()[:16]}"')
    return found


@require_safe
def static_file(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with one file, or 304 when the browser has it."""
    file = files().get(name)
    if file is None:
        raise Http404(name)
    is_known = file.etag in request.headers.get("If-None-Match", "")
    response = HttpResponse(
        b"" if is_known else file.data, content_type=file.content_type, status=304 if is_known else 200
    )
    response.headers["ETag"] = file.etag
    response.headers["Cache-Control"] = "no-cache"
    return response
