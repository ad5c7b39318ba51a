"""What the console is made of: routes with permissions, and pages of errors. In this process, without a home."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern, path

from muniment.people.permission import Permission
from muniment.policy.errors import BadInput, Conflict, Missing, MunimentError, Refused, Tampered, Unavailable
from muniment.site import styles, urls
from muniment.site.headers import CONTENT_SECURITY_POLICY
from muniment.site.settings import require_loopback
from muniment.site.shell import STYLES
from tests.people.database import set_up

set_up()

ERRORS: dict[str, Exception] = {
    "bad-input": BadInput("the file is none"),
    "refused": Refused("that is private", clause="R-5.2-f"),
    "missing": Missing("no such message"),
    "conflict": Conflict("it stands otherwise"),
    "tampered": Tampered("the bytes differ"),
    "unavailable": Unavailable("the recorder does not answer"),
    "stray": ZeroDivisionError("a secret"),
}


def fail(request: HttpRequest, name: str) -> HttpResponse:
    raise ERRORS[name]


@pytest.fixture
def client() -> Iterator[Client]:
    broken = ModuleType("broken")
    vars(broken).update(vars(urls) | {"urlpatterns": [*urls.urlpatterns, path("fail/<str:name>", fail)]})
    with override_settings(ROOT_URLCONF=broken):
        yield Client(raise_request_exception=False, headers={"host": "localhost"})


def test_every_route_names_its_permission_and_every_permission_has_a_route() -> None:
    assert all(isinstance(route, URLPattern) for route in urls.urlpatterns), (
        "an include hides routes from this test"
    )
    named = {str(route.pattern): getattr(route, "permission", None) for route in urls.urlpatterns}
    assert [place for place, permission in named.items() if not isinstance(permission, Permission)] == []
    assert set(named.values()) == set(Permission)
    assert all(permission.count(":") == 2 for permission in Permission)


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_becomes_a_page_with_its_own_status(client: Client, name: str) -> None:
    error = ERRORS[name]
    answer = client.get(f"/fail/{name}")
    assert answer.status_code == (error.http_status if isinstance(error, MunimentError) else 500)
    text = answer.content.decode()
    assert (str(error)[1:] in text) is isinstance(error, MunimentError)
    assert ("R-5.2-f" in text) is (name == "refused")
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("place", ["/", "/outside", "/outside/1"])
def test_without_a_home_nothing_is_shown(client: Client, place: str) -> None:
    answer = client.get(place)
    assert answer.status_code == 503
    assert "serves no home" in answer.content.decode()


def test_every_style_sheet_there_is_is_linked_and_the_other_way_round() -> None:
    assert sorted(STYLES) == sorted(name for name in styles.files() if name.endswith(".css"))


@pytest.mark.parametrize("listen", ["127.0.0.1:8025", "127.8.9.1:1", "[::1]:8025", "localhost:8025"])
def test_a_loopback_address_is_served(listen: str) -> None:
    require_loopback(listen)


@pytest.mark.parametrize(
    "listen",
    [
        "0.0.0.0:8025",
        "[::]:8025",
        "192.0.2.1:8025",
        "console.training.example:8025",
        "localhost.example:1",
        "",
    ],
)
def test_an_address_that_others_reach_is_refused_with_its_clause(listen: str) -> None:
    with pytest.raises(Refused, match=r"expected a loopback address such as 127\.0\.0\.1:8025.*R-5\.2-f"):
        require_loopback(listen)


def test_django_finds_nothing_to_warn_of_in_the_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
