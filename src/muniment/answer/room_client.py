"""The console's side of a room's socket: one blocking call an operation, each with who looks.

A call raises what the room raises: `Refused` with its clause, `Unavailable` when the room or the recorder does not
answer, `Missing` when the entry is not within the permit. Source: docs/formats/room-socket.md.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from muniment.answer import room_values as values
from muniment.answer import room_wire as wire
from muniment.answer.room_wire import Looker
from muniment.policy.errors import Unavailable
from muniment.record.client import short_path

TIMEOUT_SECONDS = 120.0
_Value = TypeVar("_Value")

__all__ = ["Looker", "RoomClient"]


class RoomClient:
    """One connection to one room, for one person who looks."""

    def __init__(self, path: Path, looker: Looker, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._path, self._looker = path, looker
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_seconds)
        try:
            with short_path(path) as name:
                self._socket.connect(name)
        except OSError as error:
            self._socket.close()
            raise _not_reached(path, error) from error

    def __enter__(self) -> RoomClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def state(self) -> values.RoomState:
        """Return how the room stands; answered before it is unlocked, and recorded nowhere."""
        return self._ask("state", values.RoomState)

    def unlock(self, words: str) -> values.RoomState:
        """Open the room with the six words; it is usable at once and goes on building.

        Raises: BadInput when the words are others. Refused when the permit does not hold any more.
        """
        return self._ask("unlock", values.RoomState, words=words)

    def counts(self) -> values.Counts:
        """Return how many entries there are, by week, direction and size."""
        return self._ask("counts", values.Counts)

    def climb(self, rung: values.Rung, reason: str) -> values.RoomState:
        """Climb to the next rung, with the reason for it.

        Raises: Refused when a rung would be left out, or the permit's depth has none.
        """
        return self._ask("climb", values.RoomState, rung=rung, reason=reason)

    def search(
        self,
        words: str = "",
        *,
        person: str = "",
        tag: str = "",
        from_ms: int | None = None,
        until_ms: int | None = None,
        field: str = "any",
        reason: str = "",
        first: int = 0,
        most: int = 20,
        fold: bool = True,
    ) -> values.SearchResult:
        """Search; the words and the reason are in the record before the result is here.

        `person` is an id of the permit or an address, `tag` asks for entries that carry it, `first` is 0 or the `next`
        of the page before.
        """
        return self._ask(
            "search",
            values.SearchResult,
            words=words,
            person=person,
            tag=tag,
            from_ms=from_ms,
            until_ms=until_ms,
            field=field,
            reason=reason,
            first=first,
            most=most,
            fold=fold,
        )

    def conversation(self, index: int) -> values.Conversation:
        """Return the thread an entry belongs to, oldest first."""
        return self._ask("conversation", values.Conversation, index=index)

    def read(self, index: int, reason: str, face: str = "written") -> values.Message:
        """Return one message in the clear, as `written` or as `sent`."""
        return self._ask("read", values.Message, index=index, reason=reason, face=face)

    def attachment(self, index: int, part: str, reason: str) -> values.AttachmentText:
        """Return the text of one attachment."""
        return self._ask("attachment", values.AttachmentText, index=index, part=part, reason=reason)

    def note(self, index: int, text: str = "", tags: Sequence[str] | None = None) -> values.Marks:
        """Add a note (if `text`) and set the tags (if given) of an entry; return what it has now."""
        return self._ask(
            "note", values.Marks, index=index, text=text, tags=None if tags is None else list(tags)
        )

    def scan(self, terms: Sequence[str], reason: str) -> values.ScanState:
        """Begin to look for terms through every entry, or ask again (same terms) how far it is."""
        return self._ask("scan", values.ScanState, terms=list(terms), reason=reason)

    def pack(
        self, indexes: Sequence[int], title: str, reason: str, recipient: str, age_recipient: str = ""
    ) -> values.PackResult:
        """Make a pack of entries; it is recorded as a disclosure."""
        return self._ask(
            "pack",
            values.PackResult,
            indexes=list(indexes),
            title=title,
            reason=reason,
            recipient=recipient,
            age_recipient=age_recipient,
        )

    def close_room(self) -> None:
        """Have the room forget its keys and its index, and end."""
        self._ask("close", dict[str, Any])

    def _ask(self, operation: str, kind: type[_Value], **arguments: object) -> _Value:
        request = wire.Request(operation, self._looker, wire.value_of(arguments))
        try:
            wire.send(self._socket, wire.encode(request))
            data = wire.receive(self._socket, wire.MAX_REPLY_BYTES)
        except OSError as error:
            raise _not_reached(self._path, error) from error
        if data is None:
            raise _not_reached(self._path, OSError("it closed the connection"))
        try:
            return msgspec.msgpack.decode(wire.parse_reply(data), type=kind)
        except msgspec.DecodeError as error:
            raise Unavailable(f"the room's reply cannot be read: {error}") from None


def _not_reached(path: Path, error: OSError) -> Unavailable:
    said = error.strerror or str(error) or "no answer in time"
    return Unavailable(f"the room does not answer at {path.name}: {said}; open it again with its six words")
