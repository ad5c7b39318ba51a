"""What the record says of its own backups: one open entry a run, so that pages and certificates can tell what is held.

    {"format": "muniment-backup/1", "act", "where", "run", "time_ms", "size", "generation", "bytes"}

`act` is `copied` or `checked`. Where is a folder's name, never a secret. Source: docs/formats/backup.md, "A run".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from muniment.policy.errors import BadInput
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.frame import parse_sections
from muniment.record.home import Home
from muniment.record.reading import read_frame

FORMAT = "muniment-backup/1"
_NEWEST = (
    "idx IN (SELECT idx FROM entry WHERE stream = ? AND kind = ? AND retention = 1 "
    "ORDER BY sequence DESC LIMIT 256)"
)
_MOST_WHERE = 1000


class Noted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One run that ended well. `generation` is that of the ring in it, `size` the ledger's, `time_ms` when it began."""

    act: Literal["copied", "checked"]
    where: str
    run: int
    time_ms: int
    size: int
    generation: int
    bytes: int

    def __post_init__(self) -> None:
        counts = (self.run, self.time_ms, self.size, self.generation, self.bytes)
        if min(counts) < 0 or not 0 < len(self.where) <= _MOST_WHERE or not self.where.isprintable():
            raise ValueError("a backup is named by a place and counts")


def parse(arguments: dict[str, Any]) -> Noted:
    """Return what a run says of itself.

    Raises:
        BadInput: it is no such thing.
    """
    try:
        return msgspec.convert(arguments, Noted)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadInput(f"a backup is not noted: {error}") from None


class Backups:
    """The newest backup copied, and the newest check of one, as the record has them."""

    def __init__(self, home: Home, catalogue: Catalogue) -> None:
        self.copied: Noted | None = None
        self.checked: Noted | None = None
        for row in catalogue.rows(_NEWEST, (Stream.HEALTH, Kind.ANCHOR)):
            self._take(parse_sections(read_frame(home, row).body).plain)

    def _take(self, plain: bytes) -> None:
        table = json.loads(plain)
        if table.pop("format", "") == FORMAT:
            self.keep(parse(table))

    def keep(self, noted: Noted) -> None:
        """Take a run as the newest of its kind."""
        if noted.act == "copied":
            self.copied = noted
        else:
            self.checked = noted

    def status(self, generation: int) -> dict[str, Any]:
        """Return what `status` says: the ring's generation, and when the newest backup holds an older one, that."""
        return {
            "generation": generation,
            "copied": msgspec.to_builtins(self.copied),
            "checked": msgspec.to_builtins(self.checked),
            "must_forget": self.copied is not None and self.copied.generation < generation,
        }


def entry_of(noted: Noted) -> Entry:
    """Return the open entry for a run."""
    plain = json.dumps({"format": FORMAT, **msgspec.to_builtins(noted)}, sort_keys=True)
    return Entry(stream=Stream.HEALTH, kind=Kind.ANCHOR, plain=plain.encode())


def still_held(noted: Noted | None, generation: int) -> Iterable[str]:
    """Yield what a certificate must add when the newest backup was made before the ring had this generation."""
    if noted is not None and noted.generation < generation:
        yield f"the backup of {words_of(noted.time_ms)} at {noted.where}, until its next run"


def words_of(time_ms: int) -> str:
    """Return a time as a certificate writes it."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
