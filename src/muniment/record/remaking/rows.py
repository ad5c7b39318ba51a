"""The catalogue rows of flushes, read by one process a core: opening the lines is the most of a rebuild's work."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from itertools import groupby
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import NamedTuple

from muniment.policy.errors import Missing, MunimentError, Unavailable
from muniment.record.frame import Frame, walk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.keytree import Punctured, SeedReader
from muniment.record.leaf import parse
from muniment.record.reading import line_under, row_of
from muniment.record.remaking.ledger_order import FoundFlush
from muniment.record.row import Row, split_tokens
from muniment.record.segment import SegmentId, mapped

ALONE_ENTRIES = 5_000  # a smaller record is read by the process that asks
_ROWS_AT_ONCE = 4_096


class Rows(NamedTuple):
    """Rows of one segment; `forgotten` say what the leaves say of entries whose key was destroyed: they get none."""

    segment: SegmentId
    rows: list[Row]
    mentions: list[tuple[bytes, int]]
    forgotten: list[Row]


def read_rows(home: Home, keeper: Keeper, flushes: list[FoundFlush], entries: int) -> Iterator[Rows]:
    """Yield the rows of every flush, those of one segment in order.

    It forks: the process that calls it has one thread.
    Raises:
        Tampered: a line does not open.
    """
    count = len(os.sched_getaffinity(0)) if entries > ALONE_ENTRIES else 1
    parts = [list(found) for _, found in groupby(sorted(flushes), key=lambda flush: flush.segment)]
    if count == 1:
        for part in parts:
            yield from _rows_of(home, keeper, part)
        return
    parts.sort(key=lambda part: part[0].start - part[-1].end)
    readers = [_begin(home, keeper, parts[at::count]) for at in range(count)]
    try:
        waiting = [receiver for receiver, _ in readers]
        while waiting:
            for receiver in list(waiting):
                rows = _receive(receiver)
                if rows is None:
                    waiting.remove(receiver)
                else:
                    yield rows
    finally:
        for receiver, process in readers:
            receiver.close()
            process.join()


def _begin(home: Home, keeper: Keeper, parts: list[list[FoundFlush]]) -> tuple[Connection, ForkProcess]:
    receiver, sender = Pipe(duplex=False)
    process = get_context("fork").Process(target=_send, args=(sender, home, keeper, parts), daemon=True)
    process.start()
    sender.close()
    return receiver, process


def _send(sender: Connection, home: Home, keeper: Keeper, parts: list[list[FoundFlush]]) -> None:
    gc.disable()  # nothing here makes circles, and looking for them costs a tenth
    try:
        for part in parts:
            for rows in _rows_of(home, keeper, part):
                sender.send(rows)
        sender.send(None)
    except MunimentError as error:
        sender.send(error)
    except OSError:
        return  # nobody listens any more


def _receive(receiver: Connection) -> Rows | None:
    try:
        found: Rows | MunimentError | None = receiver.recv()
    except EOFError:
        raise Unavailable(
            "a process of the rebuild was ended from outside; run `muniment rebuild` again"
        ) from None
    if isinstance(found, MunimentError):
        raise found
    return found


def _rows_of(home: Home, keeper: Keeper, flushes: list[FoundFlush]) -> Iterator[Rows]:
    segment = flushes[0].segment
    seeds = _seeds(keeper, segment)
    rows: list[Row] = []
    mentions: list[tuple[bytes, int]] = []
    forgotten: list[Row] = []
    with mapped(segment.path(home)) as data:
        for flush in flushes:
            for item in walk(data[: flush.end], flush.start):
                if not isinstance(item, Frame):
                    continue
                frame = item._replace(body=bytes(item.body))
                row, tokens = _read(frame, segment, seeds)
                if tokens is None:
                    forgotten.append(row)
                    continue
                rows.append(row)
                mentions += [(token, row.idx) for token in split_tokens(tokens)]
            if len(rows) + len(forgotten) >= _ROWS_AT_ONCE:
                yield Rows(segment, rows, mentions, forgotten)
                rows, mentions, forgotten = [], [], []
    yield Rows(segment, rows, mentions, forgotten)


def _seeds(keeper: Keeper, segment: SegmentId) -> SeedReader | None:
    try:
        return SeedReader(keeper.cover((segment.retention, segment.epoch)))
    except Missing:
        return None


def _read(frame: Frame, segment: SegmentId, seeds: SeedReader | None) -> tuple[Row, bytes | None]:
    """Return the row of a frame and its address tokens; None for those when its key was destroyed."""
    if seeds is None:
        return bare_row(frame, segment), None
    try:
        line = line_under(seeds.seed(int.from_bytes(frame.leaf[12:16], "big")), frame.leaf, frame.body)
    except Punctured:
        return bare_row(frame, segment), None
    return row_of(frame, segment, line), line.tokens


def bare_row(frame: Frame, segment: SegmentId) -> Row:
    """Return the row of an entry whose line can no longer be opened: what its leaf says."""
    leaf = parse(frame.leaf)
    length = len(frame.body) + 192
    return Row(
        frame.ledger_index, leaf.kind, leaf.channel, leaf.retention, leaf.epoch, leaf.position, segment.number,
        frame.offset, length, leaf.stream, leaf.sequence, leaf.captured_ms, leaf.expiry_day, leaf.capture,
        0, 0, 0, 0, None, None, 0, None, None,
    )  # fmt: skip
