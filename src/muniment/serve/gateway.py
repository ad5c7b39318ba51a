"""The mail gateway's process: `python -m muniment.serve.gateway HOME`, free of Django.

It opens the doors named in the policy file: `inside` for our own people's mail, `outside` for the world's, `journal`
for copies that are only recorded. It keeps no queue and writes no bounces: a message is recorded and taken by the
next hop, or its sender keeps it. On SIGTERM it lets messages under way end, for a few seconds, then goes.
Source: R-5.1-a, R-2.2-b.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from muniment.people.snapshot import CURRENT
from muniment.policy.errors import BadInput, MunimentError, Unavailable
from muniment.policy.policyfile import load
from muniment.record.home import Home
from muniment.serve.gateway_link import RecorderLink
from muniment.serve.gateway_session import Session
from muniment.serve.gateway_settings import Limits, Listener, Settings, View, load_view, settings_of
from muniment.serve.gateway_state import GatewayState
from muniment.serve.json_line import serve_lines
from muniment.serve.private_memory import keep_private

SOCKET = "gateway.sock"
_BACKLOG = 1024
_VIEW_SECONDS = 1.0


class Gateway:
    """The doors of one home."""

    def __init__(self, settings: Settings, view: View, home: Home) -> None:
        self.state = GatewayState(settings, view, RecorderLink(home.socket, settings.limits.record_seconds))
        self._home = home
        self._servers: list[asyncio.Server] = []
        self._watcher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open every door.

        Raises:
            Unavailable: an address is taken.
        """
        for listener in self.state.settings.listeners:
            self._servers.append(await self._open(listener))
        self._servers.append(await serve_lines(self._home.run / SOCKET, self._answer))
        self._watcher = asyncio.create_task(self._watch_snapshot())

    async def _open(self, listener: Listener) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(
                lambda: Session(self.state, listener), listener.host, listener.port, backlog=_BACKLOG
            )
        except OSError as error:
            raise Unavailable(
                f"the {listener.door} door cannot listen on {listener.host}:{listener.port}: {error.strerror}; "
                f"end what uses that port, or change gateway.{listener.door} in the policy file"
            ) from error

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Return where each door listens; a port of 0 in the policy file was given by the system."""
        listeners = self.state.settings.listeners
        found = {}
        for listener, server in zip(listeners, self._servers, strict=False):
            host, port = server.sockets[0].getsockname()[:2]
            found[str(listener.door)] = (str(host), int(port))
        return found

    async def stop(self) -> None:
        """Close the doors, let messages under way end, and go."""
        self.state.is_stopping = True
        if self._watcher is not None:
            self._watcher.cancel()
        for server in self._servers:
            server.close()
        tasks = list(self.state.sessions)
        for wake_up in list(self.state.sessions.values()):
            wake_up()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self.state.settings.limits.drain_seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)
        await self.state.link.close()
        (self._home.run / SOCKET).unlink(missing_ok=True)

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        if question.get("op") != "status":
            raise BadInput('the gateway answers {"op": "status"} only')
        return self.state.status()

    async def _watch_snapshot(self) -> None:
        """Swap the view when another snapshot is current; one that cannot be read changes nothing."""
        seen = self._stamp()
        while True:
            await asyncio.sleep(_VIEW_SECONDS)
            now = self._stamp()
            if now == seen:
                continue
            seen = now
            try:
                self.state.view = load_view(self._home)
            except MunimentError as error:
                print(f"muniment gateway: the snapshot in force stays: {error}", file=sys.stderr, flush=True)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = (self._home.snapshot_dir / CURRENT).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


async def serve(home: Home, limits: Limits) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    Raises:
        MunimentError: the policy file has mistakes, there is no snapshot, or a door cannot be opened.
    """
    gateway = Gateway(settings_of(load(home.policy_file), limits), load_view(home), home)
    await gateway.start()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    places = " ".join(f"{door}={host}:{port}" for door, (host, port) in gateway.addresses().items())
    print(f"ready {places}", flush=True)
    await stopping.wait()
    await gateway.stop()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the process's command line."""
    defaults = Limits()
    parser = argparse.ArgumentParser(prog="muniment.serve.gateway", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--connect-seconds", type=float, default=defaults.connect_seconds)
    parser.add_argument("--reply-seconds", type=float, default=defaults.reply_seconds)
    parser.add_argument("--end-of-data-seconds", type=float, default=defaults.end_of_data_seconds)
    parser.add_argument("--client-seconds", type=float, default=defaults.client_seconds)
    parser.add_argument("--record-seconds", type=float, default=defaults.record_seconds)
    parser.add_argument("--memory-bytes", type=int, default=defaults.memory_bytes)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the gateway of the home named on the command line."""
    options = vars(build_parser().parse_args(argv))
    home = Home(options.pop("home").absolute())
    keep_private()
    try:
        uvloop.run(serve(home, Limits(**options)))
    except MunimentError as error:
        print(f"muniment gateway: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
