"""A page that cannot be shown says what was found, and what to do: our own errors, and Django's four.

The HTTP status belongs to the kind of error (`policy.errors`). Nothing of the record is ever in these pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from muniment.policy.errors import MunimentError, Refused

_TITLES = {
    400: "That cannot be read",
    401: "Nobody is signed in",
    403: "That is not allowed",
    404: "There is nothing here",
    405: "That cannot be done here",
    409: "That contradicts what stands already",
    413: "That is too large",
    429: "Too many tries",
    500: "Something does not match",
    503: "A part does not answer",
}


class FailureMiddleware:
    """Turns our errors into pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page of one of our errors; others are Django's to log."""
        if not isinstance(error, MunimentError):
            return None
        clause = error.clause if isinstance(error, Refused) else ""
        return page(request, error.http_status, str(error), clause)


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a request asks the API and not a page."""
    return request.path_info.startswith("/api/")


def page(
    request: HttpRequest, status: int, found: str, clause: str = "", facts: Sequence[tuple[str, str]] = ()
) -> HttpResponse:
    """Return a page that says what was found, and further facts; under /api/, an object with `error` and `clause`."""
    if wants_json(request):
        return JsonResponse({"error": found, "clause": clause}, status=status)
    title = _TITLES.get(status, _TITLES[500])
    context = {"title": title, "found": found, "clause": clause, "status": status, "facts": facts}
    made = render(request, "site/failure.html", context, status=status)
    made.is_failure = True  # type: ignore[attr-defined]
    return made


def too_many(request: HttpRequest) -> HttpResponse:
    """Answer somebody who tried too often."""
    return page(request, 429, "There were too many tries in a short time. Wait five minutes and try again.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request Django could not take; the name asked for may be wrong, so nothing of it is shown."""
    return page(request, 400, "The console answers to its own names only, and to whole requests.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django forbids."""
    return forgery(request)


def forgery(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request that writes and does not come from a form of ours; Django's reason helps nobody but a forger."""
    return page(request, 403, "The form came from elsewhere or was open too long. Load its page again.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request for a page that does not exist."""
    return page(request, 404, "No page has this address. Start again at your first page.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when a page failed; what happened stands in the console's log."""
    return page(request, 500, "The page failed. Nothing was changed; the console's log says what happened.")
