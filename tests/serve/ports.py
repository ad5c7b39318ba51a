"""Ports nobody else uses: each pytest worker has a range of its own below the system's ephemeral ports.

A process begins at a place of its own in that range, so that two runs at once seldom meet.
"""

from __future__ import annotations

import itertools
import os
import socket

_RANGE = 2_000
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_FIRST = 12_000 + _RANGE * _WORKER
_NEXT = (_FIRST + (17 * os.getpid() + count) % _RANGE for count in itertools.count())


def free_port() -> int:
    for port in itertools.islice(_NEXT, _RANGE):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no port is free")
