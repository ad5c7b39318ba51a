"""Builds a room's index in the background: bodies first, newest first, usable at once; attachments in a second pass.

1. When owners have marked entries of the room since the approval, the conversations are found first: what belongs to a
   marked one is shielded before anything is indexed.
2. Every entry is opened, read, indexed and forgotten. What cannot be read is counted by reason.
3. Messages with attachments are opened once more and indexed with the text of these.

Source: DESIGN "Rooms"; docs/formats/room-socket.md, "Searching" and "Shielded"; R-5.3-l.
"""

from __future__ import annotations

import re
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

_FIRST_COMMIT, _LARGEST_STEP = 256, 25_000
_ADDRESS = re.compile(r"[^\s<>\"(),;:\[\]]{1,128}@[^\s<>\"(),;:\[\]]{1,255}")
DOES_NOT_OPEN = "does not open"


class Opener(Protocol):
    """What opens entries of the room, by ledger index."""

    def meta_map(self, index: int) -> bytes:
        """Return the MessagePack map of an entry's meta, empty when it has none."""

    def both(self, index: int) -> tuple[bytes, bytes]:
        """Return the meta map and the bytes as written, quickly: the redaction commitments are not recomputed."""


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
        self._stopping = Event()
        self._next_commit = _FIRST_COMMIT

    def stop(self) -> None:
        """Have the run end soon."""
        self._stopping.set()

    def run(self) -> None:
        """Index everything; afterwards `is_done` is set, or `failure` says what went wrong."""
        try:
            if self._marked:
                self._shield()
            self._index_bodies()
            self.threads.forget()
            self.copies.forget()
            self._index_attachments()
            self.index.finish()
            self.is_done = True
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"

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
        has_more = text.attachments > 0 and self.entries.has_content[place]
        self.with_attachments += bool(has_more)
        self.index.add(Indexed(place, at_ms, text.subject, text.from_, text.to, _who(text), text.body))
        self.entries.standing[place] = Standing.INDEXED if has_more else Standing.COMPLETE
        self.indexed += 1

    def _text(self, place: int) -> IndexText | None:
        """Return what is indexed of an entry, None when it does not open."""
        index = self.entries.indexes[place]
        try:
            if not self.entries.has_content[place]:
                return _text_of_meta(self.opener.meta_map(index))
            meta, raw = self.opener.both(index)
        except MunimentError:
            self.problems[DOES_NOT_OPEN] += 1
            return None
        return text_for_index(raw)._replace(named=_named_in(meta))

    def _index_attachments(self) -> None:
        for place in self._newest_first((Standing.INDEXED,)):
            try:
                self._index_with_attachments(place)
            except MunimentError:
                self.problems[DOES_NOT_OPEN] += 1
            self.entries.standing[place] = Standing.COMPLETE
            self.attachments_indexed += 1

    def _index_with_attachments(self, place: int) -> None:
        meta, raw = self.opener.both(self.entries.indexes[place])
        text, found = text_for_index(raw)._replace(named=_named_in(meta)), []
        for attachment in read_letter(raw).attachments:
            extracted = text_of(attachment.name, attachment.type, attachment.data)
            found.append(f"{attachment.name}\n{extracted.text}")
            if extracted.problem:
                self.problems[f"attachment: {extracted.problem}"] += 1
        self.index.remove(place)
        self.index.add(
            Indexed(
                place,
                self.entries.at[place],
                text.subject,
                text.from_,
                text.to,
                _who(text),
                text.body,
                "\n".join(found)[:MAX_INDEXED_CHARACTERS],
            )
        )


def _who(text: IndexText) -> set[str]:
    """Return every address of a message: of its header, and of the dialogue it came by (which names hidden ones)."""
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
