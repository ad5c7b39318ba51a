"""The checks of `verify` beyond the segments: tiles, checkpoint, an earlier checkpoint.

Each takes (home, leaves in order, their hashes, report) and adds findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from muniment.policy.errors import MunimentError
from muniment.record.home import Home
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.merkle import root_from_leaves
from muniment.record.ledger.note import VerifierKey
from muniment.record.ledger.publisher import CHECKPOINT_FILE, STAGING_FOLDER
from muniment.record.ledger.tiles import WIDTH, bundle_path, make_bundle, tile_path, tile_root, width_at
from muniment.record.verify import REBUILD, RESTORE, Check, Report


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
