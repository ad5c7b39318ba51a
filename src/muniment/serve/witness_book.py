"""What a witness remembers: the logs it trusts, the last checkpoint it cosigned of each, and what it refused.

One SQLite file, `witness.db`, in a folder that has nothing to do with anybody's home. The last checkpoint is changed by
comparison, in one transaction that is on the disk before anything is answered: two submitters at once, or two
processes, cannot both take the same place. Format: docs/formats/witness.md. Source: C2SP tlog-witness.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from muniment.policy.errors import Conflict, Missing, Unavailable
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.note import VerifierKey, parse_note
from muniment.record.ledger.vkey import parse_vkey
from muniment.record.ledger.witness import Accepted, Doubt, Refusal, Seen

DATABASE = "witness.db"
MOST_DOUBTS = 200  # of a log; one that proves a fork is kept whatever their number
_SCHEMA = """
CREATE TABLE log (origin TEXT NOT NULL, vkey TEXT NOT NULL, PRIMARY KEY (origin, vkey)) STRICT, WITHOUT ROWID;
CREATE TABLE seen (
    origin TEXT PRIMARY KEY, text TEXT NOT NULL, note BLOB NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE doubt (
    id INTEGER PRIMARY KEY, origin TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, offered BLOB NOT NULL,
    seen BLOB NOT NULL, at INTEGER NOT NULL, is_settled INTEGER NOT NULL DEFAULT 0, UNIQUE (origin, kind, text)
) STRICT;
PRAGMA user_version = 1;
"""
_VERSION = 1
_DOUBTS = "SELECT id, origin, kind, offered, seen, at FROM doubt WHERE is_settled = 0"


@dataclass(frozen=True)
class LogState:
    """A log the witness trusts: its last cosigned checkpoint, None before the first; `at` is seconds since 1970."""

    origin: str
    seen: Seen | None
    at: int = 0


@dataclass(frozen=True)
class Refused:
    """A checkpoint that was signed by its log and not cosigned, beside the one it was held against."""

    id: int
    origin: str
    kind: Doubt
    offered: bytes
    seen: bytes
    at: int


class Book:
    """The open file. One thread at a time; any number of processes."""

    def __init__(self, folder: Path) -> None:
        path = folder / DATABASE
        if not folder.is_dir():
            raise Missing(
                f"{folder} is not there; make it with `muniment witness init --folder {folder} --name NAME`"
            )
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
            for setting in ("journal_mode = WAL", "synchronous = FULL"):
                self._db.execute(f"PRAGMA {setting}")
            self._prepare()
        except sqlite3.Error as error:
            raise Unavailable(
                f"{path} cannot be opened: {error}; mend the disk or its permissions"
            ) from error

    def _prepare(self) -> None:
        with self._writing():
            [version] = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
            elif version != _VERSION:
                raise Conflict(
                    f"the witness's file has the version {version}, expected {_VERSION}; use its release"
                )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def trust(self, key: VerifierKey) -> None:
        """Add a log by its key, or a second key of a log that is known."""
        with self._writing():
            self._db.execute("INSERT OR IGNORE INTO log VALUES (?, ?)", (key.name, str(key)))

    def keys(self) -> dict[str, list[VerifierKey]]:
        """Return the keys of each log that is trusted, by its origin."""
        found: dict[str, list[VerifierKey]] = {}
        for origin, vkey in self._db.execute("SELECT origin, vkey FROM log ORDER BY origin, vkey"):
            found.setdefault(origin, []).append(parse_vkey(vkey))
        return found

    def last(self, origin: str) -> Seen | None:
        """Return the last checkpoint that was cosigned for a log."""
        return self._state(origin).seen

    def states(self) -> list[LogState]:
        """Return how each trusted log stands."""
        return [self._state(origin) for origin in self.keys()]

    def _state(self, origin: str) -> LogState:
        row = self._db.execute("SELECT text, note, at FROM seen WHERE origin = ?", (origin,)).fetchone()
        return (
            LogState(origin, Seen(parse_checkpoint(row[0]), row[1]), row[2])
            if row
            else LogState(origin, None)
        )

    def replace(self, accepted: Accepted, note: bytes, at: int) -> None:
        """Put a checkpoint, cosigned as `note`, in the place of the one it was judged by; durable on return.

        Raises:
            Conflict: another checkpoint was put there meanwhile; judge again.
            Unavailable: the disk does not take it; nothing may be answered.
        """
        text = accepted.checkpoint.text()
        with self._writing():
            if accepted.old is None:
                sql, values = (
                    "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)",
                    (accepted.origin, text, note, at),
                )
                changed = self._db.execute(sql, values).rowcount
            else:
                sql = "UPDATE seen SET text = ?, note = ?, at = ? WHERE origin = ? AND text = ?"
                old = accepted.old.checkpoint.text()
                changed = self._db.execute(sql, (text, note, at, accepted.origin, old)).rowcount
            if changed != 1:
                raise Conflict(
                    f"another checkpoint of {accepted.origin} was cosigned meanwhile; it is judged again"
                )
            self._db.execute(
                "UPDATE doubt SET is_settled = 1 WHERE origin = ? AND text = ? AND kind = ?",
                (accepted.origin, text, Doubt.UNPROVED),
            )

    def keep(self, refusal: Refusal, seen: Seen, at: int) -> None:
        """Keep a refused checkpoint beside the one it contradicts; the same again is kept once."""
        if refusal.doubt is None:
            return
        text = parse_note(refusal.offered).text
        with self._writing():
            [count] = self._db.execute(
                "SELECT count(*) FROM doubt WHERE origin = ? AND kind = ?", (refusal.origin, refusal.doubt)
            ).fetchone()
            if refusal.doubt == Doubt.FORK or count < MOST_DOUBTS:
                self._db.execute(
                    "INSERT OR IGNORE INTO doubt (origin, kind, text, offered, seen, at) VALUES (?, ?, ?, ?, ?, ?)",
                    (refusal.origin, refusal.doubt, text, refusal.offered, seen.note, at),
                )

    def doubts(self) -> list[Refused]:
        """Return what was refused and not settled since, proofs of a fork first, then the newest."""
        rows = self._db.execute(f"{_DOUBTS} ORDER BY kind = 'fork' DESC, id DESC")
        return [
            Refused(i, origin, Doubt(kind), offered, seen, at) for i, origin, kind, offered, seen, at in rows
        ]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unavailable(f"the witness cannot store what it saw: {error}; it cosigns nothing") from error
