"""What a message's sealed content says of an attachment that it names. Source: docs/formats/packing.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

LEAST_BYTES = 4096
KEY_BYTES = 32


class Reference(NamedTuple):
    """Run `run` of a message's base64 stands for the bytes of entry `entry`, in `epoch` of the message's own class."""

    run: int
    entry: int
    epoch: int
    key: bytes


Fetch = Callable[[Reference], bytes]
