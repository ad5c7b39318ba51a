"""Real witnesses on loopback, each in a folder and a process of its own, made by the commands a person types."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

COMMAND = [sys.executable, "-m", "muniment.cli", "witness"]


@dataclass
class RunningWitness:
    """A witness's process and where it answers."""

    folder: Path
    keys: dict[str, str]
    process: subprocess.Popen[bytes]
    url: str

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str, bytes]:
        """Return status, content type and body of an answer."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.headers["content-type"], answer.read()
        finally:
            connection.close()

    def submit(self, body: bytes) -> tuple[int, str, bytes]:
        """Post a checkpoint."""
        return self.ask("POST", "/add-checkpoint", body)

    def kill(self) -> None:
        """End the process as a power cut would."""
        self.process.kill()
        self.process.wait(30)
        self._close()

    def stop(self) -> None:
        """End the process as an administrator would."""
        self.process.terminate()
        assert self.process.wait(30) == 0
        self._close()

    def start(self, listen: str = "127.0.0.1:0") -> None:
        """Start the process again."""
        self.process, self.url = _start(self.folder, listen)

    def _close(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()


def make_witness(folder: Path, name: str, trusted: Sequence[str]) -> dict[str, str]:
    """Make a witness that trusts logs by their keys; return its own keys."""
    made = _command("init", "--folder", str(folder), "--name", name, "--json")
    for vkey in trusted:
        _command("trust", "--folder", str(folder), vkey)
    keys: dict[str, str] = json.loads(made)["keys"]
    return keys


@contextmanager
def witness(folder: Path, name: str, trusted: Sequence[str]) -> Iterator[RunningWitness]:
    """Make a witness and run it until the block ends."""
    keys = make_witness(folder, name, trusted)
    running = RunningWitness(folder, keys, *_start(folder, "127.0.0.1:0"))
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


def _command(*words: str) -> str:
    return subprocess.run([*COMMAND, *words], check=True, capture_output=True, text=True, timeout=120).stdout


def _start(folder: Path, listen: str) -> tuple[subprocess.Popen[bytes], str]:
    process = subprocess.Popen(
        [*COMMAND, "run", "--folder", str(folder), "--listen", listen], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    line = process.stdout.readline().decode().split()
    assert line[:1] == ["ready"], line
    return process, line[1]
