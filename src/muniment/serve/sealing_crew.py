"""Seals large batches on the machine's other cores: a part goes to each worker, the rest is sealed here meanwhile.

1. A batch too small to gain, or one that finds no worker ready, is sealed here.
2. The entries are shared out in order, by what they cost; the share given away follows who had to wait last time.
3. A worker that ends, breaks off or is too slow is killed, and the whole batch is lost: its positions are burnt, and
   the recorder seals it again by itself. Another worker is started after a while.

One thread at a time, the one that appends. Source: docs/decisions/0021-sealing-on-another-core.md.
"""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec

from muniment.record.sealing import InPlace, Job, Sealed, SealingLost
from muniment.serve.sealing_worker import HELLO, LENGTH, LIFE_SECONDS, decode_reply, encode

MOST_WORKERS = 3
LEAST_COST_BYTES = 96 << 10  # about a dozen messages of 4 KB; for less, handing over costs more than it gains
START_SECONDS = 60.0
REPLY_SECONDS = 10.0  # most batches take milliseconds
_LEAST_BYTES_A_SECOND = 1_000_000  # what long ones are given in addition
RETRY_SECONDS = 60.0
_ENTRY_BYTES = 4096  # what an entry costs whatever its size, in bytes of content
_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 20
_LEAST_SHARE, _MOST_SHARE, _STEP = 0.05, 0.95, 1.06


class _Broken(Exception):
    """A worker ended, broke off or was too slow; the text says which."""


class Worker:
    """One process; it has at most one request at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
        # Started afresh, never forked: the recorder has threads and keys. Descriptors of its own do not go along.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
            cwd="/",
            bufsize=0,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        for descriptor in (self._in, self._out):
            os.set_blocking(descriptor, False)
            with suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._hello = b""

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def is_ready(self) -> bool:
        """Tell whether it has said so; does not wait.

        Raises: _Broken when it has ended.
        """
        with suppress(BlockingIOError):
            while self._hello != HELLO:
                part = os.read(self._out, len(HELLO) - len(self._hello))
                if not part:
                    raise _Broken("a sealing process did not start")
                self._hello += part
        return self._hello == HELLO

    def ask(self, jobs: Sequence[Job], deadline: float) -> None:
        """Hand over jobs.

        Raises: _Broken.
        """
        data = encode(jobs)
        view = memoryview(LENGTH.pack(len(data)) + data)
        while view:
            self._await(self._in, select.POLLOUT, deadline)
            try:
                view = view[os.write(self._in, view) :]
            except OSError:
                raise _Broken("a sealing process ended") from None

    def has_replied(self) -> bool:
        """Tell whether a reply has begun to come."""
        return bool(_poll(self._out, select.POLLIN, 0))

    def take(self, count: int, deadline: float) -> list[Sealed]:
        """Return what the jobs handed over became.

        Raises: _Broken.
        """
        length = LENGTH.unpack(self._read(LENGTH.size, deadline))[0]
        try:
            reply = decode_reply(self._read(length, deadline))
        except msgspec.DecodeError:
            raise _Broken("a sealing process gave an answer that cannot be read") from None
        if reply.failed or len(reply.sealed) != count:
            raise _Broken(f"a sealing process failed: {reply.failed or 'entries are missing'}")
        return reply.sealed

    def close(self, *, is_lost: bool = False) -> None:
        """End the process: with its next breath, or at once when it is lost."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(0 if is_lost else 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self, length: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while length:
            self._await(self._out, select.POLLIN, deadline)
            part = os.read(self._out, min(length, _READ_BYTES))
            if not part:
                raise _Broken("a sealing process ended")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _await(self, descriptor: int, event: int, deadline: float) -> None:
        if not _poll(descriptor, event, max(0.0, deadline - time.monotonic())):
            raise _Broken("a sealing process was too slow")


def spare_cores() -> int:
    """Return how many cores are left for workers: one is the recorder's own, one that of whoever hands it mail."""
    return max(0, len(os.sched_getaffinity(0)) - 2)


