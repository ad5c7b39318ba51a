"""How far an import came: a file of JSON lines, one more after each batch that the record has confirmed.

A killed import starts again with it: what is noted is not read again; at most one batch was recorded without being
noted, and the record marks its entries as the same bytes seen before. Only keyed digests of names are kept.

    {"format": 1}                                              the first line
    {"done": [key, ...], "counts": {...}}                      after a receipt: messages recorded
    {"checked": 64, "defects": {"name": 3, ...}}               after the messages of a batch were looked at

Source: docs/formats/import.md.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from types import TracebackType

import msgspec

from muniment.policy.errors import BadInput, Conflict

FORMAT = 1
_KEY_BYTES = 12


class _Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    format: int = 0
    done: list[str] = []
    counts: dict[str, int] = {}
    checked: int = 0
    defects: dict[str, int] = {}


def key_of(name: bytes, size: int, modified_ns: int, offset: int) -> str:
    """Return what a message is known by: its file as it is now, and where it begins in it."""
    return sha256(b"%d %d %d %b" % (size, modified_ns, offset, name)).hexdigest()[: 2 * _KEY_BYTES]


class Journal:
    """The open journal of one import; only one process has it open at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._file = os.fdopen(
            os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "r+b"
        )
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Conflict(f"this import is already running; its journal is {path}") from None
        self.done: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.defects: Counter[str] = Counter()
        self.checked = 0
        try:
            self._read(path)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def note_done(self, keys: Iterable[str], counts: dict[str, int]) -> None:
        """Note messages the record has confirmed."""
        self._write(_Line(done=list(keys), counts=counts))

    def note_checked(self, checked: int, defects: dict[str, int]) -> None:
        """Note what was found wrong with messages noted before."""
        self._write(_Line(checked=checked, defects=defects))

    def _read(self, path: Path) -> None:
        data = self._file.read()
        whole = data.rfind(b"\n") + 1
        # A line cut short by a kill was never relied on.
        self._file.truncate(whole)
        lines = data[:whole].splitlines()
        if not lines:
            self._write(_Line(format=FORMAT))
            return
        try:
            head, *rest = [msgspec.json.decode(line, type=_Line) for line in lines]
        except msgspec.DecodeError as error:
            raise BadInput(f"{path} is no import journal: {error}; move it away to import again") from None
        if head.format != FORMAT:
            raise BadInput(f"{path} has format {head.format}, expected {FORMAT}")
        for line in rest:
            self._take(line)

    def _write(self, line: _Line) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        self._take(line)

    def _take(self, line: _Line) -> None:
        self.done.update(line.done)
        self.counts.update(line.counts)
        self.checked += line.checked
        self.defects.update(line.defects)
