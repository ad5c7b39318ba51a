"""What a room does when it is asked, and in which order: who asks, does the permit hold, the look recorded, the answer.

1. Only the permit's requester and its readers are answered.
2. The permit must hold: it is compared with the record every two seconds, and with the clock each time.
3. The answer is made, then the look at it is recorded, then it leaves. When the recorder does not answer, nothing does.

Source: docs/formats/room-socket.md; R-5.2-f, R-5.3-k; DESIGN "Permit, room, notice".
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock
from typing import Any

import msgspec

from muniment.answer import room_arguments as arguments
from muniment.answer import room_reading as reading
from muniment.answer import room_wire as wire
from muniment.answer.ladder import require_reason
from muniment.answer.look import Look, LookBook
from muniment.answer.pack_about import Search
from muniment.answer.room_open import OpenRoom, RoomFiles, unlock
from muniment.answer.room_packing import pack, remove_packs
from muniment.answer.room_scan import RunningScan, scan_look_words
from muniment.answer.room_search import search
from muniment.answer.room_values import Note, Reason, RoomState, SearchResult
from muniment.answer.room_watch import PermitWatch
from muniment.answer.rooms import may_enter
from muniment.policy.errors import BadInput, Conflict, Refused, Unavailable

IDLE_MS = 8 * 3_600_000
_Act = Callable[[wire.Looker, Any], Any]


class RoomActs:
    """The operations of one room's process."""

    def __init__(
        self,
        files: RoomFiles,
        watch: PermitWatch,
        book: LookBook,
        clock: Callable[[], int],
        fences: list[str],
    ) -> None:
        self.files, self.watch, self.book = files, watch, book
        self.ended = Event()
        self._clock, self._fences = clock, fences
        self._room: OpenRoom | None = None
        self._scan: RunningScan | None = None
        self._unlocking, self._scanning = Lock(), Lock()
        self._last_ms = clock()
        self._acts: dict[str, tuple[type[arguments.Arguments], _Act]] = {
            "state": (arguments.Nothing, self._state),
            "unlock": (arguments.Unlock, self._unlock),
            "counts": (arguments.Nothing, self._counts),
            "climb": (arguments.Climb, self._climb),
            "search": (arguments.Search, self._search),
            "conversation": (arguments.OneEntry, self._conversation),
            "read": (arguments.Read, self._read),
            "attachment": (arguments.ReadAttachment, self._attachment),
            "note": (arguments.MakeNote, self._note),
            "scan": (arguments.Scan, self._scan_for),
            "pack": (arguments.Pack, self._pack),
            "close": (arguments.Nothing, self._close),
        }

    def answer(self, request: wire.Request) -> Any:
        """Return the value of one operation, recorded where it must be. Raises: MunimentError."""
        if not may_enter(self.files.request, request.looker.id):
            raise Refused(
                f"permit {self.files.request.number} names neither you as requester nor as reader; "
                "who needs to see it can be named in a new request",
                clause="R-5.3-k",
            )
        if request.operation not in self._acts:
            raise BadInput(f"a room does not know the operation {request.operation[:40]!r}")
        kind, act = self._acts[request.operation]
        asked = arguments.read(kind, request.arguments)
        if request.operation not in ("state", "close"):
            self.watch.require()
            self._last_ms = self._clock()
        return act(request.looker, asked)

    def is_idle(self) -> bool:
        """Tell whether nobody has asked anything for eight hours."""
        return self._clock() - self._last_ms >= IDLE_MS

    def end(self) -> None:
        """Stop what runs and have the process end."""
        if self._scan is not None:
            self._scan.stop()
        if self._room is not None:
            self._room.close()
        remove_packs(self.files.place)
        self.ended.set()

    def _opened(self) -> OpenRoom:
        if self._room is None:
            raise Conflict("this room is locked; open it with its six words first")
        return self._room

    def _settled(self) -> OpenRoom:
        room = self._opened()
        room.require_settled()
        return room

    def _noted(self, looker: wire.Looker, look: Look) -> str:
        return self.book.note(looker, look).number

    def _state(self, looker: wire.Looker, asked: arguments.Nothing) -> RoomState:
        room, request = self._room, self.files.request
        common = {
            "number": request.number,
            "revision": request.revision,
            "depth": request.depth,
            "ends_ms": self.files.approval.ends_ms,
            "confinement": self._fences,
        }
        if room is None:
            return msgspec.convert(
                {**common, "state": "locked", "entries": request.entries, "shielded": request.shielded},
                RoomState,
            )
        return _state_of(room, common, self._last_ms + IDLE_MS)

    def _unlock(self, looker: wire.Looker, asked: arguments.Unlock) -> RoomState:
        with self._unlocking:
            if self._room is None:
                room = unlock(self.files, asked.words)
                remove_packs(self.files.place)  # what a killed process left
                try:
                    self._noted(looker, Look(act="open-room"))
                except BaseException:
                    room.close()
                    raise
                self._room = room
                room.begin()
        return self._state(looker, arguments.Nothing())

    def _counts(self, looker: wire.Looker, asked: arguments.Nothing) -> Any:
        found = reading.counts(self._settled())
        self._noted(looker, Look(act="count", found=found.entries))
        return found

    def _climb(self, looker: wire.Looker, asked: arguments.Climb) -> RoomState:
        ladder = self._opened().ladder
        at = ladder.check(asked.rung, asked.reason)
        self._noted(looker, Look(act="climb", rung=asked.rung, reason=asked.reason))
        ladder.climb(at)
        return self._state(looker, arguments.Nothing())

    def _search(self, looker: wire.Looker, asked: arguments.Search) -> SearchResult:
        room = self._settled()
        room.ladder.require("envelope")
        rung = room.ladder.rung
        found = search(room, asked)
        look = Look(
            act="search",
            entries=reading.entries_of(found.hits),
            found=found.found,
            rung=rung,
            words=_words_of(asked),
            reason=asked.reason,
        )
        number = self._noted(looker, look)
        if not asked.tag:  # what was tagged is no search of the matter
            room.note_search(_search_made(asked, found))
        return msgspec.structs.replace(found, record_number=number)

    def _conversation(self, looker: wire.Looker, asked: arguments.OneEntry) -> Any:
        room = self._settled()
        room.ladder.require("envelope")
        act = "subject" if room.ladder.reaches("subject") else "envelope"
        found = reading.conversation(room, asked.index)
        look = Look(act=act, entries=reading.entries_of(found.hits), rung=room.ladder.rung)
        return msgspec.structs.replace(found, record_number=self._noted(looker, look))

    def _read(self, looker: wire.Looker, asked: arguments.Read) -> Any:
        room = self._settled()
        room.ladder.require("content")
        require_reason(asked.reason)
        found = reading.read(room, asked)
        look = Look(act="content", entries=(asked.index,), reason=asked.reason)
        return msgspec.structs.replace(found, record_number=self._noted(looker, look))

    def _attachment(self, looker: wire.Looker, asked: arguments.ReadAttachment) -> Any:
        room = self._settled()
        room.ladder.require("content")
        require_reason(asked.reason)
        found = reading.attachment(room, asked)
        look = Look(act="attachment", entries=(asked.index,), reason=asked.reason)
        return msgspec.structs.replace(found, record_number=self._noted(looker, look))

    def _note(self, looker: wire.Looker, asked: arguments.MakeNote) -> Any:
        room = self._opened()
        room.ladder.require("envelope")
        room.entries.place(asked.index)
        text = asked.text.strip()
        note = Note(text=text, by=looker.name, at_ms=self._clock()) if text else None
        return room.notes.add(asked.index, note, asked.tags)

    def _scan_for(self, looker: wire.Looker, asked: arguments.Scan) -> Any:
        room = self._settled()
        room.ladder.require("envelope")
        with self._scanning:
            running = self._scan
            if running is not None and running.is_for(asked.terms):
                return running.state()
            require_reason(asked.reason)
            fresh = RunningScan(room, asked.terms)
            look = Look(act="scan", words=scan_look_words(asked.terms), reason=asked.reason)
            fresh.record_number = self._noted(looker, look)
            if running is not None:
                running.stop()
            self._scan = fresh
            fresh.start()
        return fresh.state()

    def _pack(self, looker: wire.Looker, asked: arguments.Pack) -> Any:
        room = self._settled()
        room.ladder.require("content")
        require_reason(asked.reason)
        return pack(room, self.book, looker, asked, self._clock())

    def _close(self, looker: wire.Looker, asked: arguments.Nothing) -> dict[str, Any]:
        if self._room is not None:
            with suppress(Unavailable):  # the keys are forgotten whether or not that can be recorded
                self._noted(looker, Look(act="close-room"))
        self.end()
        return {}


