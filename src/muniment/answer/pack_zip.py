"""A zip file written front to back, its files stored and not packed, with no date and nothing of the machine in it.

The same files give the same bytes on every machine, and the stream can go straight into encryption without lying on a
disk in the clear. Below 4 GiB and 65,535 files, the form every program reads.
Source: PKWARE APPNOTE 6.3.10, 4.3.7 to 4.3.16; R-5.4-c.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from zlib import crc32

from muniment.policy.errors import BadInput

MOST_FILES = 65_000
MOST_BYTES = (4 << 30) - (64 << 20)

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION, _UTF8, _STORED = 20, 0x800, 0
_TIME, _DATE = 0, 0x21  # 1 January 1980, the first day a zip file knows
_UNIX, _FILE_MODE = 3, 0o100644


class StoredZip:
    """Writes one file after another through `write`; `finish` writes the list of them."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._at = 0
        self._central: list[bytes] = []

    def add(self, name: str, data: bytes) -> None:
        """Write one file.

        Raises: BadInput when it would become more than one zip file holds.
        """
        if len(self._central) >= MOST_FILES or self._at + len(data) > MOST_BYTES:
            raise BadInput(
                "this is more than one pack holds (4 GB, 65,000 files). Choose fewer messages a pack"
            )
        encoded = name.encode()
        sizes = (crc32(data), len(data), len(data))
        common = (_UTF8, _STORED, _TIME, _DATE, *sizes, len(encoded), 0)
        made_by = _UNIX << 8 | _VERSION
        at = self._at
        self._put(_LOCAL.pack(b"PK\3\4", _VERSION, *common), encoded, data)
        central = _CENTRAL.pack(b"PK\1\2", made_by, _VERSION, *common, 0, 0, 0, _FILE_MODE << 16, at)
        self._central.append(central + encoded)

    def finish(self) -> None:
        """Write the list of files; nothing is added afterwards."""
        at, count = self._at, len(self._central)
        self._put(*self._central)
        self._put(_END.pack(b"PK\5\6", 0, 0, count, count, self._at - at, at, 0))

    def _put(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._write(piece)
            self._at += len(piece)
