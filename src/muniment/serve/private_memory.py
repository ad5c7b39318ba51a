"""Keeps what a process holds in memory from core dumps, other processes and, where the machine allows, swap."""

from __future__ import annotations

import ctypes
import resource
import signal
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_MCL_CURRENT_AND_FUTURE = 3


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Have the kernel send this process a signal when the one that started it is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def keep_private(*, lock: bool = False) -> None:
    """Switch core dumps and tracing off; with `lock`, keep memory out of swap where the limit on it is unlimited.

    Best effort: a machine that does not offer one of them goes without it. Root is not kept out.
    """
    with suppress(OSError, AttributeError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        if lock and resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
            library.mlockall(_MCL_CURRENT_AND_FUTURE)
