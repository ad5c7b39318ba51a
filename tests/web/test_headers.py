"""What every answer carries: nothing runs, nothing is kept, nobody frames it; and the few pages that may do more."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from muniment.people.role import Role
from muniment.people.route import Content
from muniment.site.headers import CONTENT_SECURITY_POLICY, policy_of
from tests.site.signed_in import client_as

from .sweep import Place, places

pytestmark = pytest.mark.usefixtures("database")

# Pages that run scripts of ours: where a passkey is used, and where an officer approves. Nothing else.
SCRIPTED = {
    "sign-in",
    "sign-in/code",
    "my-account/again/passkey",
    "my-account/passkeys/new",
    "permits/<str:number>/approve",
}
FRAMED = {"rooms/<str:name>/messages/<int:index>/read/<str:ticket>"}
RECORDED = {"rooms/<str:name>/messages/<int:index>/frame/<str:ticket>"}
_ACTIVE = re.compile(
    r"<style\b|\s(style|on[a-z]+)\s*=|javascript:|<script(?![^>]*\ssrc=\"/static/)", re.IGNORECASE
)


def hold(place: Place, answer: HttpResponse) -> None:
    """Hold what every answer promises."""
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    allowed = {CONTENT_SECURITY_POLICY, policy_of(place.terms.content)}
    assert policy in allowed, f"{place.path}: {policy}"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Permissions-Policy"].startswith("camera=()")
    framed = "SAMEORIGIN" if policy == policy_of(Content.RECORDED) else "DENY"
    assert headers["X-Frame-Options"] == framed
    if not place.path.startswith("/static/"):
        assert "no-store" in headers["Cache-Control"], place.path
    if (
        headers.get("Content-Type", "").startswith("text/html")
        and place.terms.content is not Content.RECORDED
    ):
        assert not _ACTIVE.search(answer.content.decode()), place.path


def test_every_answer_to_whoever_is_signed_in() -> None:
    client = client_as(*Role)
    for place in places():
        for method in ("get", "head", "post", "options"):
            if place.pattern != "sign-out":
                hold(place, getattr(client, method)(place.path))


def test_every_answer_to_a_stranger() -> None:
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    for place in places():
        for method in ("get", "head", "post", "options"):
            hold(place, getattr(client, method)(place.path))


def test_only_named_pages_run_scripts_or_show_frames() -> None:
    found: dict[Content, set[str]] = {content: set() for content in Content}
    for place in places():
        found[place.terms.content].add(place.pattern)
    assert found[Content.SCRIPTS] == SCRIPTED
    assert found[Content.FRAMES] == FRAMED
    assert found[Content.RECORDED] == RECORDED


def test_no_policy_allows_what_stands_in_a_page_or_comes_from_elsewhere() -> None:
    for content in Content:
        policy = policy_of(content)
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe-eval" not in policy and "http" not in policy and "*" not in policy
        assert "'unsafe-inline'" not in policy or content is Content.RECORDED
        assert "script-src 'self'" in policy or "script-src" not in policy
    recorded = policy_of(Content.RECORDED)
    assert recorded.count("sandbox;") == 1 and "allow-" not in recorded and "form-action 'none'" in recorded


def test_a_page_that_asks_a_stranger_sets_no_cookie_but_the_token_of_its_form() -> None:
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    for place in places():
        client.cookies.clear()
        cookies = set(client.get(place.path).cookies)
        assert cookies <= {"csrftoken", "sessionid"}, place.path
        if place.path.startswith("/static/"):
            assert not cookies


def test_a_word_in_an_address_is_never_shown_as_markup() -> None:
    client = client_as(*Role)
    for address in (
        "/<script>alert(1)</script>",
        '/sign-in?next="><script>alert(1)</script>',
        "/permits/<b>x</b>",
    ):
        text = client.get(address).content.decode()
        assert "<script>alert" not in text and "<b>x" not in text
