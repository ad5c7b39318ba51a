"""Anchor entries: the record's own note of which checkpoint left the building, when and to whom.

    format      muniment-anchor/1
    event       witnessed or mailed
    day         the day it stands for, as 2026-11-25
    to          mailed: the officer's id; witnessed: empty
    checkpoint  the signed note, with cosignatures when it has them

Format: docs/formats/witness.md. Source: R-2.1-b.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

import msgspec

from muniment.policy.errors import BadInput
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.home import Home
from muniment.record.open_entries import read_plain

REMEMBERED_DAYS = 40
_DAY_MS = 86_400_000
_MARK = b'"muniment-anchor/'


class Event(StrEnum):
    """How the checkpoint left."""

    WITNESSED = "witnessed"
    MAILED = "mailed"


class Anchor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one anchor entry says."""

    format: Literal["muniment-anchor/1"] = "muniment-anchor/1"
    event: Event
    day: date
    checkpoint: str
    to: str = ""


def anchor_entry(anchor: Anchor) -> Entry:
    """Return the open entry that holds an anchor."""
    return Entry(stream=Stream.HEALTH, kind=Kind.ANCHOR, plain=msgspec.json.encode(anchor, order="sorted"))


def parse_anchor(plain: bytes) -> Anchor:
    """Return what an anchor entry says. Raises: BadInput when it is none."""
    try:
        return msgspec.json.decode(plain, type=Anchor, strict=True)
    except msgspec.MsgspecError as error:
        raise BadInput(f"this is no anchor entry: {error}") from None


def anchors_since(home: Home, catalogue: Catalogue, now_ms: int, days: int = REMEMBERED_DAYS) -> list[Anchor]:
    """Return the anchors of the last days, oldest first; other entries of their kind, of backups, are left out."""
    rows = catalogue.rows("kind = ? AND captured_ms > ?", (Kind.ANCHOR, now_ms - days * _DAY_MS))
    plains = (read_plain(home, row) for row in rows)
    return [parse_anchor(plain) for plain in plains if _MARK in plain]
