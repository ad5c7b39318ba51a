"""Restoring: a backup becomes a home again, in an empty folder, and the home is proved.

1. the newest manifest is opened; a newer checkpoint refuses it unless somebody goes on without what it lost;
2. every file is written whole, from proved pieces, each under a temporary name first; what a broken-off restore of the
   same backup wrote is compared, not fetched again;
3. catalogue and tiles are made again, and everything is verified;
4. the home is marked as restored, so that its next start records it; the folder is then a home.

Nothing is trusted from the store without its seal and hash. Source: docs/formats/backup.md; R-5.1-a.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from muniment.policy.errors import BadInput, Conflict, Tampered, Unavailable
from muniment.policy.policyfile import load
from muniment.record import machine
from muniment.record.backup import restored
from muniment.record.backup.checking import piece_of, require_newest
from muniment.record.backup.manifest import File, Manifest, placed_in
from muniment.record.backup.sealing import Seals, root_of
from muniment.record.backup.target import Directory
from muniment.record.checks import check_anchor, check_checkpoint
from muniment.record.comparison import compare_catalogue
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.ledger.checkpoint import open_checkpoint
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.opening import clock_ms, origin_of
from muniment.record.rebuild import Rebuilt, rebuild
from muniment.record.verify import Check, Report, verify

_LOG_KEY = "record/keeper/log.sealed"


@dataclass(frozen=True)
class RestoredHome:
    """What came out: the backup it came from, what was rebuilt, what the proof says, how many entries are lost."""

    manifest: Manifest
    rebuilt: Rebuilt
    report: Report
    lost_entries: int


class Restore:
    """One restore of the backup at `target` into the folder of `home`."""

    def __init__(
        self,
        target: Directory,
        secret: bytes,
        home: Home,
        *,
        disk: Disk | None = None,
        clock: Callable[[], int] = clock_ms,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._target, self._secret, self._home = target, secret, home
        self._disk, self._clock = disk or Disk(), clock
        self._progress = progress or (lambda count: None)
        self._seals = Seals(root_of(secret))

    def go(self, checkpoint: Path | None = None, *, accept_loss: bool = False) -> RestoredHome:
        """Restore, and prove what came out; `checkpoint` is a signed checkpoint kept elsewhere.

        Raises:
            Conflict: the folder is not empty, or the backup is older than the checkpoint and nobody accepted that.
            Missing, Tampered: the backup is not whole, not of this machine secret, or not what was signed.
        """
        manifest = require_newest(self._target, self._seals)
        lost, lost_entries = self._newer(manifest, checkpoint)  # 1
        if lost and not accept_loss:
            raise Conflict(
                f"the checkpoint at {checkpoint} was signed over {lost_entries:,} more entries than this backup holds "
                f"({manifest.size:,}): it is an older copy. Look for a newer backup first; --accept-loss restores this "
                "one, and the record says for ever that those entries are gone"
            )
        self._begin(manifest, lost)
        for file in manifest.files:  # 2
            self._write(file)
        origin = origin_of(load(self._home.policy_file))
        if origin != manifest.origin:
            raise Tampered(f"the policy file in the backup is of {origin}, the record of {manifest.origin}")
        rebuilt = rebuild(self._home, origin, self._secret, disk=self._disk)  # 3
        report = self._verify(origin, checkpoint if not lost else None)
        if report.is_whole:
            restored.end(self._home, self._disk)  # 4
        return RestoredHome(manifest, rebuilt, report, lost_entries)

    def _newer(self, manifest: Manifest, checkpoint: Path | None) -> tuple[str, int]:
        """Return a checkpoint that is newer than the backup and by how many entries, empty when it is not."""
        if checkpoint is None:
            return "", 0
        try:
            note = checkpoint.read_bytes()
        except OSError as error:
            raise BadInput(f"{checkpoint} cannot be read: {error.strerror}") from None
        signed = open_checkpoint(note, manifest.origin, [self._signer(manifest).key])
        return (note.decode(), signed.size - manifest.size) if signed.size > manifest.size else ("", 0)

    def _signer(self, manifest: Manifest) -> Ed25519Signer:
        """Return the ledger's key, from the keeper's file in the backup."""
        for file in manifest.files:
            if file.path == _LOG_KEY:
                data = b"".join(piece_of(self._target, self._seals, p) for p in placed_in(file, self._seals))
                return Ed25519Signer(manifest.origin, machine.open(self._secret, "log key", data))
        raise Tampered(f"the backup holds no {_LOG_KEY}: it is not one of a record")

    def _begin(self, manifest: Manifest, lost: str) -> None:
        """Mark the folder as being restored into, once it is empty or was marked for this same backup.

        Raises:
            Conflict: it holds something else.
        """
        folder, mark = self._home.path, restored.mark_of(self._home)
        wanted = restored.Restored(
            run=manifest.run,
            backup_ms=manifest.time_ms,
            size=manifest.size,
            restored_ms=self._clock(),
            lost=lost,
        )
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = sorted(path.name for path in folder.iterdir() if path.name != f".{mark.name}.tmp")
        except OSError as error:
            raise BadInput(f"{folder} is no folder to restore into: {error.strerror}") from None
        begun = restored.read_file(mark)
        if begun and (begun.run, begun.backup_ms, begun.size) != (wanted.run, wanted.backup_ms, wanted.size):
            raise Conflict(
                f"{folder} holds part of another backup, or the backup has gone on since; empty it and start again"
            )
        if found and not begun:
            raise Conflict(
                f"{folder} is not empty ({', '.join(found[:3])}); restore into an empty folder, and keep what is left "
                "of a damaged home"
            )
        restored.begin(self._home, wanted, self._disk)

    def _write(self, file: File) -> None:
        """Put one file in its place, whole, unless it is there already."""
        path = self._home.path / file.path
        if self._is_there(path, file):
            self._progress(file.size)
            return
        self._make_folder(path.parent)
        part = path.with_name(f".{path.name}.part")
        part.unlink(missing_ok=True)
        writer = self._disk.append(part, mode=0o600)
        try:
            for place in placed_in(file, self._seals):
                writer.write(piece_of(self._target, self._seals, place))
                self._progress(place.piece.length)
            writer.flush()
        finally:
            writer.close()
        self._disk.move(part, path)

    def _make_folder(self, path: Path) -> None:
        """Make a folder of the home, for its owner alone."""
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            self._disk.make_folder(folder)
            folder.chmod(0o700)

    def _is_there(self, path: Path, file: File) -> bool:
        """Tell whether a restore that was broken off has written this file already, byte for byte."""
        try:
            if path.is_symlink() or path.stat().st_size != file.size:
                return False
            with path.open("rb") as read:
                return all(sha256(read.read(piece.length)).digest() == piece.sha256 for piece in file.pieces)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}; mend the disk") from error

    def _verify(self, origin: str, checkpoint: Path | None) -> Report:
        for folder in (self._home.quarantine, self._home.segments):
            self._make_folder(folder)
        keeper = Keeper.load(self._home, self._secret, self._disk)
        keys = [Ed25519Signer(origin, keeper.signing_seed).key]
        checks: list[Check] = [check_checkpoint(origin, keys), compare_catalogue(self._home, keeper)]
        if checkpoint is not None:
            checks.append(check_anchor(checkpoint, origin, keys))
        return verify(self._home, origin, checks)
