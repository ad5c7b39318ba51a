"""A home is the folder that holds one organisation's record and settings; this says where each thing lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """Paths below one home. Nothing is created here."""

    path: Path

    @property
    def policy_file(self) -> Path:
        """The one settings file."""
        return self.path / "muniment.toml"

    @property
    def record(self) -> Path:
        """Everything the recorder alone writes."""
        return self.path / "record"

    @property
    def segments(self) -> Path:
        """Sealed frames, one folder a retention class."""
        return self.record / "segments"

    @property
    def quarantine(self) -> Path:
        """Torn tails: bytes that were never acknowledged."""
        return self.record / "quarantine"

    @property
    def ledger(self) -> Path:
        """Tiles and the published checkpoint."""
        return self.record / "ledger"

    @property
    def keeper(self) -> Path:
        """The keeper's ring and the sealed machine keys."""
        return self.record / "keeper"

    @property
    def database(self) -> Path:
        """The catalogue: an index that can be rebuilt from the segments."""
        return self.record / "record.db"

    @property
    def run(self) -> Path:
        """Sockets of the running processes."""
        return self.path / "run"

    @property
    def socket(self) -> Path:
        """The recorder's socket."""
        return self.run / "recorder.sock"

    @property
    def snapshot_dir(self) -> Path:
        """Compiled snapshots for the data planes."""
        return self.path / "snapshots"

    @property
    def console_db(self) -> Path:
        """The console's SQLite database, when no other is set."""
        return self.path / "console.db"
