"""The catalogue: who, when, which way, how big, and where it lies. An index; the segments are the truth.

One SQLite file, written by the recorder alone. It also holds the lock row: the last signed checkpoint, swapped by
comparison, which no restart may fall behind. Source: docs/formats/catalogue.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from muniment.policy.errors import Conflict, Missing, Unavailable
from muniment.record.row import Mention, Row, SegmentRow
from muniment.record.segment import SegmentId

SCHEMA_VERSION = 2
_INDEXES_AT_ONCE = 500
_CHECKPOINT_PAGES = 8192  # 32 MiB of log before SQLite copies it into the file, which flushes twice
_INDEXES = {
    "entry_sequence": "CREATE UNIQUE INDEX entry_sequence ON entry (stream, sequence)",
    "entry_content": "CREATE INDEX entry_content ON entry (content_id) WHERE content_id IS NOT NULL",
    "entry_message": "CREATE INDEX entry_message ON entry (message_id) WHERE message_id IS NOT NULL",
}
_SCHEMA = """
CREATE TABLE entry (
    idx INTEGER PRIMARY KEY, kind INTEGER, channel INTEGER, retention INTEGER, epoch INTEGER, position INTEGER,
    number INTEGER, at INTEGER, length INTEGER, stream INTEGER, sequence INTEGER, captured_ms INTEGER,
    expiry_day INTEGER, capture INTEGER, direction INTEGER, size INTEGER, sent_size INTEGER, shielded INTEGER,
    about INTEGER, content_id BLOB, dated_ms INTEGER, message_id BLOB, texts BLOB
) STRICT;
CREATE TABLE mention (token BLOB, idx INTEGER, PRIMARY KEY (token, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE segment (
    retention INTEGER, epoch INTEGER, number INTEGER, first_index INTEGER, bytes INTEGER, is_closed INTEGER,
    last_expiry_day INTEGER, PRIMARY KEY (retention, epoch, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE stream (stream INTEGER PRIMARY KEY, sequence INTEGER, last_ms INTEGER) STRICT;
CREATE TABLE lock (id INTEGER PRIMARY KEY CHECK (id = 1), checkpoint BLOB NOT NULL) STRICT;
INSERT INTO lock VALUES (1, x'');
"""
_FROM_1 = """
BEGIN;
ALTER TABLE entry ADD COLUMN message_id BLOB;
ALTER TABLE entry ADD COLUMN texts BLOB;
CREATE INDEX entry_message ON entry (message_id) WHERE message_id IS NOT NULL;
PRAGMA user_version = 2;
COMMIT;
"""
_WRITING = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    "PRAGMA secure_delete = ON",
)
_TIME = "(CASE e.dated_ms WHEN 0 THEN e.captured_ms ELSE e.dated_ms END)"
_MENTION = f"e.idx, e.retention, e.epoch, e.position, e.kind, e.shielded, e.about, e.size, {_TIME}"
_ENTRY = f"INSERT OR REPLACE INTO entry VALUES ({','.join('?' * 23)})"  # noqa: S608 - only question marks
_STREAM = (
    "INSERT INTO stream VALUES (?,?,?) ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence), "
    "last_ms = max(last_ms, excluded.last_ms)"
)

_OF_EPOCH = (
    "FROM entry WHERE retention = ? AND epoch = ? "
    "AND idx >= (SELECT min(first_index) FROM segment WHERE retention = ? AND epoch = ?) "
    "AND idx < (SELECT coalesce(min(first_index), 1 << 62) FROM segment WHERE retention = ? AND epoch > ?)"
)
_IN_EPOCH = f"SELECT idx, position, kind {_OF_EPOCH} ORDER BY idx"
_LAST_IN_EPOCH = f"SELECT captured_ms {_OF_EPOCH} ORDER BY idx DESC LIMIT 1"
_MENTIONS_BETWEEN = (  # from token to token: mentions have no index of their own by entry
    "WITH RECURSIVE each(token) AS (SELECT min(token) FROM mention UNION ALL SELECT (SELECT min(token) FROM mention "
    "WHERE token > each.token) FROM each WHERE each.token IS NOT NULL) SELECT m.token, m.idx FROM each "
    "CROSS JOIN mention m ON m.token = each.token AND m.idx BETWEEN ? AND ?"
)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise Unavailable(
            f"{path}: {error}. Make room, or stop and run `muniment rebuild`; nothing is lost."
        ) from error


class Catalogue:
    """The open catalogue. One writer, one thread at a time; any number of readers beside it."""

    def __init__(self, path: Path, *, is_readonly: bool = False) -> None:
        self._path = path
        with _naming(path):
            mode = "ro" if is_readonly else "rwc"
            name = f"{path.absolute().as_uri()}?mode={mode}"
            self._db = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
            for pragma in () if is_readonly else _WRITING:
                self._db.execute(pragma)
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 1 and not is_readonly:
                self._db.executescript(_FROM_1)
                version = SCHEMA_VERSION
        if version != SCHEMA_VERSION:
            raise Conflict(
                f"{path} has catalogue version {version}, expected {SCHEMA_VERSION}; run muniment rebuild"
            )

    @classmethod
    def open_readonly(cls, path: Path) -> Catalogue:
        """Open the catalogue of a record that another process may be writing; nothing is written here."""
        return cls(path, is_readonly=True)

    @classmethod
    def create(cls, path: Path) -> Catalogue:
        """Make an empty catalogue."""
        with _naming(path):
            db = sqlite3.connect(path)
            indexes = "; ".join(_INDEXES.values())
            version = f"PRAGMA user_version = {SCHEMA_VERSION}"
            db.executescript(f"PRAGMA page_size = 4096; {_SCHEMA} {indexes}; {version};")
            db.close()
        return cls(path)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add(self, rows: Sequence[Row], tokens: Iterable[tuple[bytes, int]], segment: SegmentRow) -> None:
        """Add the entries of one flush and note how far their segment is good."""
        with self._transaction():
            self.insert(rows, tokens, segment)

    def insert(self, rows: Sequence[Row], tokens: Iterable[tuple[bytes, int]], segment: SegmentRow) -> None:
        """Do what `add` does, in a transaction that the caller has begun."""
        self._db.executemany(_ENTRY, rows)
        self._db.executemany("INSERT OR IGNORE INTO mention VALUES (?, ?)", tokens)
        self._note(segment)
        self._db.executemany(
            _STREAM, {r.stream: (r.stream, r.sequence, r.captured_ms) for r in rows}.values()
        )

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Fill an empty catalogue in one transaction; its indexes are made at the end, which is faster."""
        with self._transaction():
            for name in _INDEXES:
                self._db.execute(f"DROP INDEX {name}")
            yield
            for statement in _INDEXES.values():
                self._db.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _naming(self._path):
            self._db.execute("BEGIN")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def note_streams(self, rows: Sequence[Row]) -> None:
        """Note the sequence numbers of expired entries, so that their streams go on where they stopped."""
        with _naming(self._path):
            self._db.executemany(_STREAM, [(r.stream, r.sequence, r.captured_ms) for r in rows])

    def _note(self, row: SegmentRow) -> None:
        self._db.execute(
            "INSERT INTO segment VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes, "
            "is_closed = excluded.is_closed, last_expiry_day = max(last_expiry_day, excluded.last_expiry_day)",
            (*row.segment, row.first_index, row.size, row.is_closed, row.last_expiry_day),
        )

    def close_segment(self, segment: SegmentId) -> None:
        """Note that nothing more is written to a segment."""
        with _naming(self._path):
            self._db.execute(
                "UPDATE segment SET is_closed = 1 WHERE retention = ? AND epoch = ? AND number = ?", segment
            )

    def segments(self) -> list[SegmentRow]:
        """Return every segment known."""
        with _naming(self._path):
            rows = self._db.execute("SELECT * FROM segment ORDER BY first_index").fetchall()
        return [SegmentRow(SegmentId(*row[:3]), row[3], row[4], bool(row[5]), row[6]) for row in rows]

    def epochs(self) -> list[tuple[int, int, int, int, int]]:
        """Return (class, epoch, entries, time of the first, time of the last) of every epoch, in ms."""
        grouped = "SELECT retention, epoch, count(*), min(captured_ms), max(captured_ms) FROM entry"
        with _naming(self._path):
            return self._db.execute(f"{grouped} GROUP BY retention, epoch ORDER BY epoch").fetchall()

    def size(self) -> int:
        """Return one more than the highest index known."""
        with _naming(self._path):
            return int(self._db.execute("SELECT coalesce(max(idx), -1) + 1 FROM entry").fetchone()[0])

    def last_captured_ms(self) -> int:
        """Return the time of the newest entry, 0 when there is none."""
        with _naming(self._path):
            row = self._db.execute("SELECT captured_ms FROM entry ORDER BY idx DESC LIMIT 1").fetchone()
        return int(row[0]) if row else 0

    def streams(self) -> dict[int, tuple[int, int]]:
        """Return {stream: (last sequence number, its time)}."""
        with _naming(self._path):
            rows = self._db.execute("SELECT stream, sequence, last_ms FROM stream").fetchall()
        return {stream: (sequence, last_ms) for stream, sequence, last_ms in rows}

    def row(self, index: int) -> Row:
        """Return one entry.

        Raises:
            Missing: there is none of that index, or it has expired.
        """
        found = self.rows("idx = ?", (index,))
        if not found:
            raise Missing(f"there is no entry {index} in the catalogue: it has expired or was never recorded")
        return found[0]

    def rows(self, where: str = "1", values: Sequence[Any] = ()) -> list[Row]:
        """Return the entries that fulfil an SQL condition of ours (never of a user's), in ledger order."""
        with _naming(self._path):
            query = f"SELECT * FROM entry WHERE {where} ORDER BY idx"  # noqa: S608 - conditions are literals
            return list(map(Row._make, self._db.execute(query, values)))

    def tokens_of(self, index: int) -> list[bytes]:
        """Return the address tokens of an entry."""
        with _naming(self._path):
            rows = self._db.execute(
                "SELECT token FROM mention WHERE idx = ? ORDER BY token", (index,)
            ).fetchall()
        return [row[0] for row in rows]

    def all_mentions(self) -> dict[int, bytes]:
        """Return the address tokens of every entry that has any, rising, one behind the other."""
        found: dict[int, bytes] = {}
        with _naming(self._path):
            for token, index in self._db.execute("SELECT token, idx FROM mention ORDER BY token"):
                found[index] = found.get(index, b"") + token
        return found

    def indexes(self) -> set[int]:
        """Return the index of every entry."""
        with _naming(self._path):
            return {row[0] for row in self._db.execute("SELECT idx FROM entry")}

    def indexes_of(self, token: bytes) -> list[int]:
        """Return the entries that mention an address."""
        with _naming(self._path):
            return [
                r[0]
                for r in self._db.execute("SELECT idx FROM mention WHERE token = ? ORDER BY idx", (token,))
            ]

    def mentioning(
        self, token: bytes, from_ms: int, until_ms: int, streams: Sequence[int], size: int
    ) -> Iterator[Mention]:
        """Yield, in ledger order, the communications of some streams that mention an address within a time.

        `until_ms` is exclusive; only entries below the ledger index `size` count.
        """
        query = (
            f"SELECT {_MENTION} FROM mention m CROSS JOIN entry e ON e.idx = m.idx "  # noqa: S608 - literals
            f"WHERE m.token = ? AND m.idx < ? AND e.kind IN (1, 14) AND e.stream IN ({','.join('?' * len(streams))}) "
            f"AND {_TIME} >= ? AND {_TIME} < ? ORDER BY m.idx"
        )
        with _naming(self._path):
            yield from map(Mention._make, self._db.execute(query, (token, size, *streams, from_ms, until_ms)))

    def mentions_at(self, indexes: Sequence[int]) -> list[Mention]:
        """Return the same facts of the entries of these indexes that are still there, in ledger order."""
        found: list[Mention] = []
        ordered = sorted(indexes)
        with _naming(self._path):
            for at in range(0, len(ordered), _INDEXES_AT_ONCE):
                part = ordered[at : at + _INDEXES_AT_ONCE]
                query = f"SELECT {_MENTION} FROM entry e WHERE e.idx IN ({','.join('?' * len(part))}) ORDER BY e.idx"  # noqa: S608
                found += map(Mention._make, self._db.execute(query, part))
        return found

    def rows_at(self, indexes: Sequence[int]) -> list[Row]:
        """Return the entries of these indexes that are still there, in ledger order."""
        found: list[Row] = []
        ordered = sorted(indexes)
        for at in range(0, len(ordered), _INDEXES_AT_ONCE):
            part = ordered[at : at + _INDEXES_AT_ONCE]
            found += self.rows(f"idx IN ({','.join('?' * len(part))})", part)
        return found

    def find_contents(self, content_ids: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Return {content id: (index, expiry day)} of the newest entries that hold these bytes."""
        marks = ",".join("?" * len(content_ids))
        with _naming(self._path):
            rows = self._db.execute(
                f"SELECT content_id, idx, expiry_day FROM entry WHERE content_id IN ({marks}) ORDER BY idx",  # noqa: S608
                content_ids,
            )
            return {row[0]: (row[1], row[2]) for row in rows}

    def places_in(self, retention: int, epoch: int) -> list[tuple[int, int, int]]:
        """Return (index, position, kind) of every entry of an epoch that is still there, in ledger order."""
        with _naming(self._path):
            return self._db.execute(_IN_EPOCH, (retention, epoch) * 3).fetchall()

    def last_captured_in(self, retention: int, epoch: int) -> int:
        """Return when the newest entry of an epoch that is still there was captured; 0 when none is."""
        with _naming(self._path):
            row = self._db.execute(_LAST_IN_EPOCH, (retention, epoch) * 3).fetchone()
        return int(row[0]) if row else 0

    def forget(self, indexes: Iterable[int], epochs: Iterable[tuple[int, int]] = ()) -> None:
        """Remove entries, every mention of them, and the segments of whole epochs; nothing of them stays in the log."""
        gone, epochs = set(indexes), list(epochs)
        if not gone and not epochs:
            return
        with _naming(self._path):
            self._db.execute("BEGIN")
            try:
                if gone:
                    mentions = self._db.execute(_MENTIONS_BETWEEN, (min(gone), max(gone)))
                    found = [(token, idx) for token, idx in mentions if idx in gone]
                    self._db.executemany("DELETE FROM mention WHERE token = ? AND idx = ?", found)
                    self._db.executemany("DELETE FROM entry WHERE idx = ?", ((idx,) for idx in sorted(gone)))
                self._db.executemany("DELETE FROM segment WHERE retention = ? AND epoch = ?", epochs)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def counts(self) -> dict[str, int]:
        """Return how many entries, gaps and epochs there are, and the bytes of their segments."""
        with _naming(self._path):
            gaps = self._db.execute("SELECT count(*) FROM entry WHERE kind = 13").fetchone()[0]
            epochs, size = self._db.execute(
                "SELECT count(DISTINCT retention << 32 | epoch), coalesce(sum(bytes), 0) FROM segment"
            ).fetchone()
        return {"gaps": gaps, "epochs": epochs, "stored_bytes": size}

    def current(self) -> bytes:
        """Return the last signed checkpoint, empty before the first."""
        with _naming(self._path):
            return bytes(self._db.execute("SELECT checkpoint FROM lock").fetchone()[0])

    def swap(self, old: bytes, new: bytes) -> None:
        """Replace the checkpoint `old` by `new`, durably.

        Raises:
            Conflict: the checkpoint is not `old`: another recorder is writing this record.
        """
        with _naming(self._path):
            self._db.execute("PRAGMA synchronous = FULL")
            changed = self._db.execute(
                "UPDATE lock SET checkpoint = ? WHERE checkpoint = ?", (new, old)
            ).rowcount
            self._db.execute("PRAGMA synchronous = NORMAL")
        if changed != 1:
            raise Conflict("the checkpoint was changed by another process; stop every recorder but one")
