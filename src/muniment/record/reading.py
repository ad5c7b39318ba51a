"""Reading frames back: the catalogue row of a frame, made from its leaf and its line."""

from __future__ import annotations

from pathlib import Path

from muniment.policy.errors import Missing, Tampered
from muniment.record import leaf as leaves
from muniment.record import line as lines
from muniment.record import packing, seal
from muniment.record.frame import FRAME_HEAD_BYTES, Frame, parse_line, parse_sections, walk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.row import Row
from muniment.record.segment import SegmentId

MAX_FACTS_BYTES = 64 << 20


def open_line(leaf: bytes, body: bytes | memoryview, keeper: Keeper) -> lines.Line:
    """Return the catalogue line of a frame, opened with the keeper's share.

    Raises:
        Missing: the share was destroyed. Tampered: the line does not open.
    """
    fields = leaves.parse(leaf)
    return line_under(keeper.cover((fields.retention, fields.epoch)).seed(fields.position), leaf, body)


def line_under(seed: bytes, leaf: bytes, body: bytes | memoryview) -> lines.Line:
    """Return the catalogue line of a frame, opened with the keeper's seed of its position.

    Raises:
        Tampered: the line does not open.
    """
    salt, sealed = parse_line(body)
    key = seal.kept_key(seal.blade(seed, seal.LINE), salt)
    return lines.decode(seal.open_section(key, seal.LINE, leaf[: leaves.HEAD], sealed))


def open_facts(frame: Frame, keeper: Keeper) -> bytes:
    """Return the facts of a frame (a Decision, an outcome), opened with the keeper's share; empty when it has none.

    Raises:
        Missing: the share was destroyed. Tampered: they do not open.
    """
    fields, sections = leaves.parse(frame.leaf), parse_sections(frame.body)
    if not sections.facts:
        return b""
    seed = keeper.cover((fields.retention, fields.epoch)).seed(fields.position)
    key = seal.kept_key(seal.blade(seed, seal.FACTS), sections.salt)
    return facts_under(key, frame.leaf, sections.facts)


def facts_under(key: bytes, leaf: bytes, sealed: bytes) -> bytes:
    """Return the facts in a section under its key. Raises: Tampered when they do not open."""
    return packing.unpack_map(
        seal.open_section(key, seal.FACTS, leaf[: leaves.HEAD], sealed), MAX_FACTS_BYTES
    )


def row_of(frame: Frame, segment: SegmentId, line: lines.Line) -> Row:
    """Return the catalogue row of a frame."""
    leaf = leaves.parse(frame.leaf)
    return Row(
        frame.ledger_index,
        leaf.kind,
        leaf.channel,
        leaf.retention,
        leaf.epoch,
        leaf.position,
        segment.number,
        frame.offset,
        FRAME_HEAD_BYTES + len(frame.body),
        leaf.stream,
        leaf.sequence,
        leaf.captured_ms,
        leaf.expiry_day,
        leaf.capture,
        line.direction,
        line.size,
        line.sent_size,
        int(line.shielded),
        line.about,
        line.content_id or None,
        line.dated_ms,
        line.message_id or None,
        line.texts or None,
    )


def read_frame(home: Home, row: Row) -> Frame:
    """Return one frame from its segment.

    Raises:
        Missing: the segment is gone. Tampered: other bytes stand there.
    """
    path: Path = row.segment.path(home)
    try:
        with path.open("rb") as file:
            file.seek(row.at)
            data = file.read(row.length)
    except FileNotFoundError:
        raise Missing(f"{path} is not there; entry {row.idx} lies in it. Restore it from a backup") from None
    found = next(iter(walk(data, 0)), None)
    if not isinstance(found, Frame) or found.ledger_index != row.idx:
        raise Tampered(f"{path}: entry {row.idx} does not stand at byte {row.at}; run muniment verify")
    return found._replace(offset=row.at)
