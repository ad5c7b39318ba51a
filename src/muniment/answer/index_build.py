"""Builds a room's index in the background: bodies first, newest first, usable at once; attachments in a second pass.

1. When owners have marked entries of the room since the approval, the conversations are found first: what belongs to a
   marked one is shielded before anything is indexed.
2. Every entry is opened, read, indexed and forgotten. What cannot be read is counted by reason.
3. Every entry is looked at once more: messages with attachments are indexed with the text of these, and messages to
   recipients whom no header names, with their addresses.

Source: DESIGN "Rooms"; docs/formats/room-socket.md, "Searching" and "Shielded"; R-5.3-l.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterator
from threading import Event
from typing import Protocol

import msgspec

from muniment.answer.index import Indexed, RoomIndex
from muniment.answer.index_text import MAX_INDEXED_CHARACTERS, IndexText, text_for_index
from muniment.answer.index_threads import Copies, Threads
from muniment.answer.reading.attachment import text_of
from muniment.answer.reading.envelope import envelope_of
from muniment.answer.reading.letter import read_letter
from muniment.answer.room_entries import Entries, Standing
from muniment.answer.room_values import Reason
from muniment.policy.errors import MunimentError
from muniment.record.entry import Stream

_FIRST_COMMIT, _LARGEST_STEP = 256, 25_000
_ADDRESS = re.compile(r"[^\s<>\"(),;:\[\]]{1,128}@[^\s<>\"(),;:\[\]]{1,255}")
DOES_NOT_OPEN = "does not open"


class Opener(Protocol):
    """What opens entries of the room, by ledger index."""

    def meta_map(self, index: int) -> bytes:
        """Return the MessagePack map of an entry's meta, empty when it has none."""

    def written(self, index: int) -> bytes:
        """Return the bytes of an entry as written, quickly: its redaction commitments are not recomputed."""


class _Dialogue(msgspec.Struct, frozen=True):
    """Of an entry's meta, who was named in the dialogue."""

    mail_from: str = ""
    rcpt_to: list[str] = []


_dialogue = msgspec.msgpack.Decoder(_Dialogue).decode


