"""Notes and tags of a room's readers: sealed at rest under a key only the room's six words lead to.

The file is written anew with each change, under a fresh nonce, and replaces the old one whole.
Source: docs/formats/room-socket.md, "At rest"; RFC 5869.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from threading import Lock

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muniment.answer.room_values import Marks, Note
from muniment.policy.errors import BadInput, Tampered, Unavailable

MAX_NOTE_CHARACTERS, MAX_TAG_CHARACTERS, MAX_TAGS, MAX_NOTES = 10_000, 60, 20, 200
_INFO = b"muniment/1 room notes"
_NONCE_BYTES = 12


class _Marked(msgspec.Struct, forbid_unknown_fields=True):
    notes: list[Note] = []
    tags: list[str] = []


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    format: int = 1
    entries: dict[int, _Marked] = {}


def notes_key(room_key: bytes) -> bytes:
    """Return the key of the notes, from the room's private key."""
    return HKDF(SHA256(), 32, None, _INFO).derive(room_key)


class Notes:
    """The notes and tags of one room, in memory and sealed in one file."""

    def __init__(self, path: Path, key: bytes, name: str) -> None:
        self._path, self._cipher = path, AESGCM(key)
        self._associated = _INFO + b" " + name.encode()
        self._lock = Lock()
        self._stored = self._read()

    def of(self, index: int) -> Marks:
        """Return what an entry has."""
        found = self._stored.entries.get(index, _Marked())
        return Marks(index=index, notes=list(found.notes), tags=list(found.tags))

    def tagged(self, tag: str) -> set[int]:
        """Return the entries that carry a tag."""
        return {index for index, marked in self._stored.entries.items() if tag in marked.tags}

    def add(self, index: int, note: Note | None, tags: list[str] | None) -> Marks:
        """Add a note and set the tags (when given) of an entry, on disk before this returns.

        Raises: BadInput when they are too long or too many. Unavailable when they cannot be stored.
        """
        tidy = None if tags is None else _tidy(tags)
        if note is not None and not 1 <= len(note.text) <= MAX_NOTE_CHARACTERS:
            raise BadInput(f"a note has 1 to {MAX_NOTE_CHARACTERS:,} characters, found {len(note.text):,}")
        with self._lock:
            old = self._stored.entries.get(index, _Marked())
            if note is not None and len(old.notes) >= MAX_NOTES:
                raise BadInput(f"this entry has {MAX_NOTES} notes already")
            new = _Marked(old.notes + ([note] if note else []), old.tags if tidy is None else tidy)
            entries = self._stored.entries | {index: new}
            self._write(_Stored(entries=entries))
            self._stored.entries = entries
        return self.of(index)

    def _read(self) -> _Stored:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return _Stored()
        try:
            plain = self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], self._associated)
            stored = msgspec.msgpack.decode(plain, type=_Stored)
        except (InvalidTag, ValueError):
            raise Tampered(
                f"{self._path.name} does not open with this room's key: it was altered or belongs to another "
                "room. Move it away to go on without the notes"
            ) from None
        if stored.format != 1:
            raise BadInput(f"the notes have format {stored.format}, expected 1: a newer release wrote them")
        return stored

    def _write(self, stored: _Stored) -> None:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(stored), self._associated)
        fresh = self._path.with_suffix(".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise Unavailable(f"the note cannot be stored: {error.strerror}; nothing was changed") from error


def _tidy(tags: list[str]) -> list[str]:
    found = list(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in tags))))
    if len(found) > MAX_TAGS or any(len(tag) > MAX_TAG_CHARACTERS for tag in found):
        raise BadInput(f"an entry has at most {MAX_TAGS} tags of {MAX_TAG_CHARACTERS} characters")
    return found
