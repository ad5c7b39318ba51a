"""Starts the processes of one home in their order and stops them together; when one ends by itself, all stop.

Each process says `ready …` on its standard output when it can be used.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from types import FrameType

from muniment.guard.mail.direction import Door
from muniment.people.moment import LONDON
from muniment.policy.console import address_of
from muniment.policy.errors import MunimentError, Unavailable
from muniment.policy.policyfile import PolicyFile, load, stamp
from muniment.record.home import Home
from muniment.serve.gateway_settings import refused_doors
from muniment.serve.private_memory import end_with_parent
from muniment.site import prepare

READY_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass
class Service:
    """One process: what it is called, how it is started, what it serves (for people)."""

    name: str
    command: list[str]
    place: str
    process: subprocess.Popen[bytes] | None = None


def services_of(home: Home, policy: PolicyFile) -> list[Service]:
    """Return the processes a home needs, in starting order."""
    python = [sys.executable, "-m"]
    sink = policy.sink
    ports = ", ".join(f"{name} {at}" for name, at in _listeners(policy) if at)
    found = [Service("recorder", [*python, "muniment.serve.recorder", str(home.path)], str(home.socket))]
    if policy.example and sink is not None:
        found.append(Service("outside world", [*python, "muniment.serve.sink", str(home.path)], sink.listen))
    if ports:
        found.append(Service("mail gateway", [*python, "muniment.serve.gateway", str(home.path)], ports))
    found.append(
        Service("console", [*python, "muniment.serve.console", str(home.path)], address_of(policy.console))
    )
    found.append(Service("clockwork", [*python, "muniment.serve.clockwork", str(home.path)], "each minute"))
    return found


def _listeners(policy: PolicyFile) -> list[tuple[str, str]]:
    """Return the gateway's doors, an empty address for one that is not wanted or that the register keeps closed."""
    closed = refused_doors(policy, datetime.now(LONDON).date())
    return [(str(door), "" if door in closed else getattr(policy.gateway, door)) for door in Door]


@contextmanager
def running(services: Sequence[Service], secret: bytes) -> Iterator[Sequence[Service]]:
    """Start services, each after the one before is ready; stop them all when the block ends.

    Raises:
        Unavailable: one did not become ready; what it said is on standard error.
    """
    started: list[Service] = []
    try:
        for service in services:
            service.process = _start(service, secret)
            started.append(service)
            _await_ready(service)
        yield started
    finally:
        for service in reversed(started):
            _stop(service)


def _start(service: Service, secret: bytes) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    kept: tuple[int, ...] = ()
    if service.name == "recorder":
        reader, writer = os.pipe()
        os.write(writer, secret)
        os.close(writer)
        environment["MUNIMENT_MACHINE_SECRET_FD"], kept = str(reader), (reader,)
    process = subprocess.Popen(
        service.command,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment,
        pass_fds=kept,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )
    for descriptor in kept:
        os.close(descriptor)
    return process


def _await_ready(service: Service) -> None:
    process = service.process
    if process is None or process.stdout is None:
        raise Unavailable(f"the {service.name} was not started")
    deadline = time.monotonic() + READY_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline and process.poll() is None:
            if selector.select(0.2) and process.stdout.readline().startswith(b"ready"):
                return
    code = process.poll()
    how = (
        f"ended with code {code}" if code is not None else f"was not ready after {READY_SECONDS:.0f} seconds"
    )
    raise Unavailable(f"the {service.name} {how}; what it said stands above")


def _stop(service: Service) -> None:
    process = service.process
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with suppress(ProcessLookupError):  # what it started itself, were it killed before it could stop that
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()


class Stopping:
    """Turns SIGTERM and SIGINT into a flag while a block runs."""

    def __init__(self) -> None:
        self.is_asked = False

    def __enter__(self) -> Stopping:
        self._before = {s: signal.signal(s, self._ask) for s in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True


class PolicyWatch:
    """Has the snapshot compiled anew when the policy file has changed; a file with mistakes changes nothing."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._seen = stamp(self._home.policy_file)

    def look(self) -> None:
        """Compile if the file is another than at the last look; say so on standard error when it has mistakes."""
        now = stamp(self._home.policy_file)
        if now == self._seen:
            return
        self._seen = now
        try:
            load(self._home.policy_file)
            prepare(self._home)
        except MunimentError as error:
            print(f"muniment: the policy in force stays: {error}", file=sys.stderr, flush=True)


def wait_until_one_ends(
    services: Sequence[Service], stopping: Stopping, watch: PolicyWatch
) -> Service | None:
    """Return the service that ended by itself, or None when stopping was asked for; keep an eye on the policy file."""
    while not stopping.is_asked:
        for service in services:
            if service.process is not None and service.process.poll() is not None:
                return service
        watch.look()
        time.sleep(0.2)
    return None
