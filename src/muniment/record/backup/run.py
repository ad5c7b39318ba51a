"""One run of a backup. The numbered steps stand in docs/formats/backup.md, "A run"; the code carries the numbers.

A run may be killed at any step: until the new manifest is durable the backup is the one before, and the next run
uses what was stored and takes away what is left over.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from muniment.policy.errors import Conflict, Tampered, Unavailable
from muniment.record.backup import manifest as manifests
from muniment.record.backup.files import Moved, sources
from muniment.record.backup.files import Source as FileSource
from muniment.record.backup.manifest import File, Manifest, Piece, placed, placed_in
from muniment.record.backup.noted import Noted
from muniment.record.backup.sealing import OVERHEAD_BYTES, PIECE_BYTES, Seals
from muniment.record.backup.standing import Source, Standing
from muniment.record.backup.target import Directory
from muniment.record.home import Home
from muniment.record.ledger.continuing import require_extends

_ATTEMPTS = 3


@dataclass
class Done:
    """What a run did. `stored` and `removed` count objects; `warnings` are for the person who reads the output."""

    manifest: Manifest
    stored: int
    stored_bytes: int
    removed: int
    is_noted: bool = False
    warnings: list[str] = field(default_factory=list)


@contextmanager
def lock_backup(home: Home) -> Iterator[None]:
    """Hold the home's backup lock: one run at a time.

    Raises:
        Conflict: another run is under way.
    """
    home.run.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(home.run / "backup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"a backup of {home.path} is under way; wait until it has ended") from None
        yield
    finally:
        os.close(descriptor)


def newest(target: Directory, seals: Seals) -> Manifest | None:
    """Return the newest manifest of a backup, None when there is none.

    Raises:
        Tampered: it does not open, or is none.
    """
    runs = target.runs()
    if not runs:
        return None
    plain = seals.open_manifest(runs[-1], target.get_manifest(runs[-1], manifests.MAX_BYTES))
    return manifests.parse(plain, runs[-1])


class Run:
    """One run of a backup of `home` to `target`; `anew` passes over what is there, and replaces it."""

    def __init__(
        self,
        home: Home,
        source: Source,
        target: Directory,
        *,
        anew: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._home, self._source, self._target, self._anew = home, source, target, anew
        self._progress = progress or (lambda count: None)
        self._stored: dict[str, int] = {}
        self._puts, self._put_bytes = 0, 0

    def go(self, extras: Sequence[tuple[str, Path]] = ()) -> Done:
        """Back up; `extras` as in `sources`.

        Raises:
            Conflict: another run is under way, or the backup is of a record that this one does not continue.
            Tampered: what is there does not open. Unavailable: something cannot be stored or read now.
        """
        with lock_backup(self._home):  # 1
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return self._go(extras)
                except Moved:
                    if attempt == _ATTEMPTS:
                        raise
        raise AssertionError  # the loop returns or raises

    def _go(self, extras: Sequence[tuple[str, Path]]) -> Done:
        standing = self._source.standing()  # 2
        seals = Seals(standing.root)
        before = None if self._anew else newest(self._target, seals)  # 3
        if before is not None:
            self._require_same(before, standing)
        self._stored = self._target.objects()
        kept = {file.path: file for file in before.files} if before else {}
        files = tuple(
            self._store(source, kept.get(source.path), seals)
            for source in sources(self._home, standing, extras)
        )  # 4
        made = self._manifest(standing, files)
        self._target.put_manifest(made.run, seals.seal_manifest(made.run, manifests.pack(made)))  # 5
        done = Done(made, self._puts, self._put_bytes, self._clear(made, seals))  # 6
        done.warnings += _warnings(before, standing, self._target, anew=self._anew)
        self._note(done)  # 7
        return done

    def _require_same(self, before: Manifest, standing: Standing) -> None:
        """Return when the record continues the one that was backed up before."""
        signed = before.signed()
        try:
            if before.origin != standing.origin:
                raise Tampered(f"the backup is of {before.origin}, this record is {standing.origin}")
            require_extends(self._home, standing.size, signed.size, signed.root, f"{self._target.place}")
        except Tampered as error:
            raise Conflict(
                f"the backup at {self._target.place} stays as it is, for it may hold what this record lost: {error}. "
                "Name another folder, or replace it with --anew"
            ) from None

    def _store(self, source: FileSource, before: File | None, seals: Seals) -> File:
        """Store what is new of one file and return its pieces."""
        pieces = self._kept(source, before, seals) if before and source.grows else []
        start = sum(piece.length for piece in pieces)
        while start < source.size:
            data = source.read(start, min(PIECE_BYTES, source.size - start))
            digest = sha256(data).digest()
            self._put(seals, seals.name(source.path, start, digest), data)
            pieces.append(Piece(len(data), digest))
            start += len(data)
        return File(source.path, source.size, tuple(pieces))

    def _kept(self, source: FileSource, before: File, seals: Seals) -> list[Piece]:
        """Return the pieces of an append-only file that are stored already, up to the first that is not."""
        kept: list[Piece] = []
        for name, _, start, piece in placed_in(before, seals):
            if start + piece.length > source.size or not self._is_stored(name, piece.length):
                break
            kept.append(piece)
        return kept

    def _is_stored(self, name: str, length: int) -> bool:
        return self._stored.get(name) == length + OVERHEAD_BYTES

    def _put(self, seals: Seals, name: str, data: bytes) -> None:
        if not self._is_stored(name, len(data)):
            self._target.put(name, seals.seal(name, data))
            self._stored[name] = len(data) + OVERHEAD_BYTES
            self._puts += 1
            self._put_bytes += len(data)
        self._progress(len(data))

    def _manifest(self, standing: Standing, files: tuple[File, ...]) -> Manifest:
        last = standing.last.run if standing.last and standing.last.where == self._target.place else 0
        return Manifest(
            manifests.VERSION,
            standing.origin,
            1 + max(last, *self._target.runs(), 0),
            standing.now_ms,
            standing.generation,
            standing.size,
            standing.checkpoint,
            files,
        )

    def _clear(self, made: Manifest, seals: Seals) -> int:
        """Remove what the manifest does not name; return how many objects."""
        named = {place.name for place in placed(made, seals)}
        left = [name for name in self._stored if name not in named]
        try:
            for name in left:
                self._target.remove(name)
            for run in self._target.runs():
                if run != made.run:
                    self._target.remove_manifest(run)
            self._target.remove_torn()
        except Unavailable as error:
            raise Unavailable(
                f"the backup is made, but not everything old could be removed from it: {error} The next run does it"
            ) from error
        return len(left)

    def _note(self, done: Done) -> None:
        made = done.manifest
        try:
            self._source.note(
                Noted(
                    act="copied",
                    where=self._target.place,
                    run=made.run,
                    time_ms=made.time_ms,
                    size=made.size,
                    generation=made.generation,
                    bytes=made.bytes,
                )
            )
            done.is_noted = True
        except Unavailable as error:
            done.warnings.append(f"the backup is made, but the record does not say so yet: {error}")


def _warnings(before: Manifest | None, standing: Standing, target: Directory, *, anew: bool) -> Iterator[str]:
    """Yield what a reader should know of the place: an older copy of the backup lay there."""
    last = standing.last
    if anew or last is None or last.where != target.place:
        return
    if before is None or before.run < last.run:
        found = f"run {before.run}" if before else "nothing"
        yield (
            f"run {last.run} was written to {target.place}, and {found} was there: somebody put an older copy back or "
            "took it away"
        )
