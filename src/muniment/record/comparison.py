"""The comparison of the catalogue with the entries it was made from: every line opened, every row and token compared.

A large record is compared by processes of their own, one a core, which begin at once and run beside the other checks.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from hashlib import sha256
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from typing import NamedTuple

from muniment.policy.errors import Missing, MunimentError
from muniment.record.catalogue import Catalogue
from muniment.record.frame import Frame, Trailer, walk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.keytree import Punctured, SeedReader
from muniment.record.reading import line_under, row_of
from muniment.record.row import Row, split_tokens
from muniment.record.segment import SegmentId, list_segments, mapped
from muniment.record.verify import REBUILD, RESTORE, Check, Finding, Report

ALONE_BYTES = 32 << 20  # a record with less in its segments is compared by the process that asks


class Part(NamedTuple):
    """What was found in some of the segments: findings, the entries seen, and whether all could be looked at."""

    findings: list[Finding]
    seen: list[int]
    is_whole: bool


def compare_catalogue(home: Home, keeper: Keeper) -> Check:
    """Begin to compare, and return the check that the catalogue says of every entry what its leaf and line say.

    It forks: the process that calls it has one thread.
    """
    size = sum(path.stat().st_size for path in home.segments.glob("*/*.seg"))
    count = len(os.sched_getaffinity(0)) if size > ALONE_BYTES else 1
    takers = [_begin(partial(_compare_part, home, keeper, at, count), count > 1) for at in range(count)]

    def check(_home: Home, ordered: list[bytes], hashes: list[bytes], report: Report) -> None:
        parts = [take() for take in takers]
        report.findings += dict.fromkeys(finding for part in parts for finding in part.findings)
        if not all(part.is_whole for part in parts):
            return
        with closing(Catalogue(home.database)) as catalogue:
            unseen = catalogue.indexes()
        for part in parts:
            unseen.difference_update(part.seen)
        for index in sorted(unseen):
            report.find("catalogue", f"entry {index}", "stands in the catalogue but in no segment", REBUILD)

    return check


def _begin(work: Callable[[], Part], is_beside: bool) -> Callable[[], Part]:
    """Return what gives the result of `work`, which runs in a process of its own or when it is asked for."""
    if not is_beside:
        return work
    receiver, sender = Pipe(duplex=False)
    process = get_context("fork").Process(target=_send, args=(sender, work), daemon=True)
    process.start()
    sender.close()

    def take() -> Part:
        try:
            part: Part = receiver.recv()
        except EOFError:
            lost = Finding(
                "catalogue", "the comparison", "was ended from outside", "Run `muniment verify` again"
            )
            part = Part([lost], [], False)
        process.join()
        receiver.close()
        return part

    return take


def _send(sender: Connection, work: Callable[[], Part]) -> None:
    gc.disable()  # nothing here makes circles, and looking for them costs a tenth
    sender.send(work())


def _compare_part(home: Home, keeper: Keeper, at: int, count: int) -> Part:
    """Compare every `count`-th segment, from number `at` on."""
    report, seen = Report(), []
    try:
        with closing(Catalogue(home.database)) as catalogue:
            mentions = catalogue.all_mentions()
            for segment in sorted(list_segments(home))[at::count]:
                seen += _compare_segment(home, segment, keeper, catalogue, mentions, report)
    except MunimentError as error:
        report.find("catalogue", home.database, str(error), REBUILD)
        return Part(report.findings, seen, False)
    return Part(report.findings, seen, True)


def _compare_segment(
    home: Home,
    segment: SegmentId,
    keeper: Keeper,
    catalogue: Catalogue,
    mentions: dict[int, bytes],
    report: Report,
) -> list[int]:
    """Compare every frame of every flush of a segment; return the indexes of the entries that lie in it."""
    seen = []
    try:
        seeds = SeedReader(keeper.cover((segment.retention, segment.epoch)))
    except Missing as error:
        if segment.husk_path(home).exists():
            report.notes.append(f"{segment.path(home)}: is being forgotten; the next start finishes it")
        else:
            report.find("line", segment.path(home), str(error), RESTORE)
        return [row.idx for row in catalogue.rows("retention = ? AND epoch = ? AND number = ?", segment)]
    with mapped(segment.path(home)) as data:
        frames: list[Frame] = []
        for item in walk(data):
            if isinstance(item, Frame):
                frames.append(item)
                continue
            rows = _rows_of(item, catalogue)
            for frame in frames:
                index = frame.ledger_index
                seen.append(index)
                _compare(frame, segment, seeds, rows.get(index), mentions.get(index, b""), report)
            frames = []
    return seen


def _rows_of(flush: Trailer, catalogue: Catalogue) -> dict[int, Row]:
    rows: Iterable[Row] = catalogue.rows("idx >= ? AND idx < ?", (flush.first_index, flush.size))
    return {row.idx: row for row in rows}


def _compare(
    frame: Frame, segment: SegmentId, seeds: SeedReader, row: Row | None, tokens: bytes, report: Report
) -> None:
    try:
        line = line_under(seeds.seed(int.from_bytes(frame.leaf[12:16], "big")), frame.leaf, frame.body)
    except Punctured:
        return  # erased by order: the key of this one entry is destroyed
    except MunimentError as error:
        if sha256(frame.body).digest() == frame.leaf[48:80]:  # else the check of its segment has named it
            report.find("line", f"entry {frame.ledger_index}", str(error), RESTORE)
        return
    if row is None:
        report.find("catalogue", f"entry {frame.ledger_index}", "is not in the catalogue", REBUILD)
    elif row != row_of(frame, segment, line) or tokens != b"".join(sorted(split_tokens(line.tokens))):
        report.find(
            "catalogue",
            f"entry {frame.ledger_index}",
            "the catalogue says other facts than its frame",
            REBUILD,
        )
