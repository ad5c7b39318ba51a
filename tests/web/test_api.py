"""The JSON API does what its document says, whatever is sent; and the document names every route of the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from muniment.site.api_description import describe
from tests.site.console import Console, up
from tests.site.signed_in import Session, session

from .sweep import places

SCHEMA = schemathesis.openapi.from_dict(describe())
# What is sent without a session is tried by the sweeps; here every request has one.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with up(tmp_path_factory.mktemp("api")) as found:
        yield found


@pytest.fixture(scope="module")
def director(console: Console) -> Session:
    return session(console, "md")


@pytest.fixture(scope="module")
def headers(director: Session) -> dict[str, str]:
    """Return what a program sends with every request, the token of a form included."""
    token = _TOKEN.search(director.ask("/my-account/sessions").text)
    assert token is not None
    cookies = "; ".join(f"{name}={value}" for name, value in director.cookies.items())
    return {"Cookie": cookies, "X-CSRFToken": token.group(1), "Origin": director.console.address}


@SCHEMA.parametrize()
@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_is_answered_as_the_document_says(
    case: Any, console: Console, headers: dict[str, str]
) -> None:
    case.call_and_validate(base_url=console.address, headers=headers, checks=CHECKS)


def test_the_document_names_every_route_of_the_api_and_no_other() -> None:
    named = set(describe()["paths"])
    there = {
        "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", place.pattern)
        for place in places()
        if place.pattern.startswith("api/")
    }
    assert named == there


def test_the_api_tells_who_one_is_and_what_the_record_holds(console: Console, director: Session) -> None:
    import json

    me = json.loads(director.ask("/api/me").text)
    assert (me["name"], "managing_director" in me["roles"]) == ("Morgan Example", True)
    assert "permit:request:decide" in me["permissions"]
    record = json.loads(director.ask("/api/record").text)
    assert record["size"] > 0 and record["witnessed"] is False
    assert {"openapi", "paths"} <= set(json.loads(director.ask("/api/openapi.json").text))
    refused = console.ask("/api/record")
    assert (refused.status, json.loads(refused.text)["error"][:19]) == (401, "Nobody is signed in")
    absent = director.ask("/api/nothing")
    assert (absent.status, absent.headers["content-type"]) == (404, "application/json")
