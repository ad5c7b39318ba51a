"""Every response says what its page may load and run: our own styles and pictures, and on named routes a little more.

No page has inline scripts, inline styles or style attributes. Scripts of ours run on two kinds of page only: where an
officer approves, and where a passkey is used. Recorded mail is shown in a frame that is an origin of its own.
Django's security middleware sets the other headers.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from muniment.people.route import Content, terms_of

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def policy_of(content: Content) -> str:
    """Return the content security policy of a page."""
    framed_by = "'self'" if content is Content.RECORDED else "'none'"
    forms = "'none'" if content is Content.RECORDED else "'self'"
    parts = (
        "default-src 'none'",
        content,
        f"form-action {forms}",
        "base-uri 'none'",
        f"frame-ancestors {framed_by}",
    )
    return "; ".join(parts)


CONTENT_SECURITY_POLICY = policy_of(Content.PLAIN)


class HeadersMiddleware:
    """Sets the policy of the route on every response, and keeps pages out of caches unless a view said otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        response = self._get_response(request)
        match = request.resolver_match
        is_own = match is not None and not getattr(response, "is_failure", False)
        terms = terms_of(match.func) if is_own and match is not None else None
        content = terms.content if terms else Content.PLAIN
        response.headers.setdefault("Content-Security-Policy", policy_of(content))
        if content is Content.RECORDED:
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        return response
