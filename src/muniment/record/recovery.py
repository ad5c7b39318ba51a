"""Bringing a record up after a stop of any kind: what was flushed counts, what was not is set aside.

1. the ledger's folder is brought up to the lock's checkpoint;
2. every segment the catalogue calls good must be there, at its length or longer;
3. flushes behind that length, or in segments the catalogue does not know, are found when they continue the tree;
4. all else is a torn tail and goes to quarantine; every segment is then closed: a restart is a new epoch;
5. a segment with such flushes is written anew before they count: after a failed flush the kernel still shows bytes
   that are on no disk, and says "flushed" when asked again;
6. leaves since the last checkpoint wait to be published.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from muniment.policy.errors import Tampered
from muniment.record.catalogue import Catalogue
from muniment.record.disk import Disk
from muniment.record.frame import Frame, Trailer, walk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.leaf import NO_EXPIRY
from muniment.record.ledger.merkle import Frontier
from muniment.record.ledger.tiles import TileReader
from muniment.record.reading import open_line, read_frame, row_of
from muniment.record.row import Row, SegmentRow, split_tokens
from muniment.record.segment import (
    SegmentId,
    check_header,
    list_segments,
    mapped,
    quarantine_tail,
    write_anew,
)


@dataclass
class Flush:
    """One flush found on disk that the catalogue does not hold yet."""

    segment: SegmentId
    trailer: Trailer
    leaves: list[bytes]
    rows: list[Row]
    mentions: list[tuple[bytes, int]]


@dataclass
class Recovered:
    """Where the record stands: the tree over everything flushed, and the leaves not yet published."""

    frontier: Frontier
    unpublished: list[bytes]
    quarantined: list[str] = field(default_factory=list)
    taken_up: int = 0


def recover(
    home: Home, origin: str, catalogue: Catalogue, keeper: Keeper, published: int, disk: Disk
) -> Recovered:
    """Bring catalogue and segments into step and return where the record stands.

    Raises:
        Tampered: a segment is missing or shorter than was acknowledged, or the catalogue is behind the checkpoint.
    """
    known = {row.segment: row for row in catalogue.segments()}
    _require_present(home, known, keeper)
    recovered = _resume(home, catalogue, published)
    open_segments = [s for s in list_segments(home) if s not in known or not known[s].is_closed]
    flushes = [f for s in open_segments for f in _read_flushes(home, origin, s, known.get(s), keeper)]
    good = {s: known[s].size if s in known else 0 for s in open_segments}
    found = _continuing(recovered.frontier, flushes)
    good |= {flush.segment: flush.trailer.end for flush in found}
    for segment in open_segments:
        length = quarantine_tail(home, disk, segment, good[segment])
        if length:
            recovered.quarantined.append(f"{segment.path(home).name}: {length} bytes")
    for segment in dict.fromkeys(flush.segment for flush in found):
        write_anew(home, disk, segment)
    for flush in found:
        _take(catalogue, recovered, flush)
    for segment in open_segments:
        catalogue.close_segment(segment)
    return recovered


def _require_present(home: Home, known: dict[SegmentId, SegmentRow], keeper: Keeper) -> None:
    for segment, row in known.items():
        path = segment.path(home)
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            if (segment.retention, segment.epoch) not in keeper.covers and segment.husk_path(home).exists():
                continue  # an expiry was stopped on its way: keys and segment are gone, its leaves are kept
            raise Tampered(
                f"{path} is gone; it holds acknowledged entries. Restore it from a backup"
            ) from None
        if size < row.size or (row.is_closed and size > row.size):
            raise Tampered(
                f"{path} has {size:,} bytes; {row.size:,} were acknowledged. Restore it from a backup, "
                "or run `muniment rebuild` if it was restored already"
            )


def _resume(home: Home, catalogue: Catalogue, published: int) -> Recovered:
    """Return the tree up to the catalogue's last entry: published part from tiles, the rest from segments."""
    frontier = TileReader(home.ledger, published).frontier()
    size = catalogue.size()
    if size < published:
        raise Tampered(
            f"the catalogue knows {size} entries, the checkpoint {published}: an older copy of record.db was put "
            "back. Run `muniment rebuild`"
        )
    rows = catalogue.rows("idx >= ?", (published,))
    leaves = [read_frame(home, row).leaf for row in rows]
    if len(leaves) != size - published:
        raise Tampered("the catalogue has a hole behind the last checkpoint. Run `muniment rebuild`")
    frontier.extend(sha256(b"\0" + leaf).digest() for leaf in leaves)
    return Recovered(frontier, leaves)


def _read_flushes(
    home: Home, origin: str, segment: SegmentId, known: SegmentRow | None, keeper: Keeper
) -> list[Flush]:
    """Return the whole flushes of a segment behind what the catalogue knows."""
    flushes = []
    path = segment.path(home)
    with mapped(path) as data:
        if len(data) < 64:
            return []
        check_header(path, data, segment, origin)
        frames: list[Frame] = []
        for item in walk(data, known.size if known and known.size else 64):
            if isinstance(item, Frame):
                frames.append(item._replace(body=bytes(item.body)))
                continue
            if not all(sha256(f.body).digest() == f.leaf[48:80] for f in frames):
                break
            flushes.append(_flush_of(segment, item, frames, keeper))
            frames = []
    return flushes


def _flush_of(segment: SegmentId, trailer: Trailer, frames: list[Frame], keeper: Keeper) -> Flush:
    rows, mentions = [], []
    for frame in frames:
        line = open_line(frame.leaf, frame.body, keeper)
        rows.append(row_of(frame, segment, line))
        mentions += [(token, frame.ledger_index) for token in split_tokens(line.tokens)]
    return Flush(segment, trailer, [frame.leaf for frame in frames], rows, mentions)


def _continuing(frontier: Frontier, flushes: list[Flush]) -> list[Flush]:
    """Return the flushes that continue the tree one after the other, by the roots their trailers state."""
    found, grown = [], frontier.copy()
    for flush in sorted(flushes, key=lambda f: (f.trailer.first_index, -f.segment.epoch)):
        if flush.trailer.first_index != grown.size:
            continue
        following = grown.copy()
        following.extend(sha256(b"\0" + leaf).digest() for leaf in flush.leaves)
        if (following.size, following.root()) == (flush.trailer.size, flush.trailer.root):
            found.append(flush)
            grown = following
    return found


def _take(catalogue: Catalogue, recovered: Recovered, flush: Flush) -> None:
    day = max((row.expiry_day for row in flush.rows), default=NO_EXPIRY)
    catalogue.add(
        flush.rows,
        flush.mentions,
        SegmentRow(flush.segment, flush.trailer.first_index, flush.trailer.end, False, day),
    )
    recovered.frontier.extend(sha256(b"\0" + leaf).digest() for leaf in flush.leaves)
    recovered.unpublished += flush.leaves
    recovered.taken_up += len(flush.rows)
