"""What the console is made of: routes with permissions, and pages of errors. In this process, without a home."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from muniment.people.permission import Permission
from muniment.people.role import Role
from muniment.people.route import route
from muniment.policy.errors import BadInput, Conflict, Missing, MunimentError, Refused, Tampered, Unavailable
from muniment.site import styles, urls
from muniment.site.headers import CONTENT_SECURITY_POLICY
from muniment.site.shell import STYLES
from tests.people.database import set_up

from .signed_in import client_as

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
    failing = route("fail/<str:name>", fail, Permission.SIGN_IN, "fail")
    vars(broken).update(vars(urls) | {"urlpatterns": [*urls.urlpatterns, failing]})
    with override_settings(ROOT_URLCONF=broken):
        yield Client(raise_request_exception=False, headers={"host": "localhost"})


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_becomes_a_page_with_its_own_status(client: Client, name: str) -> None:
    error = ERRORS[name]
    answer = client.get(f"/fail/{name}")
    assert answer.status_code == (error.http_status if isinstance(error, MunimentError) else 500)
    text = answer.content.decode()
    assert (str(error)[1:] in text) is isinstance(error, MunimentError)
    assert ("R-5.2-f" in text) is (name == "refused")
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("place", ["/record", "/outside", "/outside/1"])
def test_without_a_home_nothing_is_shown(place: str) -> None:
    answer = client_as(Role.STAFF).get(place)
    assert answer.status_code == 503
    assert "serves no home" in answer.content.decode()


def test_a_page_that_names_no_permission_is_closed_to_everybody() -> None:
    broken = ModuleType("unnamed")
    vars(broken).update(vars(urls) | {"urlpatterns": [path("open", fail, {"name": "bad-input"})]})
    with override_settings(ROOT_URLCONF=broken):
        answer = Client(raise_request_exception=False, headers={"host": "localhost"}).get("/open")
    assert answer.status_code == 403
    assert "names no permission" in answer.content.decode()


def test_every_style_sheet_there_is_is_linked_and_the_other_way_round() -> None:
    assert sorted(STYLES) == sorted(name for name in styles.files() if name.endswith(".css"))


def test_django_finds_nothing_to_warn_of_in_the_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
