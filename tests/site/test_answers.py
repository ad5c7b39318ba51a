"""What every answer of a running console carries, and what it does not answer."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from muniment.people.snapshot import current_digest
from muniment.serve.json_line import ask_line
from muniment.site.headers import CONTENT_SECURITY_POLICY
from muniment.site.shell import STYLES

from .console import Console, alone, up
from .signed_in import Session, invited, session

PAGES = ["/record", "/outside", "/outside/1", "/my-record", "/my-account", "/streams"]
ABSENT = [
    "/nothing",
    "/outside/",
    "/outside/999",
    "/outside/-1",
    "/outside/1%2f2",
    "/static/",
    "/static/none.css",
    "/static/../settings.py",
    "/static/%2e%2e%2fsettings.py",
    "/static/..%5csettings.py",
    "//",
    "/favicon.ico",
]
# Attributes and elements that the content security policy would not allow anyway.
_ACTIVE = re.compile(
    r"<(script|style|iframe|object|embed)\b|\s(style|on[a-z]+)\s*=|javascript:", re.IGNORECASE
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with up(tmp_path_factory.mktemp("answers")) as found:
        found.send("plain", b"Subject: Hello\r\n\r\nGood morning\r\n")
        yield found


@pytest.fixture(scope="module")
def tomas(console: Console) -> Session:
    return session(console, "tomas")


@pytest.mark.parametrize(
    "path", [*PAGES, *ABSENT, *(f"/static/{name}" for name in STYLES), "/static/mark.svg"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
def test_every_answer_carries_the_policy_and_runs_nothing(tomas: Session, path: str, method: str) -> None:
    answer = tomas.ask(path, method)
    is_there = path not in ABSENT
    refusal = {"OPTIONS": 405, "POST": 403, "PUT": 405}.get(method)
    if refusal is None:
        assert answer.status == (200 if is_there else 404)
    else:
        assert answer.status == refusal or (answer.status == 404 and not is_there)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["permissions-policy"].startswith("camera=()")
    is_static = is_there and path.startswith("/static/") and method in ("GET", "HEAD")
    assert answer.headers["cache-control"] == ("no-cache" if is_static else "no-store")
    assert all(cookie.startswith("csrftoken=") for cookie in answer.cookies)
    if method == "HEAD":
        assert answer.body == b""
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert not _ACTIVE.search(answer.text)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "169.254.169.254", "a b", ""])
def test_another_host_name_is_refused(console: Console, host: str) -> None:
    answer = console.ask("/", Host=host)
    assert answer.status == 400
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    if host:
        assert "That cannot be read" in answer.text
        assert host not in answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_this_machines_own_names_are_served(console: Console, host: str) -> None:
    assert console.ask("/sign-in", Host=f"{host}:{console.port}").status == 200


def test_it_listens_on_the_address_of_the_policy_file_only(console: Console) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", console.port), timeout=10)


def test_a_style_sheet_the_browser_has_is_not_sent_again(console: Console) -> None:
    first = console.ask("/static/tokens.css")
    again = console.ask("/static/tokens.css", If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert console.ask("/static/tokens.css", If_None_Match='"other"').body == first.body


@pytest.mark.parametrize("path", [*PAGES, "/nothing"])
def test_every_page_is_stamped_and_says_what_holds(tomas: Session, path: str) -> None:
    text = tomas.ask(path).text
    assert '<strong class="stamp">EXAMPLE</strong>' in text
    assert "not yet witnessed" in text
    assert "This is an example: the organisation is invented" in text
    assert not re.search(r"\b(epoch|leaf|merkle|puncture|ggm|hpke)\b", _words(text), re.IGNORECASE)


def _words(page: str) -> str:
    return re.sub(r"<[^>]*>", " ", page)


def test_the_record_page_counts_what_the_gateway_took(tomas: Session) -> None:
    row = re.search(r"Mail through the gateway</span></th><td[^>]*>(\d+)</td>", tomas.ask("/record").text)
    assert row is not None and int(row.group(1)) >= 1


def test_a_change_of_the_policy_file_reaches_the_gateway_and_a_mistake_in_it_does_not(
    console: Console,
) -> None:
    home, text = console.home, console.home.policy_file.read_text()

    def gateways() -> str:
        return str(ask_line(home.run / "gateway.sock", {"op": "status"}, "the gateway")["snapshot"])

    def until_another_than(first: str) -> str:
        deadline = time.monotonic() + 60
        while (found := gateways()) == first:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found

    first = gateways()
    assert first == current_digest(home.snapshot_dir)
    home.policy_file.write_text(text.replace('["training.example"]', '["training.example", "b.example"]'))
    second = until_another_than(first)
    assert second == current_digest(home.snapshot_dir)
    home.policy_file.write_text(text.replace('nation = "ENG"', 'nation = "XXX"'))
    deadline = time.monotonic() + 60
    while "muniment: the policy in force stays: " not in console.said.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "organisation.nation" in console.said.read_text()
    assert gateways() == current_digest(home.snapshot_dir) == second
    home.policy_file.write_text(text)
    assert until_another_than(second) == first


def test_without_a_recorder_the_page_says_so_with_503(
    tmp_path: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with alone(tmp_path_factory.mktemp("alone")) as console:
        found = session(console, "tomas")
        silent, outside = found.ask("/record"), found.ask("/outside")
        assert (silent.status, outside.status) == (503, 503)
        assert "<h1>The recorder does not answer</h1>" in silent.text
        assert "Nothing is known to be lost" in silent.text
        assert "The outside world does not answer" in outside.text
        assert all("EXAMPLE" in page.text and "not yet witnessed" in page.text for page in (silent, outside))
        assert not _ACTIVE.search(silent.text + outside.text)
        console.process.send_signal(signal.SIGTERM)
        assert console.process.wait(60) == 0


def test_a_real_organisation_has_no_stamp_and_no_outside_world(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with alone(tmp_path_factory.mktemp("real"), example=..., sink=...) as console:
        assert "EXAMPLE" not in console.ask("/sign-in").text
        assert not (console.home.path / "sheets").exists()
        found = invited(console, "tomas", "Tomás Tutor", "staff")
        assert "EXAMPLE" not in found.ask("/my-account").text
        assert "/outside" not in found.ask("/my-account").text
        outside = found.ask("/outside")
        assert outside.status == 404
        assert "Only an example organisation has an outside world" in outside.text


def test_a_port_that_is_taken_ends_the_console_and_not_in_silence(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with alone(tmp_path_factory.mktemp("first")) as console:
        second = subprocess.run(
            console.process.args,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,  # type: ignore[call-overload]
        )
        assert second.returncode == 7
        assert f"cannot listen on 127.0.0.1:{console.port}" in second.stderr


def test_a_console_that_was_killed_leaves_nobody_at_its_port(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with alone(tmp_path_factory.mktemp("killed")) as console:
        console.process.kill()
        console.process.wait(60)
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", console.port)) != 0:
                    break
            assert time.monotonic() < deadline, "somebody still listens"
            time.sleep(0.05)
