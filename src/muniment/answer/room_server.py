"""A room's door: one thread a connection, one reply a request; nothing that arrives can end the room.

Source: docs/formats/room-socket.md.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Thread
from typing import Any

from muniment.answer import room_wire as wire
from muniment.policy.errors import BadInput, MunimentError, Unavailable
from muniment.record.client import short_path

MOST_CONNECTIONS = 64
STALL_SECONDS = 60.0
IDLE_SECONDS = 600.0
Answer = Callable[[wire.Request], Any]


def listen(path: Path) -> socket.socket:
    """Return a socket that listens at `path`, the owner's alone.

    Raises: Unavailable when another process of this room listens there.
    """
    with suppress(FileNotFoundError), short_path(path) as name:
        if _answers(name):
            raise Unavailable(f"another process serves this room at {path}")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    with short_path(path) as name:
        listener.bind(name)
    path.chmod(0o600)
    listener.listen(MOST_CONNECTIONS)
    return listener


def _answers(name: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(name)
        except OSError:
            return False
    return True


class RoomServer:
    """Accepts connections and hands their requests to `answer`."""

    def __init__(self, listener: socket.socket, answer: Answer) -> None:
        self._listener, self._answer = listener, answer
        self._free = BoundedSemaphore(MOST_CONNECTIONS)

    def serve(self) -> None:
        """Accept until the listener is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if not self._free.acquire(blocking=False):
                connection.close()
                continue
            Thread(target=self._converse, args=(connection,), name="looker", daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                while (data := self._next(connection)) is not None:
                    reply, is_last = self._reply(data)
                    wire.send(connection, reply)
                    if is_last:
                        return
        finally:
            self._free.release()

    def _next(self, connection: socket.socket) -> bytes | BadInput | None:
        """Return the next message, what is wrong with it, or None at the end of the conversation."""
        connection.settimeout(IDLE_SECONDS)
        first = connection.recv(1, socket.MSG_PEEK)
        if not first:
            return None
        connection.settimeout(STALL_SECONDS)
        try:
            return wire.receive(connection, wire.MAX_REQUEST_BYTES)
        except BadInput as error:
            return error

    def _reply(self, data: bytes | BadInput) -> tuple[bytes, bool]:
        """Return the reply to one message, and whether it is the last of its connection."""
        if isinstance(data, BadInput):
            return wire.reply_of(data), True
        try:
            reply = wire.encode(wire.Reply(value=wire.value_of(self._answer(wire.parse_request(data)))))
        except MunimentError as error:
            return wire.reply_of(error), False
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a library's panic is no Exception; its words may hold content
            return wire.reply_of(Unavailable(f"the room failed: {type(error).__name__}; try again")), False
        if len(reply) > wire.MAX_REPLY_BYTES:
            return wire.reply_of(
                BadInput("the answer is longer than a reply may be; ask for less at once")
            ), False
        return reply, False
