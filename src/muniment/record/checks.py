"""The checks of `verify` beyond the segments: tiles, checkpoint, catalogue, an earlier checkpoint.

Each takes (home, leaves in order, their hashes, report) and adds findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from muniment.policy.errors import Missing, MunimentError
from muniment.record.catalogue import Catalogue, Row, split_tokens
from muniment.record.frame import Frame, walk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.keytree import Punctured, SeedReader
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.merkle import root_from_leaves
from muniment.record.ledger.note import VerifierKey
from muniment.record.ledger.publisher import CHECKPOINT_FILE, STAGING_FOLDER
from muniment.record.ledger.tiles import WIDTH, bundle_path, make_bundle, tile_path, tile_root, width_at
from muniment.record.reading import line_under, row_of
from muniment.record.segment import SegmentId, list_segments, mapped
from muniment.record.verify import RESTORE, Check, Report

REBUILD = "Run `muniment rebuild`, which makes it again from the segments"


def check_checkpoint(origin: str, keys: Sequence[VerifierKey]) -> Check:
    """Return the check of signature, size, root and tiles of the published checkpoint."""

    def check(home: Home, ordered: list[bytes], hashes: list[bytes], report: Report) -> None:
        path = home.ledger / CHECKPOINT_FILE
        try:
            signed = open_checkpoint(path.read_bytes(), origin, keys)
        except (OSError, MunimentError) as error:
            report.find("checkpoint", path, str(error), RESTORE)
            return
        if _extends(signed, hashes, path, report):
            _check_tiles(home, signed.size, ordered, hashes, report)
        waiting = len(hashes) - signed.size
        if waiting > 0:
            report.notes.append(f"{waiting} entries are newer than the last checkpoint")

    return check


def check_anchor(path: Path, origin: str, keys: Sequence[VerifierKey]) -> Check:
    """Return the check that the ledger continues a checkpoint kept elsewhere."""

    def check(home: Home, ordered: list[bytes], hashes: list[bytes], report: Report) -> None:
        try:
            signed = open_checkpoint(path.read_bytes(), origin, keys)
        except (OSError, MunimentError) as error:
            report.find("anchor", path, str(error), "Take the checkpoint from where it was kept again")
            return
        _extends(signed, hashes, path, report)

    return check


def _extends(signed: Checkpoint, hashes: list[bytes], path: Path, report: Report) -> bool:
    if signed.size > len(hashes):
        report.find(
            "rollback",
            path,
            f"was signed over {signed.size} entries, only {len(hashes)} are here",
            "An earlier copy was put back, or entries were removed. " + RESTORE,
        )
        return False
    if root_from_leaves(hashes[: signed.size]) != signed.root:
        report.find(
            "fork",
            path,
            f"was signed over other entries than the {signed.size} that are here",
            "An entry was altered, or the ledger was forked. " + RESTORE,
        )
        return False
    return True


def _check_tiles(home: Home, size: int, ordered: list[bytes], hashes: list[bytes], report: Report) -> None:
    """Compare every tile and bundle with what the leaves give; name those that differ, lack or do not belong."""
    expected = set()
    for name, data in _tiles(size, ordered, hashes):
        expected.add(name)
        path = home.ledger / name
        try:
            found = path.read_bytes()
        except OSError:
            report.find("tile", path, "is not there", REBUILD)
            continue
        if found != data:
            report.find("tile", path, "does not hold the hashes of the entries", REBUILD)
    for path in home.ledger.rglob("*"):
        name = str(path.relative_to(home.ledger))
        if path.is_file() and name not in expected and _may_not_stand(name, size):
            report.find("tile", path, "does not belong to this ledger", "Remove it, or " + REBUILD.lower())


def _tiles(size: int, ordered: list[bytes], hashes: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of every file a ledger of these leaves must have."""
    for index in range(0, size, WIDTH):
        number = index // WIDTH
        width = width_at(size, 0, number)
        yield bundle_path(number, width), make_bundle(ordered[index : index + width])
    level, row = 0, hashes[:size]
    while row:
        for number in range((len(row) + WIDTH - 1) // WIDTH):
            part = row[number * WIDTH : (number + 1) * WIDTH]
            yield tile_path(level, number, len(part)), b"".join(part)
        row = [tile_root(b"".join(row[at : at + WIDTH])) for at in range(0, len(row) - WIDTH + 1, WIDTH)]
        level += 1


def _may_not_stand(name: str, size: int) -> bool:
    """Tell whether a file is no left-over that the protocol allows (older partial tiles, staging, keys)."""
    return name.startswith("tile/") and ".p/" not in name and not name.startswith(STAGING_FOLDER)


def check_catalogue(keeper: Keeper) -> Check:
    """Return the check that the catalogue says of every entry what its leaf and its line say."""

    def check(home: Home, ordered: list[bytes], hashes: list[bytes], report: Report) -> None:
        try:
            with closing(Catalogue(home.database)) as catalogue:
                missing = _compare_all(home, keeper, catalogue, report)
        except MunimentError as error:
            report.find("catalogue", home.database, str(error), REBUILD)
            return
        for index in sorted(missing):
            report.find("catalogue", f"entry {index}", "stands in the catalogue but in no segment", REBUILD)

    return check


def _compare_all(home: Home, keeper: Keeper, catalogue: Catalogue, report: Report) -> set[int]:
    """Compare every frame of every flush; return the entries of the catalogue that are in none."""
    mentions, unseen = catalogue.all_mentions(), catalogue.indexes()
    for segment in list_segments(home):
        try:
            seeds = SeedReader(keeper.cover((segment.retention, segment.epoch)))
        except Missing as error:
            report.find("line", segment.path(home), str(error), RESTORE)
            place = "retention = ? AND epoch = ? AND number = ?"
            unseen.difference_update(row.idx for row in catalogue.rows(place, segment))
            continue
        with mapped(segment.path(home)) as data:
            frames: list[Frame] = []
            for item in walk(data):
                if isinstance(item, Frame):
                    frames.append(item)
                    continue
                rows = {
                    r.idx: r for r in catalogue.rows("idx >= ? AND idx < ?", (item.first_index, item.size))
                }
                for frame in frames:
                    index = frame.ledger_index
                    unseen.discard(index)
                    _compare(frame, segment, seeds, rows.get(index), mentions.get(index, b""), report)
                frames = []
    return unseen


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
