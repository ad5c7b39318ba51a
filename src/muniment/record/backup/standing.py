"""Where the record stands at one moment between two writes: what a backup copies, and up to which byte.

The recorder makes it; so no torn tail is ever in it, the ring fits the segments, and what is restored continues the
checkpoint. Source: docs/formats/backup.md, "A run".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from muniment.policy.errors import Tampered
from muniment.record.backup import noted
from muniment.record.backup.noted import Noted
from muniment.record.opening import OpenRecord
from muniment.record.retention.quarantine import quarantined
from muniment.record.segment import SegmentId
from muniment.record.wire import read_arguments


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One moment of the record. `segments` are (class, epoch, number, acknowledged bytes); `root` is the backup's key.

    `keeper` holds the keeper's files by name; `last` is the newest backup the record knows of.
    """

    origin: str
    root: bytes
    now_ms: int
    generation: int
    size: int
    checkpoint: str
    segments: list[tuple[int, int, int, int]]
    keeper: dict[str, bytes]
    last: Noted | None

    def acknowledged(self) -> dict[SegmentId, int]:
        """Return {segment: how many of its bytes count}."""
        return {SegmentId(*row[:3]): row[3] for row in self.segments}


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Source(Protocol):
    """Whoever has the record open: the recorder's socket, or the record itself while the recorder is stopped."""

    def standing(self) -> Standing:
        """Return where the record stands, with a checkpoint over all of it."""

    def note(self, done: Noted) -> None:
        """Record that a run ended well."""


class StoppedRecord:
    """The record of a home whose recorder is stopped, opened for the time of a run."""

    def __init__(self, opened: OpenRecord) -> None:
        self._opened = opened

    def standing(self) -> Standing:
        """Return where the record stands."""
        return take_standing(self._opened)

    def note(self, done: Noted) -> None:
        """Record that a run ended well."""
        note(self._opened, done)


def take_standing(opened: OpenRecord) -> Standing:
    """Publish, and return where the record stands; no key of an entry in quarantine goes into a backup.

    Raises:
        Unavailable: no checkpoint can be signed now.
    """
    opened.record.mend()
    checkpoint = opened.publish()
    parts = opened.record.parts
    rows = parts.catalogue.segments()
    closed = parts.catalogue.rows_at(sorted(quarantined(opened.home)))
    if not checkpoint:
        raise Tampered("the record has entries and no checkpoint; run `muniment verify`")
    return Standing(
        origin=opened.origin,
        root=parts.keeper.backup_root,
        now_ms=opened.record.now_ms(),
        generation=parts.keeper.generation,
        size=opened.record.size,
        checkpoint=checkpoint,
        segments=[(*row.segment, row.size) for row in rows if row.size],
        keeper=parts.keeper.backup_files([((row.retention, row.epoch), row.position) for row in closed]),
        last=opened.backups.copied,
    )


def note(opened: OpenRecord, done: Noted) -> None:
    """Record a run and keep it as the newest."""
    opened.append([noted.entry_of(done)])
    opened.backups.keep(done)


def _standing(opened: OpenRecord, arguments: dict[str, Any]) -> dict[str, Any]:
    read_arguments(arguments, _Nothing)
    told: dict[str, Any] = msgspec.to_builtins(take_standing(opened), builtin_types=(bytes,))
    return told


def _backed_up(opened: OpenRecord, arguments: dict[str, Any]) -> dict[str, Any]:
    note(opened, noted.parse(arguments))
    return {}


OPERATIONS: Final[Mapping[str, Callable[[OpenRecord, dict[str, Any]], dict[str, Any]]]] = {
    "standing": _standing,
    "backed-up": _backed_up,
}
