"""Making catalogue and tiles again from the segments alone; the rebuilt equals the lost.

1. put every flush in the order of the ledger, and compare the tree with the checkpoint, which is kept;
2. write anew what lies behind the checkpoint: the kernel may show bytes that are on no disk;
3. write the rows into a catalogue beside the old one, under the checkpoint;
4. make the tiles again;
5. put the new catalogue in the place of the old one.

It can be ended anywhere and run again. The keeper's ring is needed (the catalogue lines are under the keeper's share),
an officer is not. Source: DESIGN "Frames and segments".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from muniment.policy.errors import Missing, Tampered
from muniment.record.catalogue import Catalogue
from muniment.record.disk import Disk
from muniment.record.frame import Frame
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.leaf import NO_EXPIRY, parse
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.growth import Edge, TileWriter
from muniment.record.ledger.merkle import root_from_leaves
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.ledger.publisher import CHECKPOINT_FILE
from muniment.record.opening import lock_record
from muniment.record.remaking.ledger_order import FoundFlush, Ledger, read_ledger
from muniment.record.remaking.rows import bare_row, read_rows
from muniment.record.row import Row, SegmentRow
from muniment.record.segment import SegmentId, write_anew

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
        Missing: there is no checkpoint to compare them with.
    """
    disk = disk or Disk()
    with lock_record(home):
        keeper = Keeper.load(home, secret, disk)
        ledger = read_ledger(home, origin)
        checkpoint, note = _require_signed(home, origin, keeper, ledger)
        for segment in {f.segment for f in ledger.flushes if f.size > checkpoint.size}:
            write_anew(home, disk, segment)
        fresh = home.database.with_suffix(".rebuilt")
        _remove_database(fresh, disk)
        catalogue = Catalogue.create(fresh)
        try:
            with catalogue.filling():
                unread = _fill(home, catalogue, keeper, ledger, progress)
            catalogue.swap(b"", note)
        finally:
            catalogue.close()
        _write_tiles(home, disk, ledger.leaves[: checkpoint.size])
        _remove_database(home.database, disk)
        disk.move(fresh, home.database)
        segments = {flush.segment for flush in ledger.flushes}
        return Rebuilt(len(ledger.leaves), len(segments), unread)


def _remove_database(path: Path, disk: Disk) -> None:
    for name in (Path(f"{path}-wal"), Path(f"{path}-shm"), path):
        if name.exists():
            disk.remove(name)


def _fill(
    home: Home,
    catalogue: Catalogue,
    keeper: Keeper,
    ledger: Ledger,
    progress: Callable[[int], None] | None,
) -> int:
    """Add every row; return how many entries could not be read."""
    unread = 0
    by_segment: dict[SegmentId, list[FoundFlush]] = defaultdict(list)
    for flush in ledger.flushes:
        by_segment[flush.segment].append(flush)
    for rows in read_rows(home, keeper, ledger.flushes, len(ledger.leaves)):
        flushes = by_segment[rows.segment]
        end = flushes[-1].end
        is_closed = rows.segment.path(home).stat().st_size == end
        day = max((row.expiry_day for row in (*rows.rows, *rows.forgotten)), default=NO_EXPIRY)
        catalogue.insert(
            rows.rows,
            rows.mentions,
            SegmentRow(rows.segment, flushes[0].first_index, end, is_closed, day),
        )
        catalogue.note_streams(rows.forgotten)
        unread += len(rows.forgotten)
        if progress:
            progress(len(rows.rows) + len(rows.forgotten))
    catalogue.note_streams([_expired_row(index, leaf) for index, leaf in ledger.expired.items()])
    return unread


def _require_signed(home: Home, origin: str, keeper: Keeper, ledger: Ledger) -> tuple[Checkpoint, bytes]:
    """Return the published checkpoint and its bytes once the leaves bear it out."""
    path = home.ledger / CHECKPOINT_FILE
    try:
        note = path.read_bytes()
    except FileNotFoundError:
        raise Missing(
            f"{path} is not there, so nothing says how much there must be; put it back from a backup, "
            "or from the folder that record.anchor_dir names"
        ) from None
    signed = open_checkpoint(note, origin, [Ed25519Signer(origin, keeper.signing_seed).key])
    hashes = [sha256(b"\0" + leaf).digest() for leaf in ledger.leaves[: signed.size]]
    if len(hashes) < signed.size or root_from_leaves(hashes) != signed.root:
        raise Tampered(
            f"the segments do not hold the {signed.size} entries the checkpoint was signed over; "
            "restore them from a backup, then rebuild"
        )
    return signed, note


def _expired_row(index: int, leaf: bytes) -> Row:
    fields = parse(leaf)
    return bare_row(Frame(0, index, leaf, b""), SegmentId(fields.retention, fields.epoch, 0))


def _write_tiles(home: Home, disk: Disk, ordered: list[bytes]) -> None:
    for folder in sorted((home.ledger / "tile").rglob("*"), reverse=True):
        if folder.is_dir():
            disk.remove_folder(folder)
    writer, edge = TileWriter(home.ledger, disk), Edge()
    for at in range(0, len(ordered), _LEAVES_AT_ONCE):
        part = ordered[at : at + _LEAVES_AT_ONCE]
        edge, growth = edge.grow(part, [sha256(b"\0" + leaf).digest() for leaf in part])
        writer.apply(growth)
