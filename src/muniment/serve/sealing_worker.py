"""A process that seals for the recorder on another core: `python -I -m muniment.serve.sealing_worker PARENT`.

It reads jobs on its standard input and writes leaves and bodies on its standard output. It holds the seeds of the
records it is at and no other key, opens no file and keeps nothing; it cannot be traced or dumped, its memory is locked
where the machine allows. It ends with the recorder, or after its hour, so that what Python has not wiped goes too.
Source: docs/decisions/0021-sealing-on-another-core.md.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Sequence

import msgspec

from muniment.record import packing
from muniment.record.sealing import Job, Sealed, seal_entry
from muniment.serve.private_memory import end_with_parent, keep_private

LIFE_SECONDS = 3600.0  # as long as an epoch at most
GRACE_SECONDS = 60.0  # the recorder replaces it first
HELLO = b"ready"
LENGTH = struct.Struct(">Q")


class Reply(msgspec.Struct, array_like=True):
    """What the worker answers: as many as there were jobs, or in `failed` the name of the error it met."""

    sealed: list[Sealed]
    failed: str = ""


encode = msgspec.msgpack.Encoder().encode
decode_jobs = msgspec.msgpack.Decoder(list[Job]).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode


def answer(data: bytes) -> bytes:
    """Return the reply to one request."""
    try:
        return encode(Reply([seal_entry(*job) for job in decode_jobs(data)]))
    except Exception as error:  # the recorder seals these itself and meets the same error
        return encode(Reply([], type(error).__name__))


def serve(requests: int, replies: int, ends: float) -> None:
    """Answer on two descriptors until the recorder closes its end or the time of `time.monotonic` is over."""
    while select.select([requests], [], [], max(0.0, ends - time.monotonic()))[0]:
        head = _read(requests, LENGTH.size)
        if not head:
            return
        reply = answer(_read(requests, LENGTH.unpack(head)[0]))
        _write(replies, LENGTH.pack(len(reply)) + reply)


def _read(descriptor: int, length: int) -> bytes:
    """Return exactly so many bytes; fewer when the other end was closed."""
    parts, left = [], length
    while left and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _end_with(parent: int) -> None:
    """Have the kernel kill this process with the one that started it, which may have ended already."""
    end_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(0)


def main(arguments: Sequence[str]) -> None:
    """Seal for the process whose number is the first argument."""
    # A stop is the recorder's to give: it may still be at its last batch.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _end_with(int(arguments[0]))
    keep_private(lock=True)
    for level in (packing.WIRE_LEVEL, packing.IMPORT_LEVEL):  # reads the dictionaries
        packing.pack(bytes(4096), None, level=level)
        packing.pack_map(bytes(64), level=level)
    gc.disable()  # jobs make no circles
    _write(1, HELLO)
    serve(0, 1, time.monotonic() + LIFE_SECONDS + GRACE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
