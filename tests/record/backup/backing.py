"""A home, a place for its backup, and the machine that burns."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from muniment.record.backup.checking import Checked, check
from muniment.record.backup.manifest import Placed, placed
from muniment.record.backup.restoring import Restore, RestoredHome
from muniment.record.backup.run import Done, Run, newest
from muniment.record.backup.sealing import Seals, root_of
from muniment.record.backup.standing import StoppedRecord
from muniment.record.backup.target import Directory
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.opening import OpenRecord
from tests.record.recording import SECRET, Clock, make_home, recording


@dataclass
class Backed:
    """A home with its clock and the folder of its backup."""

    home: Home
    clock: Clock
    folder: Path

    @property
    def target(self) -> Directory:
        return Directory(self.folder)

    @property
    def seals(self) -> Seals:
        return Seals(root_of(SECRET))

    def run(self, opened: OpenRecord, disk: Disk | None = None, *, anew: bool = False) -> Done:
        return Run(self.home, StoppedRecord(opened), Directory(self.folder, disk), anew=anew).go()

    def back_up(self, disk: Disk | None = None, *, anew: bool = False) -> Done:
        with recording(self.home, self.clock) as opened:
            return self.run(opened, disk, anew=anew)

    def check(self) -> Checked:
        return check(self.target, self.seals)

    def restore(
        self, path: Path, secret: bytes = SECRET, disk: Disk | None = None, **how: object
    ) -> RestoredHome:
        made = Restore(self.target, secret, Home(path), disk=disk, clock=self.clock)
        return made.go(**how)  # type: ignore[arg-type]

    def burn(self) -> None:
        shutil.rmtree(self.home.path)

    def objects_of(self, part: str) -> list[Placed]:
        """Return the pieces of the files whose path has `part` in it."""
        manifest = newest(self.target, self.seals)
        assert manifest is not None
        return [place for place in placed(manifest, self.seals) if part in place.path]

    def object_path(self, name: str) -> Path:
        return self.folder / "objects" / name[:2] / name[2:]

    def stored(self) -> dict[str, bytes]:
        """Return every file of the backup."""
        return {
            p.relative_to(self.folder).as_posix(): p.read_bytes()
            for p in self.folder.rglob("*")
            if p.is_file()
        }


def make_backed(path: Path, **overrides: object) -> Backed:
    clock = Clock()
    home = make_home(path, clock, **overrides)
    folder = path / "backup"
    folder.mkdir()
    return Backed(home, clock, folder)