class Crew:
    """Up to `count` workers, started at once and again when one is lost; without any, all is sealed here.

    Times come from `time.monotonic`; `command` starts a worker.
    """

    def __init__(
        self,
        count: int,
        *,
        command: Sequence[str] = (),
        reply_seconds: float = REPLY_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._count = max(0, min(count, MOST_WORKERS))
        own = (sys.executable, "-I", "-m", "muniment.serve.sealing_worker", str(os.getpid()))
        self._command = command or own
        self._reply_seconds, self._retry_seconds = reply_seconds, retry_seconds
        self.here = InPlace()  # seals what is not given away
        self._workers: list[tuple[Worker, float]] = []  # with the time each was started
        self._share = self._count / (self._count + 1)
        self._not_before = 0.0
        self._trouble = ""
        self._start()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes."""
        return [worker.pid for worker, _ in self._workers]

    @property
    def state(self) -> str:
        """Where the sealing is done, in words for `muniment status`."""
        where = f"in the recorder's process and {len(self._workers)} of {self._count} beside it"
        if not self._count:
            where = f"{self.here.state}: the other cores are needed for what hands it mail"
        return f"{where}; {self._trouble}" if self._trouble else where

    def count_ready(self) -> int:
        """Return how many workers could be given something now."""
        return len(self._ready())

    def seal(self, jobs: Sequence[Job]) -> list[Sealed]:
        """Return what `seal_entry` makes of each job, in the same order.

        Raises:
            SealingLost: a worker was lost that had been given some of them.
        """
        costs = [_ENTRY_BYTES + len(job.entry.content) + len(job.entry.sent or b"") for job in jobs]
        if len(jobs) < 2 or sum(costs) < LEAST_COST_BYTES:
            return self.here.seal(jobs)
        workers = self._ready()
        if not workers:
            return self.here.seal(jobs)
        *given, kept = _parts(jobs, costs, [self._share / len(workers)] * len(workers))
        seconds = self._reply_seconds + sum(costs) / _LEAST_BYTES_A_SECOND
        try:
            for worker, part in zip(workers, given, strict=True):
                worker.ask(part, time.monotonic() + seconds)
            own = self.here.seal(kept)
            self._learn(all(worker.has_replied() for worker in workers))
            sealed: list[Sealed] = []
            for worker, part in zip(workers, given, strict=True):
                sealed += worker.take(len(part), time.monotonic() + seconds)
        except _Broken as error:
            self._give_up(str(error))
            raise SealingLost(str(error)) from None
        except BaseException:
            self._give_up("sealing broke off")
            raise
        return sealed + own

    def close(self) -> None:
        """End all workers."""
        while self._workers:
            self._workers.pop()[0].close()

    def _start(self) -> None:
        """Start what is missing, unless starting has just failed."""
        now = time.monotonic()
        while len(self._workers) < self._count and now >= self._not_before:
            try:
                self._workers.append((Worker(self._command), now))
            except OSError as error:
                self._give_up(f"no process could be started: {error.strerror}")

    def _ready(self) -> list[Worker]:
        """Return the workers that can be given something; replace those that have had their hour."""
        now = time.monotonic()
        for old in [pair for pair in self._workers if now - pair[1] >= LIFE_SECONDS]:
            self._workers.remove(old)
            old[0].close()
        self._start()
        found = []
        for worker, since in list(self._workers):
            try:
                if worker.is_ready():
                    found.append(worker)
                elif now - since > START_SECONDS:
                    raise _Broken("a sealing process did not start")
            except _Broken as error:
                self._give_up(str(error))
                return []
        if len(found) == self._count:
            self._trouble = ""
        return found

    def _learn(self, had_replied: bool) -> None:
        """Give more away next time when the workers were done first, less when they were waited for."""
        share = self._share * _STEP if had_replied else self._share / _STEP
        self._share = max(_LEAST_SHARE, min(_MOST_SHARE, share))

    def _give_up(self, trouble: str) -> None:
        """End all workers, whose answers nobody waits for any more; try again later."""
        while self._workers:
            self._workers.pop()[0].close(is_lost=True)
        self._trouble = trouble
        self._not_before = time.monotonic() + self._retry_seconds


def _parts(jobs: Sequence[Job], costs: Sequence[int], shares: Sequence[float]) -> Iterator[Sequence[Job]]:
    """Yield, in order, the part of each share by cost, and then what is left."""
    at, spent, until, whole = 0, 0, 0.0, sum(costs)
    for share in shares:
        start, until = at, until + share * whole
        while at < len(jobs) and spent + costs[at] <= until:
            spent += costs[at]
            at += 1
        yield jobs[start:at]
    yield jobs[at:]


def _poll(descriptor: int, event: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(seconds * 1000))
