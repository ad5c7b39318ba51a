"""A client that says exactly the bytes a test gives it, and reads replies one by one."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

DEADLINE_SECONDS = 60.0
T = TypeVar("T")


class Talk:
    """One connection to an SMTP server; the greeting is read at once."""

    def __init__(self, port: int, hello: bytes | None = b"EHLO client.example") -> None:
        self._socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS)
        self._lines = self._socket.makefile("rb")
        self.greeting = self.read()
        self.offers = self.say(hello) if hello else b""

    def __enter__(self) -> Talk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read(self) -> bytes:
        """Return one whole reply, b"" when the server has hung up."""
        lines = []
        while True:
            line = self._lines.readline()
            lines.append(line)
            if line[3:4] != b"-":
                return b"".join(lines)

    def say(self, command: bytes) -> bytes:
        self.send(command + b"\r\n")
        return self.read()

    def envelope(self, sender: str, *recipients: str) -> list[bytes]:
        """Say MAIL and each RCPT, one after another; return the replies."""
        replies = [self.say(f"MAIL FROM:<{sender}>".encode())]
        return replies + [self.say(f"RCPT TO:<{recipient}>".encode()) for recipient in recipients]

    def content(self, wire: bytes) -> bytes:
        """Say DATA and the bytes as they are, the end included; return the last reply."""
        reply = self.say(b"DATA")
        if not reply.startswith(b"354"):
            return reply
        self.send(wire)
        return self.read()

    def deliver(self, sender: str, recipients: list[str], content: bytes) -> bytes:
        """Deliver a message whose lines end with CRLF; return the reply to its end."""
        self.envelope(sender, *recipients)
        return self.content(stuffed(content))

    def start_tls(self) -> bytes:
        """Begin TLS without checking the certificate; return what is offered afterwards."""
        assert self.say(b"STARTTLS").startswith(b"220")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._lines.close()
        self._socket = context.wrap_socket(self._socket, server_hostname="localhost")
        self._lines = self._socket.makefile("rb")
        return self.say(b"EHLO client.example")


def stuffed(content: bytes) -> bytes:
    """Return content with dots doubled, line by line, and the final dot."""
    lines = content.split(b"\r\n")
    if lines[-1] == b"":
        lines.pop()
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"


def until(what: Callable[[], T]) -> T:
    """Return the first true value of `what`, asked again and again until a deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.02)
    return found
