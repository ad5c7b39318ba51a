"""The checks of `verify` beyond the segments: tiles, checkpoint, catalogue, an earlier checkpoint.

Each takes (home, leaves in order, their hashes, report) and adds findings.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from muniment.policy.errors import MunimentError
from muniment.record.catalogue import Catalogue, Row, split_tokens
from muniment.record.frame import Frame, walk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.keytree import Punctured
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.merkle import root_from_leaves
from muniment.record.ledger.note import VerifierKey
from muniment.record.ledger.publisher import CHECKPOINT_FILE, STAGING_FOLDER
from muniment.record.ledger.tiles import WIDTH, bundle_path, make_bundle, tile_path, tile_root, width_at
from muniment.record.reading import open_line, row_of
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
    expected: dict[str, bytes] = {}
    for index in range(0, size, WIDTH):
        number = index // WIDTH
        width = width_at(size, 0, number)
        expected[bundle_path(number, width)] = make_bundle(ordered[index : index + width])
    level, row = 0, hashes[:size]
    while row:
        for number in range((len(row) + WIDTH - 1) // WIDTH):
            part = row[number * WIDTH : (number + 1) * WIDTH]
            expected[tile_path(level, number, len(part))] = b"".join(part)
        row = [tile_root(b"".join(row[at : at + WIDTH])) for at in range(0, len(row) - WIDTH + 1, WIDTH)]
        level += 1
    for name, data in expected.items():
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


def _may_not_stand(name: str, size: int) -> bool:
    """Tell whether a file is no left-over that the protocol allows (older partial tiles, staging, keys)."""
    return name.startswith("tile/") and ".p/" not in name and not name.startswith(STAGING_FOLDER)


def check_catalogue(keeper: Keeper) -> Check:
    """Return the check that the catalogue says of every entry what its leaf and its line say."""

    def check(home: Home, ordered: list[bytes], hashes: list[bytes], report: Report) -> None:
        try:
            catalogue = Catalogue(home.database)
            known = {row.idx: row for row in catalogue.rows()}
            mentions = {index: sorted(tokens) for index, tokens in catalogue.all_mentions().items()}
            catalogue.close()
        except (MunimentError, sqlite3.Error) as error:
            report.find("catalogue", home.database, str(error), REBUILD)
            return
        seen = set()
        for segment in list_segments(home):
            with mapped(segment.path(home)) as data:
                for item in walk(data):
                    if isinstance(item, Frame):
                        seen.add(item.ledger_index)
                        _compare(
                            item,
                            segment,
                            keeper,
                            known.get(item.ledger_index),
                            mentions.get(item.ledger_index, []),
                            report,
                        )
                        item.body.release() if isinstance(item.body, memoryview) else None
        for index in sorted(known.keys() - seen):
            report.find("catalogue", f"entry {index}", "stands in the catalogue but in no segment", REBUILD)

    return check


def _compare(
    frame: Frame, segment: SegmentId, keeper: Keeper, row: Row | None, tokens: list[bytes], report: Report
) -> None:
    if sha256(frame.body).digest() != frame.leaf[48:80]:
        return  # already named by the check of its segment
    try:
        line = open_line(frame.leaf, frame.body, keeper)
    except Punctured:
        return  # erased by order: the key of this one entry is destroyed
    except MunimentError as error:
        report.find("line", f"entry {frame.ledger_index}", str(error), RESTORE)
        return
    if row is None:
        report.find("catalogue", f"entry {frame.ledger_index}", "is not in the catalogue", REBUILD)
    elif row != row_of(frame, segment, line) or tokens != sorted(split_tokens(line.tokens)):
        report.find(
            "catalogue",
            f"entry {frame.ledger_index}",
            "the catalogue says other facts than its frame",
            REBUILD,
        )
