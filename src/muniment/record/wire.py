"""What passes over the recorder's socket: length-prefixed MessagePack, requests and replies in order.

    request   u32 length, [operation, entries, arguments]
    reply     u32 length, [error kind or "", message, receipts, value, clause]

Only the recorder's own user can open the socket. Source: docs/formats/recorder-socket.md.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from muniment.policy import errors
from muniment.record.entry import Entry, Receipt

MAX_MESSAGE_BYTES = 64 << 20
LENGTH_BYTES = 4


class Request(msgspec.Struct, frozen=True, array_like=True):
    """One question to the recorder: `append` has entries, `select`, `release` and `listing` have arguments."""

    operation: str
    entries: tuple[Entry, ...] = ()
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """Its answer; `error` names the kind of error, empty when there is none; `clause` that of a refusal."""

    error: str = ""
    message: str = ""
    receipts: tuple[Receipt, ...] = ()
    value: dict[str, Any] = msgspec.field(default_factory=dict)
    clause: str = ""


_Arguments = TypeVar("_Arguments")
_ENCODE = msgspec.msgpack.Encoder().encode
_REQUEST = msgspec.msgpack.Decoder(Request)
_REPLY = msgspec.msgpack.Decoder(Reply)


def frame(message: Request | Reply) -> bytes:
    """Return a message with its length before it.

    Raises:
        BadInput: it is longer than the socket takes.
    """
    data = _ENCODE(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise errors.BadInput(
            f"a batch of {len(data):,} bytes is too long; the limit is {MAX_MESSAGE_BYTES:,}"
        )
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def parse_request(data: bytes) -> Request:
    """Read a request.

    Raises:
        BadInput: the bytes are not one.
    """
    try:
        return _REQUEST.decode(data)
    except msgspec.DecodeError as error:
        raise errors.BadInput(f"not a request to the recorder: {error}") from None


def read_arguments(arguments: dict[str, Any], kind: type[_Arguments]) -> _Arguments:
    """Return the arguments of an operation as what it takes.

    Raises:
        BadInput: they are others.
    """
    try:
        return msgspec.convert(arguments, kind, strict=True)
    except msgspec.ValidationError as error:
        raise errors.BadInput(f"the recorder was asked with other arguments than it takes: {error}") from None


def parse_reply(data: bytes) -> Reply:
    """Read a reply and raise the error it reports, if any."""
    try:
        reply = _REPLY.decode(data)
    except msgspec.DecodeError as error:
        raise errors.Unavailable(f"the recorder's reply cannot be read: {error}") from None
    if reply.error:
        raise _error_of(reply)
    return reply


def reply_of(error: errors.MunimentError) -> Reply:
    """Return the reply that reports an error."""
    if isinstance(error, errors.Refused):
        return Reply("Refused", str(error).removesuffix(f" (clause {error.clause})"), clause=error.clause)
    return Reply(type(error).__name__, str(error))


def _error_of(reply: Reply) -> errors.MunimentError:
    kind = getattr(errors, reply.error, errors.Unavailable)
    if kind is errors.Refused:
        return errors.Refused(reply.message, clause=reply.clause)
    if not issubclass(kind, errors.MunimentError):
        kind = errors.Unavailable
    return kind(reply.message)