class Builder:
    """One run over a room's entries; call `run` in a thread, `stop` from any other."""

    def __init__(
        self,
        entries: Entries,
        index: RoomIndex,
        opener: Opener,
        marked: Collection[int],
    ) -> None:
        self.entries, self.index, self.opener = entries, index, opener
        self.threads, self.copies = Threads(entries.threads), Copies()
        self.indexed = self.with_attachments = self.attachments_indexed = 0
        self.problems: Counter[str] = Counter()
        self.is_done = False
        self.is_shielding = bool(marked)  # until it is known which conversations are marked, none is shown
        self.failure = ""
        self._marked = marked
        self._headers = _Named(len(entries))
        self._stopping = Event()
        self._next_commit = _FIRST_COMMIT

    def stop(self) -> None:
        """Have the run end soon."""
        self._stopping.set()

    def run(self) -> None:
        """Index everything; afterwards `is_done` is set, or `failure` says what went wrong."""
        try:
            self.settle()
            self._index_bodies()
            self.threads.forget()
            self.copies.forget()
            self._look_again()
            self.index.finish()
            self.is_done = True
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"

    def settle(self) -> None:
        """Find out what is shielded by owners' marks; until then `is_shielding`, and nothing may be shown."""
        if self._marked:
            self._shield()

    def looked_at_once(self) -> int:
        """Return how many entries wait for their second look."""
        return self.entries.standing.count(Standing.INDEXED)

    def unsearchable(self) -> list[Reason]:
        """Return what could not be searched, by reason."""
        return [Reason(reason, count) for reason, count in sorted(self.problems.items())]

    def _newest_first(self, wanted: Collection[Standing]) -> Iterator[int]:
        """Yield the places that stand like that, the newest of the ledger first, until stopped."""
        standing = self.entries.standing
        for place in range(len(standing) - 1, -1, -1):
            if self._stopping.is_set():
                return
            if standing[place] in wanted:
                yield place

    def _shield(self) -> None:
        """Find all conversations, then shield those that hold a marked entry."""
        for place in self._newest_first((Standing.WAITING,)):
            text = self._text(place)
            if text is not None:
                self.threads.add(place, text, self.entries.at[place])
        standing, find = self.entries.standing, self.threads.find
        marked = {find(place) for place, index in enumerate(self.entries.indexes) if index in self._marked}
        for place in range(len(self.entries)):
            if find(place) in marked:
                standing[place] = Standing.SHIELDED
        self.problems.clear()
        self.is_shielding = False

    def _index_bodies(self) -> None:
        for place in self._newest_first((Standing.WAITING,)):
            self._index_body(place)
            if self.indexed >= self._next_commit:
                self.index.commit()
                self._next_commit += min(3 * self.indexed, _LARGEST_STEP)
        self.index.commit()

    def _index_body(self, place: int) -> None:
        text = self._text(place)
        if text is None:
            self.entries.standing[place] = Standing.CLOSED
            return
        at_ms = self.entries.at[place]
        self.entries.attachments[place] = text.attachments
        self.threads.add(place, text, at_ms)
        self.copies.add(place, text)
        if text.defect:
            self.problems[text.defect] += 1
        has_content = self.entries.has_content[place]
        self.with_attachments += text.attachments > 0 and has_content
        who = _who(text)
        self.index.add(Indexed(place, at_ms, text.subject, text.from_, text.to, who, text.body))
        self._headers.note(place, who)
        self.entries.standing[place] = Standing.INDEXED if has_content else Standing.COMPLETE
        self.indexed += 1

    def _text(self, place: int) -> IndexText | None:
        """Return what is indexed of an entry at first, None when it does not open."""
        index = self.entries.indexes[place]
        try:
            if not self.entries.has_content[place]:
                return _text_of_meta(self.opener.meta_map(index))
            return text_for_index(self.opener.written(index))
        except MunimentError:
            self.problems[DOES_NOT_OPEN] += 1
            return None

    def _look_again(self) -> None:
        """Index once more what the first pass left out: attachments, and recipients that no header names."""
        for done, place in enumerate(self._newest_first((Standing.INDEXED,)), start=1):
            try:
                self._index_rest(place)
            except MunimentError:
                self.problems[DOES_NOT_OPEN] += 1
            self.entries.standing[place] = Standing.COMPLETE
            if done % _LARGEST_STEP == 0:
                self.index.commit()

    def _index_rest(self, place: int) -> None:
        index = self.entries.indexes[place]
        is_import = self.entries.streams[place] == Stream.MAIL_IMPORT
        named = () if is_import else _named_in(self.opener.meta_map(index))
        has_attachments = self.entries.attachments[place] > 0
        if not has_attachments and self._headers.name_all(place, named):
            return
        raw = self.opener.written(index)
        text = text_for_index(raw)
        found = self._attachments(raw) if has_attachments else ""
        who = _who(text) | set(named)
        at_ms = self.entries.at[place]
        self.index.remove(place)
        self.index.add(Indexed(place, at_ms, text.subject, text.from_, text.to, who, text.body, found))

    def _attachments(self, raw: bytes) -> str:
        """Return the names and texts of a message's attachments; count what gave none, by reason."""
        found = []
        for attachment in read_letter(raw).attachments:
            extracted = text_of(attachment.name, attachment.type, attachment.data)
            found.append(f"{attachment.name}\n{extracted.text}")
            if extracted.problem:
                self.problems[f"attachment: {extracted.problem}"] += 1
        self.attachments_indexed += 1
        return "\n".join(found)[:MAX_INDEXED_CHARACTERS]


class _Named:
    """Which addresses the header of each entry names, four bytes each."""

    def __init__(self, count: int) -> None:
        self._hashes = array("I")
        self._starts, self._counts = array("I", bytes(4 * count)), array("H", bytes(2 * count))

    def note(self, place: int, addresses: Collection[str]) -> None:
        self._starts[place] = len(self._hashes)
        self._counts[place] = min(len(addresses), 0xFFFF)
        self._hashes.extend([hash(address) & 0xFFFFFFFF for address in addresses])

    def name_all(self, place: int, addresses: Collection[str]) -> bool:
        start = self._starts[place]
        own = self._hashes[start : start + self._counts[place]]
        return all(hash(address) & 0xFFFFFFFF in own for address in addresses)


def _who(text: IndexText) -> set[str]:
    """Return every address that the header of a message names."""
    return {*_ADDRESS.findall(f"{text.from_} {text.to}".lower()), *text.named}


def _named_in(meta: bytes) -> tuple[str, ...]:
    try:
        said = _dialogue(meta)
    except msgspec.DecodeError:
        return ()
    return tuple(address.lower() for address in (said.mail_from, *said.rcpt_to) if address)


def _text_of_meta(meta: bytes) -> IndexText:
    """Return what is indexed of an entry whose content is not within the permit."""
    envelope = envelope_of(meta)
    references = tuple(re.findall(r"<[^<>\s]{1,990}>", f"{envelope.references} {envelope.in_reply_to}"))
    ids = (envelope.message_id, *dict.fromkeys(references))
    to = " ".join(filter(None, (envelope.to, envelope.cc, *envelope.rcpt_to)))
    sender = envelope.from_ or envelope.mail_from
    return IndexText(envelope.subject, sender, to, envelope.date, ids, "", 0, named=_named_in(meta))
