"""What was sent differs little from what was written; it is kept as edits to it.

An edit is (copy, skip, insert): take `copy` bytes of the written face, pass over `skip`, then add the next
`insert` new bytes. Edits are found fast rather than perfectly; they always give the sent face back exactly.

Source: docs/formats/packing.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Edit = tuple[int, int, int]

MAX_EDITS = 64
_ANCHOR_BYTES = 32
_PROBES = 24
_SEARCH_BYTES = 1 << 16


def find_edits(written: bytes, sent: bytes) -> tuple[list[Edit], list[bytes]]:
    """Return the edits that turn `written` into `sent`, and the new bytes of each."""
    edits: list[Edit] = []
    inserts: list[bytes] = []
    at = to = 0
    while len(edits) < MAX_EDITS:
        copy = _common(written, at, sent, to)
        at, to = at + copy, to + copy
        skip, insert = _resume(written, at, sent, to)
        edits.append((copy, skip, insert))
        inserts.append(sent[to : to + insert])
        at, to = at + skip, to + insert
        if to == len(sent):
            return edits, inserts
    edits.append((0, 0, len(sent) - to))
    inserts.append(sent[to:])
    return edits, inserts


def apply_edits(written: bytes, edits: Iterable[Edit], new: bytes) -> bytes:
    """Return the sent face; `new` is all inserted bytes in order."""
    parts: list[bytes] = []
    at = to = 0
    for copy, skip, insert in edits:
        parts += written[at : at + copy], new[to : to + insert]
        at, to = at + copy + skip, to + insert
    return b"".join(parts)


def fit(edits: Sequence[Edit], written_bytes: int) -> bool:
    """Tell whether edits stay within a written face of that length."""
    at = 0
    for copy, skip, insert in edits:
        at += copy + skip
        if copy < 0 or skip < 0 or insert < 0 or at > written_bytes:
            return False
    return True


def _common(a: bytes, i: int, b: bytes, j: int) -> int:
    """Return how many bytes of `a` from `i` and `b` from `j` are the same."""
    most = min(len(a) - i, len(b) - j)
    if a[i : i + most] == b[j : j + most]:
        return most
    same, step = 0, 256
    while a[i + same : i + same + step] == b[j + same : j + same + step]:
        same += step
        step *= 2
    while step > 1:
        step //= 2
        if a[i + same : i + same + step] == b[j + same : j + same + step]:
            same += step
    return same


def _resume(a: bytes, i: int, b: bytes, j: int) -> tuple[int, int]:
    """Return how much of `a` to skip and of `b` to insert until they agree again; all of `b` if they never do."""
    left = len(b) - j
    if not left:
        return 0, 0
    at = i
    for _ in range(_PROBES):
        if at >= len(a):
            break
        found = b.find(a[at : at + _ANCHOR_BYTES], j, j + _SEARCH_BYTES)
        if found >= 0:
            return at - i, found - j
        # What was replaced is mostly whole lines, so the next line is the next place to look for.
        at = a.find(b"\n", at, at + _SEARCH_BYTES) + 1
        if not at:
            break
    return 0, left
