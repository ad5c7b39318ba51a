"""What passes over a room's socket: length-prefixed MessagePack, one reply a request, in order.

    request   u32 length, [operation, looker, arguments]     at most 4 MiB
    reply     u32 length, [error kind or "", message, clause, value]     at most 64 MiB

Only the home's own user can open the socket. Source: docs/formats/room-socket.md; R-5.3-k.
"""

from __future__ import annotations

import socket
from typing import Any

import msgspec

from muniment.policy import errors

MAX_REQUEST_BYTES = 4 << 20
MAX_REPLY_BYTES = 64 << 20
LENGTH_BYTES = 4


class Looker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who looks, as the console has established: id in the register of people, name, role."""

    id: str
    name: str
    role: str


class Request(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One question to a room."""

    operation: str
    looker: Looker
    arguments: msgspec.Raw = msgspec.Raw(b"\x80")


class Reply(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Its answer; `error` names the kind of error, empty when there is none."""

    error: str = ""
    message: str = ""
    clause: str = ""
    value: msgspec.Raw = msgspec.Raw(b"\x80")


_REQUEST = msgspec.msgpack.Decoder(Request)
_REPLY = msgspec.msgpack.Decoder(Reply)
encode = msgspec.msgpack.Encoder().encode


def parse_request(data: bytes) -> Request:
    """Read a request. Raises: BadInput when the bytes are none."""
    try:
        return _REQUEST.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise errors.BadInput(f"not a request to a room: {error}") from None


def parse_reply(data: bytes) -> msgspec.Raw:
    """Return the value of a reply, or raise the error it reports."""
    try:
        reply = _REPLY.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.Unavailable(f"the room's reply cannot be read: {error}") from None
    if reply.error:
        raise _error_of(reply)
    return reply.value


def reply_of(error: errors.MunimentError) -> bytes:
    """Return the encoded reply that reports an error; a refusal keeps its clause."""
    if isinstance(error, errors.Refused):
        said = str(error).removesuffix(f" (clause {error.clause})")
        return encode(Reply("Refused", said, error.clause))
    kinds = (kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
    return encode(Reply(next(kinds).__name__, str(error)))


def _error_of(reply: Reply) -> errors.MunimentError:
    if reply.error == "Refused":
        return errors.Refused(reply.message, clause=reply.clause)
    kind = getattr(errors, reply.error, errors.Unavailable)
    if not (isinstance(kind, type) and issubclass(kind, errors.MunimentError)):
        kind = errors.Unavailable
    return kind(reply.message)


def send(connection: socket.socket, data: bytes) -> None:
    """Send one message with its length before it."""
    connection.sendall(len(data).to_bytes(LENGTH_BYTES, "big") + data)


def receive(connection: socket.socket, limit_bytes: int) -> bytes | None:
    """Return the next message, None when the other side has closed between two.

    Raises:
        BadInput: it is longer than the limit. OSError: the connection broke within a message.
    """
    head = _exactly(connection, LENGTH_BYTES, may_end=True)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if length > limit_bytes:
        raise errors.BadInput(f"a message of {length:,} bytes is too long; the limit is {limit_bytes:,}")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, length: int, *, may_end: bool = False) -> bytes:
    parts: list[bytes] = []
    missing = length
    while missing:
        part = connection.recv(min(missing, 1 << 20))
        if not part:
            if may_end and not parts:
                return b""
            raise ConnectionResetError("the other side closed the connection within a message")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def value_of(data: Any) -> msgspec.Raw:
    """Return a value as it travels within a reply."""
    return msgspec.Raw(encode(data))
