"""A few processes that read hostile files: each with limits, killed when it takes too long, replaced when it dies.

They are started afresh, not forked, know nothing but the bytes they are given, and end when this process does. A
worker that was killed takes nothing with it but the file it was at.
"""

from __future__ import annotations

import atexit
import os
import struct
import subprocess
import sys
import threading
from functools import lru_cache
from queue import SimpleQueue
from typing import IO

import msgspec

from muniment.answer.reading.extracted import Extracted, Problem
from muniment.answer.reading.leaves import Leaves, NotParsed

MAX_REPLY_BYTES = 256 << 20
GRACE_SECONDS = 10.0  # a machine that is busy is not the file's fault
JOBS_A_LIFE = 500  # then a worker is replaced, so that what a library leaks stays little
_LENGTH = struct.Struct(">I")
_encode = msgspec.msgpack.Encoder().encode
_COMMAND = (sys.executable, "-I", "-m", "muniment.answer.reading.worker")


class Job(msgspec.Struct, frozen=True, array_like=True):
    """What a worker is asked; `act` is "parse" or "extract"."""

    act: str
    seconds: float
    data: bytes
    name: str = ""
    type: str = ""


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """What it answers: one of the two, or in `failed` the name of the error it met."""

    failed: str = ""
    leaves: Leaves | None = None
    extracted: Extracted | None = None


_decode = msgspec.msgpack.Decoder(Reply).decode


class Broken(Exception):
    """The worker was killed or broke off; `is_slow` when it had had its time."""

    def __init__(self, *, is_slow: bool) -> None:
        super().__init__("too slow" if is_slow else "broke off")
        self.is_slow = is_slow


class Worker:
    """One process; it does one job at a time."""

    def __init__(self) -> None:
        self.jobs = 0
        # Nothing of the environment goes along but what the interpreter needs to find its libraries.
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
            cwd="/",
        )

    def ask(self, job: Job) -> Reply:
        """Return the reply to one job.

        Raises: Broken when the process ends before it has replied, or has not within twice its seconds and some grace.
        """
        self.jobs += 1
        was_killed = threading.Event()
        timer = threading.Timer(2 * job.seconds + GRACE_SECONDS, self._kill, [was_killed])
        timer.start()
        try:
            assert self._process.stdin is not None and self._process.stdout is not None
            write_message(self._process.stdin, _encode(job))
            return _decode(read_message(self._process.stdout, MAX_REPLY_BYTES))
        except (OSError, EOFError, msgspec.DecodeError):
            self.close()
            raise Broken(
                is_slow=was_killed.is_set() or self._process.returncode == -24
            ) from None  # 24: SIGXCPU
        finally:
            timer.cancel()

    @property
    def is_alive(self) -> bool:
        """Tell whether the process is still there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue

    def _kill(self, was_killed: threading.Event) -> None:
        was_killed.set()
        self._process.kill()


class Workers:
    """At most `most` workers, started when they are needed; callers wait for a free one. Safe for threads."""

    def __init__(self, most: int) -> None:
        self._free: SimpleQueue[Worker | None] = SimpleQueue()
        for _ in range(most):
            self._free.put(None)

    def parse(self, raw: bytes, seconds: float) -> Leaves:
        """Return the parts of a message, by the patient parser.

        Raises: NotParsed when it does not read them, or not in time.
        """
        try:
            reply = self._ask(Job("parse", seconds, raw))
        except Broken as error:
            raise NotParsed(f"patient parser: {error}") from None
        if reply.leaves is None:
            raise NotParsed(f"patient parser: {reply.failed}")
        return reply.leaves

    def extract(self, name: str, type: str, data: bytes, seconds: float) -> Extracted:
        """Return the text of a file, or why there is none."""
        try:
            reply = self._ask(Job("extract", seconds, data, name, type))
        except Broken as error:
            return Extracted("", Problem.TOO_SLOW if error.is_slow else Problem.CRASHED)
        return reply.extracted or Extracted("", Problem.DAMAGED)

    def close(self) -> None:
        """End all workers; the next job starts one again."""
        workers = [self._free.get() for _ in range(self._free.qsize())]
        for worker in workers:
            if worker is not None:
                worker.close()
            self._free.put(None)

    def _ask(self, job: Job) -> Reply:
        """Give a job to a free worker; a worker that breaks is replaced for the next job."""
        worker = self._free.get()
        try:
            if worker is not None and (worker.jobs >= JOBS_A_LIFE or not worker.is_alive):
                worker.close()
                worker = None
            if worker is None:
                worker = Worker()
            return worker.ask(job)
        except Broken:
            worker = None
            raise
        except OSError:  # no process can be started now
            worker = None
            raise Broken(is_slow=False) from None
        finally:
            self._free.put(worker)


@lru_cache(maxsize=1)
def shared() -> Workers:
    """Return the workers of this process; they end with it."""
    found = Workers(2)
    atexit.register(found.close)
    return found


def write_message(pipe: IO[bytes], data: bytes) -> None:
    """Write one message with its length before it."""
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def read_message(pipe: IO[bytes], limit_bytes: int) -> bytes:
    """Return one message.

    Raises: EOFError when the other side ended, or its message is longer than the limit.
    """
    head = pipe.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else limit_bytes + 1
    if length > limit_bytes:
        raise EOFError
    data = pipe.read(length)
    if len(data) != length:
        raise EOFError
    return data
