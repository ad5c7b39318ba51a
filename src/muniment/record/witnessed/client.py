"""Speaks HTTP to witnesses: one answer each, within a time, whatever the other side does.

A witness is reached at the address of the policy file and nowhere else: no redirect is followed, no proxy asked.
Source: C2SP tlog-witness.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from typing import NamedTuple
from urllib.parse import urlsplit

from muniment.policy.errors import Unavailable

MOST_BYTES = 256 << 10
ANSWER_SECONDS = 10.0


class HttpAnswer(NamedTuple):
    """Status, content type and body of an answer."""

    status: int
    kind: str
    body: bytes


def ask(
    url: str,
    path: str = "",
    body: bytes | None = None,
    kind: str = "text/plain; charset=utf-8",
    seconds: float = ANSWER_SECONDS,
) -> HttpAnswer:
    """Return the answer to a GET, or to a POST of `body`.

    Raises: Unavailable when there is none in time, or one that is too long.
    """
    parts = urlsplit(url)
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=seconds)
    end = Timer(seconds, _cut, [connection])
    end.daemon = True
    try:
        connection.connect()
        end.start()
        target = (parts.path.rstrip("/") + path) or "/"
        headers = {"Content-Type": kind} if body is not None else {}
        connection.request("GET" if body is None else "POST", target, body, headers)
        answer = connection.getresponse()
        data = answer.read(MOST_BYTES + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable(f"{url} does not answer: {error or type(error).__name__}") from error
    finally:
        end.cancel()
        connection.close()
    if len(data) > MOST_BYTES:
        raise Unavailable(f"{url} answered with more than {MOST_BYTES:,} bytes")
    return HttpAnswer(answer.status, answer.headers.get("content-type", ""), data)


def _cut(connection: HTTPConnection) -> None:
    """End a conversation that goes on for too long, however busy the other side keeps it."""
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)
