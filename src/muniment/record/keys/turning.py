"""Turning the ring at somebody's wish: every copy of it made before is useless from now on.

Source: docs/formats/ring.md; R-5.1-a.
"""

from __future__ import annotations

from typing import Any

from muniment.policy.errors import BadInput
from muniment.record.opening import OpenRecord


def turn_ring(opened: OpenRecord, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    """Turn the ring, state it in the record, and return the generation and what the statement says.

    Raises:
        BadInput: there are arguments.
        Unavailable: the disk did not take all of it. Asked again, it goes on; a start finds either ring whole.
    """
    if arguments:
        raise BadInput("a turn of the ring takes no arguments; leave them out")
    keeper = opened.record.parts.keeper
    before = keeper.generation
    keeper.turn()
    opened.append([])
    opened.publish()
    return {"before": before, "generation": keeper.generation, "digest": keeper.digest()}