def _words_of(asked: arguments.Search) -> str:
    """Return a search as it is recorded: its words and every filter that was set."""
    filters = {
        "person": asked.person,
        "tag": asked.tag,
        "from_ms": asked.from_ms,
        "until_ms": asked.until_ms,
        "field": "" if asked.field == "any" else asked.field,
    }
    said = [asked.words, *(f"[{name} {value}]" for name, value in filters.items() if value not in ("", None))]
    return " ".join(filter(None, said))


def _search_made(asked: arguments.Search, found: SearchResult) -> Search:
    """Return a search as a pack tells of it."""
    return Search(
        words=asked.words,
        field=asked.field,
        person=asked.person,
        from_ms=asked.from_ms,
        until_ms=asked.until_ms,
        found=found.found,
        searched=found.searched,
        not_searched=tuple((reason.reason, reason.count) for reason in found.not_searched),
    )


def _state_of(room: OpenRoom, common: dict[str, Any], idle_ends_ms: int) -> RoomState:
    builder, request = room.builder, room.files.request
    is_open = room.is_scan_room or builder.is_done
    return msgspec.convert(
        {
            **common,
            "state": "open" if is_open else "building",
            "entries": len(room.entries) - room.marked(),
            "shielded": room.shielded(),
            "shielded_reasons": [
                reason
                for reason in (
                    Reason("marked when it was captured", request.shielded),
                    Reason("marked private by its owner since", room.marked()),
                )
                if reason.count
            ],
            "indexed": builder.indexed,
            "with_attachments": builder.with_attachments,
            "attachments_indexed": builder.attachments_indexed,
            "unsearchable": room.not_searched(),
            "rung": room.ladder.rung,
            "idle_ends_ms": idle_ends_ms,
        },
        RoomState,
    )
