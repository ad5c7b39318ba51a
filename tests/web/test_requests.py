"""Odd requests: methods nobody offers, bodies too large, names that are not ours, addresses that are not there."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.test import Client

from muniment.people.role import Role
from tests.site.console import Console, alone
from tests.site.signed_in import Session, client_as, session

from .sweep import places

METHODS = ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "BREW")
HOSTS = (
    "evil.example",
    "localhost.evil.example",
    "evil.example#localhost",
    "localhost@evil.example",
    "localhost, evil.example",
    "127.0.0.2",
    "169.254.169.254",
    "[::]",
    "",
    "a" * 5_000,
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with alone(tmp_path_factory.mktemp("requests")) as found:
        yield found


@pytest.fixture(scope="module")
def tomas(console: Console) -> Session:
    return session(console, "tomas")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("method", METHODS)
def test_a_method_no_page_offers_does_nothing_anywhere(method: str) -> None:
    client = client_as(*Role)
    for place in places():
        answer = client.generic(method, place.path)
        assert answer.status_code == 405, f"{method} {place.path}: {answer.status_code}"


@pytest.mark.usefixtures("database")
def test_a_body_larger_than_a_page_takes_is_refused_before_it_is_read() -> None:
    client = client_as(*Role)
    for place in places():
        size = place.terms.most_bytes + 1
        answer = client.generic("POST", place.path, b"", CONTENT_LENGTH=str(size))
        assert answer.status_code == 413, f"{place.path}: {answer.status_code}"
        assert f"{size:,} bytes" in answer.content.decode()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("length", ["x", "1e9", "-1", "0x10", "99999999999999999999999"])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    answer = client_as(Role.STAFF).generic("POST", "/my-account/sessions", b"", CONTENT_LENGTH=length)
    assert answer.status_code in (400, 413)


@pytest.mark.usefixtures("database")
def test_a_form_of_a_thousand_fields_or_nonsense_is_refused() -> None:
    client = client_as(Role.STAFF)
    many = "&".join(f"f{number}=1" for number in range(1_000))
    form = "application/x-www-form-urlencoded"
    assert client.generic("POST", "/my-account/sessions", many, content_type=form).status_code == 400
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=", "a/b", "", form):
        answer = client.generic("POST", "/my-account/sessions", b"\x00\xff" * 500, content_type=content_type)
        assert answer.status_code in (400, 404), content_type


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/sign-in", "/static/tokens.css", "/my-account", "/nothing", "/api/me"])
def test_a_name_that_is_not_ours_is_not_answered(tomas: Session, host: str, path: str) -> None:
    answer = tomas.ask(path, Host=host)
    if path == "/static/tokens.css" and answer.status == 200:
        assert b"evil" not in answer.body  # style sheets are the same for everybody
        return
    assert answer.status in (400, 431)
    assert not host or host not in answer.text


def test_a_forwarded_name_is_not_believed(console: Console) -> None:
    answer = console.ask("/my-account", X_Forwarded_Host="evil.example", Forwarded="host=evil.example")
    assert (answer.status, answer.headers["location"]) == (302, "/sign-in?next=/my-account")


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/my-account%00",
        "/static/%00",
        "/static/../../etc/passwd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static//etc/passwd",
        "/permits/%ff%fe",
        "/permits/" + "9" * 5_000,
        "/invitation/" + "A" * 5_000,
        "/rooms/%2e%2e%2fsecret",
        "/my-record/mail/2026-99-99/1",
        "/my-record/mail/2026-11-25/99999999999999999999",
        "/outside/99999999999999999999",
        "/?" + "a=1&" * 2_000,
    ],
)
def test_an_odd_address_is_answered_and_breaks_nothing(tomas: Session, path: str) -> None:
    answer = tomas.ask(path)
    assert answer.status in (302, 400, 403, 404, 414, 431, 503), path
    assert "Traceback" not in answer.text and "root:" not in answer.text


def test_garbage_on_the_wire_does_not_end_the_console(console: Console) -> None:
    for data in (
        b"\x16\x03\x01" * 50,
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00" * 10_000,
        b"POST / HTTP/1.1\r\n" * 999,
    ):
        with socket.create_connection(("127.0.0.1", console.port), timeout=10) as wire:
            wire.sendall(data)
            wire.settimeout(0.5)
            with suppress(OSError):
                wire.recv(1_000)
    assert console.ask("/sign-in").status == 200


def test_two_lengths_are_not_taken(console: Console) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=10)
    connection.putrequest("POST", "/sign-in")
    connection.putheader("Content-Length", "5")
    connection.putheader("Content-Length", "50")
    connection.endheaders(b"a=b&c")
    with suppress(http.client.HTTPException, OSError):
        assert connection.getresponse().status in (400, 403)
    connection.close()
    assert console.ask("/sign-in").status == 200


def test_headers_of_many_kilobytes_do_not_end_the_console(tomas: Session) -> None:
    answer = tomas.console.ask("/sign-in", Cookie="sessionid=" + "a" * 50_000)
    assert answer.status in (200, 400, 431)
    assert tomas.ask("/my-account").status == 200


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("key", ["", "a", "../../x", "' OR 1=1 --", "é", "a" * 4_000])
def test_a_session_cookie_somebody_made_up_is_nobody(key: str) -> None:
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    client.cookies["sessionid"] = key
    assert client.get("/my-account").headers["Location"].startswith("/sign-in")
