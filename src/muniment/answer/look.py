"""A look is an entry of the record before its result is shown; so is a pack that is handed out.

Source: docs/formats/look.md; R-5.2-f (the permit's number on each query), R-5.3-k (a log of readers).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

import msgspec

from muniment.answer.room_wire import Looker
from muniment.policy.errors import Unavailable
from muniment.record.client import Recorder
from muniment.record.entry import Entry, Kind, Receipt, Stream

RECORD_SECONDS = 20.0


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look: what is done, what it shows, and the words and the reason, which are sealed."""

    act: str
    entries: tuple[int, ...] = ()
    found: int | None = None
    rung: str = ""
    words: str = ""
    reason: str = ""
    recipient: str = ""


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """What was handed out: the hash of the pack's manifest says exactly what."""

    entries: tuple[int, ...]
    manifest_sha256: str
    encrypted_to: str


def look_entry(permit: str, revision: int, looker: Looker, look: Look) -> Entry:
    """Return the entry of a look under a permit."""
    plain: dict[str, object] = {
        "format": "muniment-look/1",
        "permit": permit,
        "revision": revision,
        "by": looker.id,
        "role": looker.role,
        "act": look.act,
        "entries": look.entries,
    }
    if look.found is not None:
        plain["found"] = look.found
    if look.rung:
        plain["rung"] = look.rung
    sealed = {"words": look.words, "reason": look.reason, "recipient": look.recipient}
    meta = {name: text for name, text in sealed.items() if text}
    return Entry(
        stream=Stream.LOOKS,
        kind=Kind.LOOK,
        plain=json.dumps(plain, sort_keys=True).encode(),
        meta=msgspec.msgpack.encode(meta) if meta else b"",
    )


def disclosure_entry(permit: str, revision: int, looker: Looker, given: Disclosure) -> Entry:
    """Return the entry of a pack that is handed out."""
    plain = {
        "format": "muniment-disclosure/1",
        "permit": permit,
        "revision": revision,
        "by": looker.id,
        "entries": given.entries,
        "manifest_sha256": given.manifest_sha256,
        "encrypted_to": given.encrypted_to,
    }
    return Entry(
        stream=Stream.DISCLOSURES,
        kind=Kind.DISCLOSURE,
        plain=json.dumps(plain, sort_keys=True).encode(),
    )


class LookBook:
    """Writes looks into the record; one at a time, over one connection that is made again when it broke."""

    def __init__(self, path: Path, permit: str, revision: int) -> None:
        self._path, self._permit, self._revision = path, permit, revision
        self._lock = Lock()
        self._recorder: Recorder | None = None

    def note(self, looker: Looker, look: Look) -> Receipt:
        """Record a look and return its receipt. Raises: Unavailable when it is not recorded: then nothing is shown."""
        return self.append([look_entry(self._permit, self._revision, looker, look)])[0]

    def note_disclosure(self, looker: Looker, given: Disclosure) -> Receipt:
        """Record that a pack is handed out. Raises: Unavailable when that is not recorded."""
        return self.append([disclosure_entry(self._permit, self._revision, looker, given)])[0]

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Record entries; tried twice, since the recorder may have started anew. Raises: Unavailable."""
        with self._lock:
            with suppress(Unavailable):
                return self._once(entries)
            return self._once(entries)

    def answers(self) -> bool:
        """Tell whether the recorder answers."""
        with self._lock, suppress(Unavailable):
            self._connected().checkpoint()
            return True
        self._drop()
        return False

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _once(self, entries: Sequence[Entry]) -> list[Receipt]:
        try:
            return self._connected().append(entries)
        except BaseException:
            self._drop()
            raise

    def _connected(self) -> Recorder:
        if self._recorder is None:
            self._recorder = Recorder(self._path, RECORD_SECONDS)
        return self._recorder

    def _drop(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
