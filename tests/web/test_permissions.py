"""Whoever asks for whatever page gets what `ALLOWED` says, and nobody gets more."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import URLPattern

from muniment.people.permission import (
    ALLOWED,
    ANYONE,
    NEEDS_SECOND_FACTOR,
    WITHOUT_SECOND_FACTOR,
    Everybody,
    Permission,
    allows,
    roles_in_words,
)
from muniment.people.role import Role
from muniment.people.route import terms_of
from muniment.site import urls
from tests.site.signed_in import client_as

from .sweep import is_denied, places

OPEN_TO_ANYBODY = {
    "sign-in",
    "sign-out",
    "sign-in/closed",
    "sign-in/code",
    "sign-in/passkey",
    "sign-in/organisation/<str:provider_id>",
    "sign-in/organisation/<str:provider_id>/back",
    "sign-in/organisation-cancelled",
    "invitation/<str:secret>",
    "static/<path:name>",
}


def test_every_route_names_its_permission_and_every_permission_has_a_route() -> None:
    assert all(isinstance(route, URLPattern) for route in urls.urlpatterns), (
        "an include hides routes from these tests"
    )
    assert [str(route.pattern) for route in urls.urlpatterns if terms_of(route.callback) is None] == []
    assert {place.terms.permission for place in places()} == set(Permission) == set(ALLOWED)
    assert all(permission.count(":") == 2 for permission in Permission)


def test_what_is_open_to_anybody_is_a_short_list() -> None:
    found = {place.pattern for place in places() if ALLOWED[place.terms.permission] is ANYONE}
    assert found == OPEN_TO_ANYBODY


def test_no_permission_is_for_nobody_and_each_can_be_said() -> None:
    for permission, allowed in ALLOWED.items():
        assert isinstance(allowed, Everybody) or allowed
        assert roles_in_words(permission)
    assert Role.GUEST not in NEEDS_SECOND_FACTOR and Role.STUDENT not in NEEDS_SECOND_FACTOR


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("role", [*Role, None])
def test_a_role_gets_exactly_the_pages_it_is_allowed(role: Role | None) -> None:
    roles = frozenset({role}) if role else frozenset()
    client = client_as(*roles)
    for place in places():
        for method in ("get", "post"):
            if place.pattern == "sign-out":
                continue
            answer = getattr(client, method)(place.path)
            expected = not allows(place.terms.permission, roles)
            assert is_denied(answer) is expected, f"{method} {place.path}: {answer.status_code}"
            assert answer.status_code != 500 or not expected


@pytest.mark.usefixtures("database")
def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page_and_nothing_is_shown() -> None:
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    for place in places():
        if place.pattern in OPEN_TO_ANYBODY:
            continue
        shown, sent = client.get(place.path), client.post(place.path)
        if place.path.startswith("/api/"):
            assert (shown.status_code, sent.status_code) == (401, 401), place.path
            assert set(shown.json()) == {"error", "clause"}
            continue
        then = "" if place.path == "/" else f"?next={quote(place.path)}"
        assert (shown.status_code, shown.headers["Location"]) == (302, f"/sign-in{then}"), place.path
        assert (sent.status_code, sent.headers["Location"]) == (302, "/sign-in"), place.path


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("role", sorted(NEEDS_SECOND_FACTOR))
def test_without_a_second_factor_these_roles_get_their_own_pages_only(role: Role) -> None:
    client = client_as(role, proved=False)
    for place in places():
        if place.terms.permission in WITHOUT_SECOND_FACTOR or not allows(
            place.terms.permission, frozenset({role})
        ):
            continue
        shown, sent = client.get(place.path), client.post(place.path)
        if place.path.startswith("/api/"):
            assert (shown.status_code, sent.status_code) == (403, 403), place.path
        else:
            assert shown.headers.get("Location", "").startswith("/my-account"), place.path
            assert sent.status_code == 403, place.path
        assert "second" in (sent.content.decode()), place.path


@pytest.mark.usefixtures("database")
def test_a_sensitive_page_asks_again_whatever_it_is() -> None:
    client = client_as(*Role)
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [record | {"at": 0.0} for record in records]
    session.save()
    found = [place for place in places() if place.terms.is_sensitive]
    assert len(found) > 5
    for place in found:
        shown, sent = client.get(place.path), client.post(place.path)
        if place.path.startswith("/api/"):
            assert shown.status_code == 403
        else:
            assert shown.headers.get("Location", "").startswith("/my-account/again"), place.path
        assert sent.status_code == 403 and "Nothing was done" in sent.content.decode(), place.path


@pytest.mark.usefixtures("database")
def test_a_role_that_ended_opens_nothing_any_more() -> None:
    from datetime import UTC, datetime

    from muniment.people.models import RoleAssignment

    client = client_as(Role.AUDITOR)
    assert not is_denied(client.get("/looks"))
    RoleAssignment.objects.update(ended=datetime.now(UTC))
    assert is_denied(client.get("/looks"))


@pytest.mark.usefixtures("database")
def test_a_refusal_says_the_clause_the_roles_and_how_to_ask() -> None:
    text = client_as(Role.STUDENT).get("/looks").content.decode()
    for part in (
        "R-5.2-f",
        "Auditor",
        "Data protection officer",
        "Union representative",
        "ask the Office Manager",
    ):
        assert part in text
