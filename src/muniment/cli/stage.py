"""Where the tour plays: an example home on free ports, its real processes, its commands, its officers' keys."""

from __future__ import annotations

import os
import re
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from muniment.policy.policyfile import PolicyFile, load
from muniment.record import machine
from muniment.record.catalogue import Catalogue
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.keyfile import open_key, parse_key_file
from muniment.record.opening import origin_of
from muniment.record.unsealing import OfficerView
from muniment.serve.json_line import ask_line
from muniment.serve.sink import SOCKET
from muniment.serve.supervisor import Service, running, services_of
from muniment.site import prepare

_LISTENS = re.compile(r"127\.0\.0\.1:(\d+)")
_COMMAND_SECONDS = 120
_SMTP_SECONDS = 60


@dataclass(frozen=True)
class Ran:
    """A command that was run: what was typed, what it printed, how it ended."""

    typed: str
    out: str
    err: str
    code: int


@dataclass
class Stage:
    """One example home while the tour plays; `ran` holds the commands of the step under way, `kept` what a
    step leaves for the next."""

    home: Home
    services: list[Service] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def policy(self) -> PolicyFile:
        """Return the policy file in force."""
        return load(self.home.policy_file)

    @property
    def domain(self) -> str:
        """Return the example's domain."""
        return self.policy.organisation.domains[0]

    def command(self, *words: str) -> Ran:
        """Run `muniment WORDS` as a process of its own."""
        return self.run(["muniment", *words], [sys.executable, "-m", "muniment.cli", *words])

    def run(self, typed: list[str], command: list[str]) -> Ran:
        """Run `command`, shown to people as `typed`."""
        environment = {name: value for name, value in os.environ.items() if name != "MUNIMENT_HOME"}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, env=environment
        )
        shown = " ".join(f"'{word}'" if " " in word else word for word in typed)
        ran = Ran(shown, done.stdout, done.stderr, done.returncode)
        self.ran.append(ran)
        return ran

    def take_free_ports(self) -> None:
        """Move every door of the example to a free port, so that the tour disturbs nothing that runs here."""
        text = self.home.policy_file.read_text()
        ports = dict.fromkeys(_LISTENS.findall(text))
        with _free_ports(len(ports)) as free:
            for old, new in zip(ports, free, strict=True):
                text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
        self.home.policy_file.write_text(text)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the recorder, the outside world, the mail gateway and the console while the block does."""
        prepare(self.home)
        secret = machine.find(self.home, os.environ, None)
        with running(services_of(self.home, self.policy), secret) as services:
            self.services = list(services)
            yield

    def send(self, door: str, sender: str, recipient: str, content: bytes) -> tuple[int, str]:
        """Hand a message to a door of the gateway and return its last reply, code and words.

        The bytes go out as they are, so that hostile ones do too; a final dot is added.
        """
        host, _, port = str(getattr(self.policy.gateway, door)).rpartition(":")
        with smtplib.SMTP(host, int(port), timeout=_SMTP_SECONDS) as client:
            client.ehlo("tour.example")
            for code, said in (client.mail(sender), client.rcpt(recipient), client.docmd("DATA")):
                if code >= 400:
                    return code, said.decode("utf-8", "replace")
            client.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
            code, said = client.getreply()
            return code, said.decode("utf-8", "replace")

    def arrived(self) -> list[dict[str, Any]]:
        """Return what the outside world holds, oldest first, with the bytes in `raw_base64`."""
        place, who = self.home.run / SOCKET, "the outside world"
        listed = ask_line(place, {"op": "list"}, who)["messages"]
        return [ask_line(place, {"op": "show", "id": each["id"]}, who) for each in listed]

    @contextmanager
    def officer_view(self, officer: str) -> Iterator[OfficerView]:
        """Open the record as `officer` could: with the key file and the six words on the sheet."""
        words = six_words(next((self.home.path / "sheets").glob(f"*{officer}*")).read_text())
        private = open_key(
            parse_key_file((self.home.path / "officer-keys" / f"{officer}.json").read_bytes()), words
        )
        catalogue = Catalogue(self.home.database)
        keeper = Keeper.load(self.home, machine.find(self.home, os.environ, None), Disk())
        try:
            yield OfficerView(self.home, origin_of(self.policy), private, catalogue, keeper)
        finally:
            catalogue.close()

    def find(self, holds: Callable[[bytes], bool]) -> list[str]:
        """Return the files of the home whose bytes fulfil `holds`; not the sheets, which are with the officers."""
        found = []
        for path in sorted(self.home.path.rglob("*")):
            with suppress(OSError):
                if path.is_file() and "sheets" not in path.parts and holds(path.read_bytes()):
                    found.append(str(path.relative_to(self.home.path)))
        return found


def six_words(sheet: str) -> str:
    """Return the six words that stand on an officer's sheet."""
    after = sheet.partition("YOUR SIX WORDS")[2].partition("WHAT THEY ARE FOR")[0]
    return " ".join(after.split())


@contextmanager
def _free_ports(count: int) -> Iterator[list[int]]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        yield [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
