"""The key acts that the running recorder does when it is asked on its socket.

Source: docs/formats/recorder-socket.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from muniment.record.keys.turning import turn_ring
from muniment.record.opening import OpenRecord

OPERATIONS: Final[Mapping[str, Callable[[OpenRecord, dict[str, Any]], dict[str, Any]]]] = {
    "turn-ring": turn_ring,
}
