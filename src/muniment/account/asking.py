"""One JSON line asked of a process of this machine over its local socket; nothing that is sealed passes there."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from muniment.policy.errors import Unavailable
from muniment.record.client import short_path

_MOST_BYTES = 400 << 20


def ask(path: Path, question: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return the answer of the process that listens at `path`.

    Raises:
        Unavailable: it does not answer in time, or not with an object.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection, short_path(path) as name:
            connection.settimeout(seconds)
            connection.connect(name)
            connection.sendall(json.dumps(question).encode() + b"\n")
            with connection.makefile("rb") as lines:
                answer = json.loads(lines.readline(_MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise Unavailable(f"nothing answers at {path}") from error
    if not isinstance(answer, dict):
        raise Unavailable(f"what answers at {path} speaks of something else")
    return answer
