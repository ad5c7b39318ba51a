"""A page of another site can make a browser send a form; no form of ours is taken from there."""

from __future__ import annotations

import pytest
from django.test import Client

from muniment.people.role import Role
from muniment.site import urls
from tests.site.signed_in import client_as

from .sweep import places

pytestmark = pytest.mark.usefixtures("database")
FORGED = "The form came from elsewhere"


def checked(client: Client) -> Client:
    """Return a client with the same session whose forms are checked as a browser's are."""
    found = Client(enforce_csrf_checks=True, raise_request_exception=False, headers={"host": "localhost"})
    found.cookies = client.cookies
    return found


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_written_without_the_token_of_a_page_of_ours(method: str) -> None:
    client = checked(client_as(*Role))
    for place in places():
        answer = getattr(client, method)(
            place.path, {"csrfmiddlewaretoken": "A" * 64} if method == "post" else ""
        )
        assert answer.status_code == (403 if method == "post" else 405), f"{place.path}: {answer.status_code}"
        assert FORGED in answer.content.decode() or method != "post", place.path


def test_a_right_token_from_another_origin_is_refused() -> None:
    client = checked(client_as(Role.STAFF))
    page = client.get("/my-account/sessions").content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    fields = {"csrfmiddlewaretoken": token, "session": "others"}
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "http://localhost:81"):
        assert client.post("/my-account/sessions", fields, headers={"origin": origin}).status_code == 403
    assert (
        client.post("/my-account/sessions", fields, headers={"origin": "http://localhost"}).status_code == 302
    )


def test_a_token_of_one_browser_is_none_in_another() -> None:
    mine, yours = checked(client_as(Role.STAFF)), checked(client_as(Role.STAFF))
    yours.get("/my-account/sessions")
    page = mine.get("/my-account/sessions").content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert (
        yours.post("/my-account/sessions", {"csrfmiddlewaretoken": token, "session": "others"}).status_code
        == 403
    )


def test_no_route_is_exempt() -> None:
    exempt = [
        str(route.pattern) for route in urls.urlpatterns if getattr(route.callback, "csrf_exempt", False)
    ]
    assert exempt == []
