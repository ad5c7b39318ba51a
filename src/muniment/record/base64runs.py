"""Base64 in a message is undone before compression and done again after it, to the byte.

A run is one or more adjacent lines of base64 of one length, the last perhaps shorter. Only a run that encoding
gives back exactly is touched.

Source: docs/formats/packing.md; RFC 2045 6.8.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Iterable, Sequence

# Bytes before the run since the run before it, bytes it stands for, length of a full line, length of a line end.
Run = tuple[int, int, int, int]

_RUN = re.compile(rb"\n([A-Za-z0-9+/]{40,}+(?:\r?\n[A-Za-z0-9+/]++)*+={0,2})")
_ENDINGS = {1: b"\n", 2: b"\r\n"}


def take_out(data: bytes) -> tuple[bytes, list[bytes], list[Run]]:
    """Return `data` without its runs, the bytes each of them stands for, and the runs."""
    kept: list[bytes] = []
    raws: list[bytes] = []
    runs: list[Run] = []
    at = 0
    for match in _RUN.finditer(data):
        found = _decode(match[1])
        if found is None:
            continue
        raw, line, ending = found
        start = match.start(1)
        runs.append((start - at, len(raw), line, ending))
        kept.append(data[at:start])
        raws.append(raw)
        at = match.end(1)
    if not runs:
        return data, raws, runs
    return b"".join([*kept, data[at:]]), raws, runs


def undo(data: bytes) -> tuple[bytes, list[Run]]:
    """Return `data` with the bytes its runs stand for moved to its end, and the runs."""
    rest, raws, runs = take_out(data)
    return b"".join([rest, *raws]) if runs else data, runs


def redo(data: bytes, runs: Iterable[Run]) -> bytes:
    """Return the bytes that `undo` was given; the runs fit `data`."""
    runs = list(runs)
    raw_at = len(data) - sum(raw for _, raw, _, _ in runs)
    rest_end = raw_at
    parts: list[bytes] = []
    at = 0
    for gap, raw, line, ending in runs:
        parts += data[at : at + gap], _encode(data[raw_at : raw_at + raw], line, ending)
        at, raw_at = at + gap, raw_at + raw
    return b"".join([*parts, data[at:rest_end]])


def undone_length(length: int, runs: Sequence[Run]) -> int | None:
    """Return how long `undo` made a stream of `length` bytes; None when the runs cannot be of such a stream."""
    gaps = 0
    for gap, raw, line, ending in runs:
        if gap < 0 or raw < 1 or line < 1 or ending not in _ENDINGS:
            return None
        text = (raw + 2) // 3 * 4
        length -= text + (text - 1) // line * ending - raw
        gaps += gap + raw
    return length if gaps <= length else None


def _decode(text: bytes) -> tuple[bytes, int, int] | None:
    """Return (bytes, full line length, line end length) of a run, or None when encoding would not restore it."""
    first = text.find(b"\n")
    ending = 2 if text[first - 1 : first] == b"\r" else 1
    line = len(text) if first < 0 else first + 1 - ending
    try:
        raw = a2b_base64(text)
    except Error:
        return None
    return (raw, line, ending) if raw and _encode(raw, line, ending) == text else None


def _encode(raw: bytes, line: int, ending: int) -> bytes:
    text = b2a_base64(raw, newline=False)
    return _ENDINGS[ending].join([text[at : at + line] for at in range(0, len(text), line)])
