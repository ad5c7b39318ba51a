"""The console beyond this machine: with a certificate, TLS 1.3, its own names, and cookies that stay there."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.organisation import policy_text
from tests.serve.certificate import Certificate, make_certificate
from tests.serve.ports import free_port

from .console import Answer, Console, alone
from .signed_in import Session, address_of, password_of

NAME = "muniment.training.example"


@dataclass
class Secured(Console):
    """A console that is asked over TLS, by its name."""

    certificate: Certificate | None = None

    @property
    def address(self) -> str:
        return f"https://{NAME}:{self.port}"

    def ask(self, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        assert self.certificate is not None
        context = ssl.create_default_context(cafile=str(self.certificate.authority))
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=30, context=context)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Host": f"{NAME}:{self.port}"} | named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            cookies = tuple(value for name, value in answer.getheaders() if name.lower() == "set-cookie")
            return Answer(answer.status, found, answer.read(), cookies)
        finally:
            connection.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    found = make_certificate(tmp_path_factory.mktemp("certificate"))
    found.key.chmod(0o600)
    return found


def settings(certificate: Certificate) -> dict[str, object]:
    return {
        "console__certificate": str(certificate.chain),
        "console__key": str(certificate.key),
        "console__names": [NAME],
    }


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Secured]:
    overrides = settings(certificate) | {"console__listen": f"0.0.0.0:{free_port()}"}
    with alone(tmp_path_factory.mktemp("tls"), **overrides) as found:
        yield Secured(found.home, found.process, found.said, certificate=certificate)


def test_one_signs_in_over_tls_and_the_cookies_never_leave_it(console: Secured) -> None:
    found = Session(console)
    answer = found.send("/sign-in", login=address_of("md"), password=password_of(console))
    assert answer.status == 302, answer.text
    [session] = [cookie for cookie in answer.cookies if cookie.startswith("__Host-session=")]
    assert all(part in session for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in session
    [token] = console.ask("/sign-in").cookies
    assert token.startswith("__Host-csrf=") and all(part in token for part in ("Secure", "SameSite=Strict"))
    assert found.ask("/my-account").status == 200


def test_a_browser_is_told_never_to_come_without_tls(console: Secured) -> None:
    for path in ("/sign-in", "/static/tokens.css", "/nothing"):
        assert console.ask(path).headers["strict-transport-security"] == "max-age=31536000"


def test_it_answers_to_its_own_names_only(console: Secured) -> None:
    for host in ("evil.example", "0.0.0.0", "192.0.2.1", f"{NAME}.evil.example"):
        assert console.ask("/sign-in", Host=host).status == 400
    assert console.ask("/sign-in", Host=NAME.upper()).status == 200


def test_plain_http_and_old_tls_get_nothing(console: Secured) -> None:
    with socket.create_connection(("127.0.0.1", console.port), timeout=10) as wire:
        wire.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire.settimeout(5)
        with suppress(OSError):
            assert b"HTTP/1.1 200" not in wire.recv(1_000)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        pytest.raises(ssl.SSLError),
        socket.create_connection(("127.0.0.1", console.port), timeout=10) as wire,
    ):
        context.wrap_socket(wire)


def test_a_form_from_plain_http_is_refused(console: Secured) -> None:
    found = Session(console)
    found.ask("/sign-in")
    body = b"csrfmiddlewaretoken=x&login=a&password=b"
    kind = "application/x-www-form-urlencoded"
    assert found.ask("/sign-in", "POST", body, Content_Type=kind, Origin=f"http://{NAME}").status == 403


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"console__listen": "0.0.0.0:8025"}, "would offer the console beyond this machine without TLS"),
        (
            {"console__certificate": "/x.pem", "console__names": ["muniment.training.example"]},
            "and console.certificate need each other",
        ),
        ({"console__certificate": "/x.pem", "console__key": "/k.pem"}, "a certificate is for a name"),
        ({"console__names": ["muniment.training.example"]}, "without console.certificate"),
        (
            {
                "console__certificate": "x.pem",
                "console__key": "/k.pem",
                "console__names": ["muniment.training.example"],
            },
            "is not an absolute path",
        ),
        (
            {
                "console__certificate": "/x.pem",
                "console__key": "/k.pem",
                "console__names": ["muniment.training.example"],
            },
            "cannot be used: No such file or directory",
        ),
    ],
)
def test_what_is_wrong_with_the_settings_is_said(
    tmp_path: Path, overrides: dict[str, object], said: str
) -> None:
    assert said in start(tmp_path, **overrides)


def test_a_key_others_can_read_or_of_another_certificate_is_refused(
    tmp_path: Path, certificate: Certificate
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    foreign = make_certificate(other)
    foreign.key.chmod(0o600)
    assert "cannot be used" in start(tmp_path, **settings(certificate) | {"console__key": str(foreign.key)})
    foreign.key.chmod(0o640)
    assert "can be read by others" in start(tmp_path, **settings(foreign))
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    assert "cannot be used" in start(
        tmp_path, **settings(certificate) | {"console__certificate": str(garbage)}
    )


def start(folder: Path, **overrides: object) -> str:
    """Return what the console says that must not start."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (home / "muniment.toml").write_text(policy_text(**overrides))
    command = [sys.executable, "-m", "muniment.serve.console", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    return done.stderr
