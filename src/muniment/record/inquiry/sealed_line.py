"""What an entry's own sealed line says, so that an edited catalogue opens nothing more. Rule 6 of a release.

The line is sealed with the keeper's share to the head of its leaf when the entry is recorded: stream, time, addresses,
mark, and which entries hold its bytes. Source: docs/formats/permit.md, "What the recorder releases"; segment.md.
"""

from __future__ import annotations

import os
from collections import defaultdict

from muniment.policy.errors import Missing, Tampered
from muniment.record import line as lines
from muniment.record.entry import Kind
from muniment.record.frame import FRAME_HEAD_BYTES, SECTIONS_BYTES, parse_line_head
from muniment.record.home import Home
from muniment.record.leaf import HEAD, Leaf
from muniment.record.leaf import parse as parse_leaf
from muniment.record.row import Row, split_tokens
from muniment.record.seal import LINE, blade, kept_key, open_section
from muniment.record.segment import SegmentId
from muniment.record.selection import LATEST_MS, Query, stream_numbers

_READ_BYTES = 1024
_OPEN_SEGMENTS = 8


class SealedLines:
    """Compares entries with the question of one permit, by their sealed lines alone."""

    def __init__(self, home: Home, token_key: bytes, query: Query) -> None:
        self._home, self._query = home, query
        self._streams = frozenset(stream_numbers(query.streams))
        self._windows: defaultdict[bytes, list[tuple[int, int]]] = defaultdict(list)
        for window in query.windows:
            end_ms = LATEST_MS if window.end_ms is None else window.end_ms
            self._windows[lines.token(token_key, window.address)].append((window.start_ms, end_ms))
        self._open: dict[SegmentId, int] = {}

    def require_fits(self, row: Row, keeper_seed: bytes) -> None:
        """Return when an entry is one of those asked for.

        Raises:
            Tampered: the catalogue says so and the entry itself does not.
        """
        leaf, line = self._read(row, keeper_seed)
        if not self._fits(leaf, line):
            raise _edited(row.idx)

    def require_holds(self, index: int, referrer: Row, keeper_seed: bytes) -> None:
        """Return when an entry asked for says itself that the entry `index` holds its bytes.

        Raises:
            Tampered: the catalogue says so and the entry does not.
        """
        leaf, line = self._read(referrer, keeper_seed)
        holders = (line.about,) if leaf.kind == Kind.OBSERVATION else line.blobs
        if index not in holders or not self._fits(leaf, line):
            raise _edited(index)

    def close(self) -> None:
        """Let go of the segments."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _fits(self, leaf: Leaf, line: lines.Line) -> bool:
        query, time_ms = self._query, line.dated_ms or leaf.captured_ms
        return (
            leaf.kind in (Kind.RECORD, Kind.OBSERVATION)
            and leaf.stream in self._streams
            and line.shielded == query.is_shielded
            and query.from_ms <= time_ms < query.until_ms
            and any(
                start_ms <= time_ms < end_ms
                for token in split_tokens(line.tokens)
                for start_ms, end_ms in self._windows.get(token, ())
            )
        )

    def _read(self, row: Row, keeper_seed: bytes) -> tuple[Leaf, lines.Line]:
        data = self._bytes(row, _READ_BYTES)
        leaf = data[16:FRAME_HEAD_BYTES]
        if len(data) < FRAME_HEAD_BYTES + SECTIONS_BYTES:
            raise _edited(row.idx)
        salt, length = parse_line_head(data[FRAME_HEAD_BYTES:])
        start = FRAME_HEAD_BYTES + SECTIONS_BYTES
        if start + length > len(data):
            data = self._bytes(row, start + length)
        sealed = data[start : start + length]
        told = open_section(kept_key(blade(keeper_seed, LINE), salt), LINE, leaf[:HEAD], sealed)
        return parse_leaf(leaf), lines.decode(told)

    def _bytes(self, row: Row, most: int) -> bytes:
        """Return the beginning of an entry's frame; the files of the last few segments stay open."""
        descriptor = self._open.pop(row.segment, None)
        if descriptor is None:
            path = row.segment.path(self._home)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise Missing(
                    f"{path} is not there; entry {row.idx} lies in it. Restore it from a backup"
                ) from None
        self._open[row.segment] = descriptor
        while len(self._open) > _OPEN_SEGMENTS:
            os.close(self._open.pop(next(iter(self._open))))
        return os.pread(descriptor, min(most, row.length), row.at)


def _edited(index: int) -> Tampered:
    return Tampered(
        f"the catalogue says that entry {index} is one of those asked for, and the entry itself does not: the "
        "catalogue was edited. Nothing is released; run `muniment verify`, then `muniment rebuild`"
    )
