"""Making catalogue and tiles again from the segments alone; the rebuilt equals the lost.

The keeper's ring is needed (the catalogue lines are under the keeper's share), an officer is not. The checkpoint is
kept: what is rebuilt must continue it. Source: DESIGN "Frames and segments".
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from muniment.policy.errors import Missing, Tampered
from muniment.record.catalogue import Catalogue, Row, SegmentRow, split_tokens
from muniment.record.disk import Disk
from muniment.record.frame import Frame, walk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.keytree import Punctured
from muniment.record.leaf import parse
from muniment.record.ledger.checkpoint import open_checkpoint
from muniment.record.ledger.growth import Edge, TileWriter
from muniment.record.ledger.merkle import root_from_leaves
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.ledger.publisher import CHECKPOINT_FILE
from muniment.record.opening import lock_record
from muniment.record.reading import open_line, row_of
from muniment.record.segment import SegmentId, list_segments, mapped

_LEAVES_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Rebuilt:
    """How much was made again; `unread` counts entries whose key was destroyed, of which only the leaf is known."""

    entries: int
    segments: int
    unread: int


def rebuild(
    home: Home,
    origin: str,
    secret: bytes,
    *,
    disk: Disk | None = None,
    progress: Callable[[int], None] | None = None,
) -> Rebuilt:
    """Make record.db and the tiles again; the old ones are replaced when everything has come out.

    Raises:
        Conflict: a recorder is running. Tampered: the segments do not hold what the checkpoint was signed over.
    """
    disk = disk or Disk()
    with lock_record(home):
        keeper = Keeper.load(home, secret, disk)
        fresh = home.database.with_suffix(".rebuilt")
        for name in (fresh, Path(f"{fresh}-wal"), Path(f"{fresh}-shm")):
            name.unlink(missing_ok=True)
        catalogue = Catalogue.create(fresh)
        leaves, unread, segments = _fill(home, catalogue, keeper, progress)
        ordered = [leaves[index] for index in sorted(leaves)]
        if sorted(leaves) != list(range(len(leaves))):
            raise Tampered(
                "entries are missing between the segments; run `muniment verify`, which names them"
            )
        checkpoint = _require_signed(home, origin, keeper, ordered)
        _write_tiles(home, disk, ordered[: checkpoint[0]])
        catalogue.swap(b"", checkpoint[1])
        catalogue.close()
        for suffix in ("-wal", "-shm"):
            Path(f"{home.database}{suffix}").unlink(missing_ok=True)
        disk.move(fresh, home.database)
        return Rebuilt(len(leaves), segments, unread)


def _fill(
    home: Home, catalogue: Catalogue, keeper: Keeper, progress: Callable[[int], None] | None
) -> tuple[dict[int, bytes], int, int]:
    leaves: dict[int, bytes] = {}
    unread = 0
    segments = [(s, False) for s in list_segments(home)] + [(s, True) for s in list_segments(home, ".husk")]
    for segment, is_husk in segments:
        if is_husk and segment.path(home).exists():
            continue
        rows, bare, mentions = _read_segment(home, segment, keeper, leaves, is_husk)
        catalogue.note_streams(bare)
        if not is_husk and (rows or bare):
            unread += len(bare)
            day = max(row.expiry_day for row in (*rows, *bare))
            first = min(row.idx for row in (*rows, *bare))
            size = segment.path(home).stat().st_size
            catalogue.add(rows, mentions, SegmentRow(segment, first, size, True, day))
        if progress:
            progress(len(rows) + len(bare))
    return leaves, unread, len(segments)


def _read_segment(
    home: Home, segment: SegmentId, keeper: Keeper, leaves: dict[int, bytes], is_husk: bool
) -> tuple[list[Row], list[Row], list[tuple[bytes, int]]]:
    """Return the rows of a segment, what the leaves say of forgotten entries, which get none, and the mentions."""
    rows: list[Row] = []
    bare: list[Row] = []
    mentions: list[tuple[bytes, int]] = []
    path = segment.husk_path(home) if is_husk else segment.path(home)
    with mapped(path) as data:
        for item in walk(data):
            if not isinstance(item, Frame):
                continue
            leaves[item.ledger_index] = item.leaf
            body = bytes(item.body)
            frame = item._replace(body=body)
            if isinstance(item.body, memoryview):
                item.body.release()
            try:
                if is_husk:
                    raise Missing("")
                line = open_line(frame.leaf, body, keeper)
            except (Punctured, Missing):
                bare.append(_bare_row(frame, segment))
                continue
            rows.append(row_of(frame, segment, line))
            mentions += [(token, frame.ledger_index) for token in split_tokens(line.tokens)]
    return rows, bare, mentions


def _bare_row(frame: Frame, segment: SegmentId) -> Row:
    """Return the row of an entry whose line can no longer be opened: what its leaf says."""
    leaf = parse(frame.leaf)
    length = len(frame.body) + 192
    return Row(
        frame.ledger_index, leaf.kind, leaf.channel, leaf.retention, leaf.epoch, leaf.position, segment.number,
        frame.offset, length, leaf.stream, leaf.sequence, leaf.captured_ms, leaf.expiry_day, leaf.capture,
        0, 0, 0, 0, None, None, 0,
    )  # fmt: skip


def _require_signed(home: Home, origin: str, keeper: Keeper, ordered: list[bytes]) -> tuple[int, bytes]:
    """Return (size, bytes) of the published checkpoint once the leaves bear it out."""
    note = (home.ledger / CHECKPOINT_FILE).read_bytes()
    signed = open_checkpoint(note, origin, [Ed25519Signer(origin, keeper.signing_seed).key])
    hashes = [sha256(b"\0" + leaf).digest() for leaf in ordered[: signed.size]]
    if len(hashes) < signed.size or root_from_leaves(hashes) != signed.root:
        raise Tampered(
            f"the segments do not hold the {signed.size} entries the checkpoint was signed over; "
            "restore them from a backup, then rebuild"
        )
    return signed.size, note


def _write_tiles(home: Home, disk: Disk, ordered: list[bytes]) -> None:
    tiles = home.ledger / "tile"
    if tiles.exists():
        shutil.rmtree(tiles)
    writer, edge = TileWriter(home.ledger, disk), Edge()
    for at in range(0, len(ordered), _LEAVES_AT_ONCE):
        part = ordered[at : at + _LEAVES_AT_ONCE]
        edge, growth = edge.grow(part, [sha256(b"\0" + leaf).digest() for leaf in part])
        writer.apply(growth)
