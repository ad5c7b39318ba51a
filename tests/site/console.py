"""A running console: the whole of `muniment up` on an example home, or the console's process on its own."""

from __future__ import annotations

import http.client
import os
import re
import select
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from muniment.policy.policyfile import PolicyFile, load
from muniment.record.home import Home
from muniment.site import prepare
from tests.organisation import policy_text
from tests.serve.ports import free_port

READY_SECONDS = 90.0
_LISTENS = re.compile(r"127\.0\.0\.1:\d+")


@dataclass(frozen=True)
class Answer:
    """What the console answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Console:
    """A console that answers at `address`; `said` is the file its standard error goes to."""

    home: Home
    process: subprocess.Popen[bytes]
    said: Path
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def policy(self) -> PolicyFile:
        return load(self.home.policy_file)

    @property
    def port(self) -> int:
        return int(self.policy.console.listen.rpartition(":")[2])

    @property
    def address(self) -> str:
        return f"http://{self.policy.console.listen}"

    def ask(self, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """Send one request as it is; a header's name is written with underscores."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            cookies = tuple(value for name, value in answer.getheaders() if name.lower() == "set-cookie")
            return Answer(answer.status, found, answer.read(), cookies)
        finally:
            connection.close()

    def send(self, name: str, content: bytes, door: str = "inside") -> None:
        """Hand a message in at a door of the gateway, and remember its number in the outside world under a name."""
        host, _, port = str(getattr(self.policy.gateway, door)).rpartition(":")
        people = ["tomas@training.example", "someone@outside.example"]
        sender, recipient = people if door == "inside" else people[::-1]
        with smtplib.SMTP(host, int(port), timeout=60) as client:
            client.sendmail(sender, [recipient], content, ["SMTPUTF8", "BODY=8BITMIME"])
        self.numbers[name] = len(self.numbers) + 1


@contextmanager
def up(folder: Path) -> Iterator[Console]:
    """Run `muniment init --example` and `muniment up`; at the end stop it, which must end well."""
    home = Home(folder / "home")
    subprocess.run(
        _muniment("init", str(home.path), "--example"), check=True, capture_output=True, timeout=120
    )
    ports: dict[str, str] = {}
    text = home.policy_file.read_text()
    for at in _LISTENS.findall(text):
        ports.setdefault(at, f"127.0.0.1:{free_port()}")
    home.policy_file.write_text(_LISTENS.sub(lambda found: ports[found.group()], text))
    with _running(_muniment("up", "--home", str(home.path)), home, "everything runs") as console:
        yield console
        console.process.terminate()
        assert console.process.wait(60) == 0, console.said.read_text()


@contextmanager
def alone(folder: Path, **overrides: object) -> Iterator[Console]:
    """Run only the console's process, on a home where nothing else runs; it ends well, or a test killed it."""
    home = Home(folder / "home")
    home.path.mkdir()
    home.policy_file.write_text(policy_text(**{"console__listen": f"127.0.0.1:{free_port()}"} | overrides))
    prepare(home, example_people=load(home.policy_file).example)
    with _running(
        [sys.executable, "-m", "muniment.serve.console", str(home.path)], home, "ready http"
    ) as console:
        yield console
        console.process.terminate()
        assert console.process.wait(60) in (0, -signal.SIGKILL), console.said.read_text()


def _muniment(*words: str) -> list[str]:
    return [sys.executable, "-m", "muniment.cli", *words]


@contextmanager
def _running(command: Sequence[str], home: Home, ready: str) -> Iterator[Console]:
    said = home.path.parent / "said.txt"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MUNIMENT", "DJANGO"))
    }
    with said.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment)
    assert process.stdout is not None
    try:
        _await(process, ready, said)
        yield Console(home, process, said)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        process.stdout.close()


def _await(process: subprocess.Popen[bytes], ready: str, said: Path) -> None:
    assert process.stdout is not None
    deadline, printed = time.monotonic() + READY_SECONDS, b""
    while ready.encode() not in printed:
        is_there, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        data = os.read(process.stdout.fileno(), 65_536) if is_there else b""
        assert data, f"not ready; it said:\n{said.read_text()}"
        printed += data
