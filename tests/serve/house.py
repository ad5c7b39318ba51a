"""The real processes of a home on loopback: recorder, sink, gateway; started, looked into, and proved at the end."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from muniment.people.snapshot import encode, head_of, make_current
from muniment.policy.policyfile import load
from muniment.record.client import Recorder
from muniment.record.disk import Disk
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.machine import VARIABLE, example_text
from muniment.record.row import Row
from muniment.record.unsealing import Opened
from muniment.serve.json_line import ask_line
from tests.record.recording import SECRET, check_record, make_home, officer_view

from .ports import free_port

READY_SECONDS = 60.0


@dataclass
class Process:
    """One of our processes."""

    name: str
    popen: subprocess.Popen[bytes]
    ready: str = ""

    def stop(self) -> int:
        self.popen.terminate()
        code = self.popen.wait(30)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        return code

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(30)
        assert self.popen.stdout is not None
        self.popen.stdout.close()


@dataclass
class House:
    """A home and the processes that run in it."""

    home: Home
    ports: dict[str, int]
    options: Sequence[str] = ()
    processes: dict[str, Process] = field(default_factory=dict)

    def start(self, name: str) -> Process:
        """Start a process by the name of its module and wait until it is ready."""
        options = self.options if name == "gateway" else ()
        secret = self.home.path.parent / "machine-secret"
        secret.write_bytes(example_text(SECRET))
        process = Process(
            name,
            subprocess.Popen(
                [sys.executable, "-m", f"muniment.serve.{name}", str(self.home.path), *options],
                stdout=subprocess.PIPE,
                env=os.environ | {VARIABLE: str(secret)},
            ),
        )
        self.processes[name] = process
        process.ready = _await_ready(process.popen)
        return process

    def stop(self) -> None:
        """Stop what runs, the recorder last, and check that each ended well."""
        for name in ("gateway", "sink", "recorder"):
            if name in self.processes:
                assert self.processes.pop(name).stop() == 0, name

    def status(self) -> dict[str, Any]:
        return ask_line(self.home.run / "gateway.sock", {"op": "status"}, "the gateway")

    def counter(self, name: str) -> int:
        return int(self.status()["counters"].get(name, 0))

    def received(self) -> list[dict[str, Any]]:
        """Return what the sink lists."""
        return list(ask_line(self.home.run / "sink.sock", {"op": "list"}, "the sink")["messages"])

    def raw(self, number: int) -> bytes:
        """Return one message of the sink."""
        import base64

        answer = ask_line(self.home.run / "sink.sock", {"op": "show", "id": number}, "the sink")
        return base64.b64decode(answer["raw_base64"])

    def entries(self, stream: Stream, start: int = 0) -> list[Opened]:
        """Return the entries of a stream from the `start`-th, opened with an officer's key, once all is published."""
        with Recorder(self.home.socket) as recorder:
            recorder.publish()
        with officer_view(self.home) as view:
            return [view.open(row.idx) for row in view.catalogue.rows("stream = ?", (stream,))[start:]]

    def count(self, stream: Stream) -> int:
        """Return how many entries a stream has."""
        with Recorder(self.home.socket) as recorder:
            recorder.publish()
        with officer_view(self.home) as view:
            return len(view.catalogue.rows("stream = ?", (stream,)))

    def last(self, stream: Stream) -> Opened:
        return self.entries(stream, -1)[-1]


def compile_policy(home: Home) -> None:
    """Make a snapshot of the policy file and of nobody the current one, as the console does with a database."""
    make_current(home.snapshot_dir, encode(head_of(load(home.policy_file)), ()), Disk())


def envelope_map(opened: Opened) -> dict[str, Any]:
    return dict(msgspec.msgpack.decode(opened.meta))


def facts(opened: Opened) -> dict[str, Any]:
    return dict(msgspec.msgpack.decode(opened.facts))


def number(row: Row) -> str:
    return f"{Stream(row.stream).name.lower().replace('_', '-')}/{row.sequence}"


def _await_ready(popen: subprocess.Popen[bytes]) -> str:
    assert popen.stdout is not None
    deadline = time.monotonic() + READY_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(popen.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline and popen.poll() is None:
            if selector.select(0.1):
                line = popen.stdout.readline().decode()
                if line.startswith("ready"):
                    return line.strip()
    raise AssertionError(f"not ready; exit code {popen.poll()}")


@contextmanager
def house(path: Path, *names: str, options: Sequence[str] = (), **overrides: object) -> Iterator[House]:
    """Make a home and start these processes; at the end stop them and prove the record."""
    ports = {name: free_port() for name in ("inside", "outside", "journal", "sink_outside", "sink_inside")}
    settings: dict[str, object] = {
        "gateway__inside": f"127.0.0.1:{ports['inside']}",
        "gateway__outside": f"127.0.0.1:{ports['outside']}",
        "gateway__journal": f"127.0.0.1:{ports['journal']}",
        "gateway__outbound_hop": f"127.0.0.1:{ports['sink_outside']}",
        "gateway__inbound_hop": f"127.0.0.1:{ports['sink_inside']}",
        "sink__listen": f"127.0.0.1:{ports['sink_outside']}",
        "sink__inside_listen": f"127.0.0.1:{ports['sink_inside']}",
        "console__listen": f"127.0.0.1:{free_port()}",
    }
    found = House(make_home(path, **(settings | overrides)), ports, options)
    compile_policy(found.home)
    try:
        for name in names or ("recorder", "sink", "gateway"):
            found.start(name)
        yield found
        found.stop()
    finally:
        for process in found.processes.values():
            process.kill()
    check_record(found.home)
