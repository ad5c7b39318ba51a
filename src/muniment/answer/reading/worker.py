"""A process that reads hostile files, one job at a time, from its standard input; it ends when that does.

It may use little memory and time, write no file, start no process and reach no network.
"""

from __future__ import annotations

import ctypes
import resource
import sys
from contextlib import suppress

import msgspec

from muniment.answer import confinement
from muniment.answer.reading.extracted import Extracted, Problem
from muniment.answer.reading.extraction import extract
from muniment.answer.reading.patient import patient_leaves
from muniment.answer.reading.workers import Job, Reply, read_message, write_message
from muniment.policy.errors import Unavailable

MEMORY_BYTES = 1 << 30
MAX_JOB_BYTES = 200 << 20
_PR_SET_DUMPABLE = 4


def confine() -> None:
    """Give up, for good, what reading a file does not need: network, writing, memory, files, time."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    with suppress(Unavailable):  # a machine of another kind: the limits hold there too, and no room opens
        confinement.confine(())
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        resource.setrlimit(limit, (value, value))


def work() -> None:
    """Do jobs until standard input ends."""
    decode, encode = msgspec.msgpack.Decoder(Job).decode, msgspec.msgpack.Encoder().encode
    while True:
        try:
            job = decode(read_message(sys.stdin.buffer, MAX_JOB_BYTES))
        except EOFError:
            return
        _allow_seconds(job.seconds)
        write_message(sys.stdout.buffer, encode(do(job)))


def _allow_seconds(seconds: float) -> None:
    """Let the process use so much more of a processor; then it is ended by the kernel."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def do(job: Job) -> Reply:
    """Do one job; an error of a parser becomes part of the reply."""
    try:
        if job.act == "parse":
            return Reply(leaves=patient_leaves(job.data))
        return Reply(extracted=extract(job.name, job.type, job.data))
    except MemoryError:
        return Reply(failed="MemoryError", extracted=Extracted("", Problem.BOMB))
    except RecursionError:
        return Reply(failed="RecursionError", extracted=Extracted("", Problem.DAMAGED))
    except Exception as error:
        return Reply(failed=type(error).__name__, extracted=Extracted("", Problem.DAMAGED))


if __name__ == "__main__":
    confine()
    work()
