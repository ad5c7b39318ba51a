"""An unlocked room: its keys, entries, index, notes and ladder, all in this process's memory.

`unlock` does, in this order:

1. the six words open the room's private key;
2. the key opens the release the officer signed: the seeds of exactly the entries selected;
3. the recorder checks the permit against the record again and gives the keeper's share of the same entries;
4. what owners have marked since is read.

The private key is dropped once the notes' key is derived from it. Source: docs/formats/room-socket.md; R-5.2-f.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Thread

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.answer.index import RoomIndex
from muniment.answer.index_build import Builder
from muniment.answer.ladder import Ladder
from muniment.answer.notes import Notes, notes_key
from muniment.answer.pack_about import Search
from muniment.answer.room_entries import Entries, Standing
from muniment.answer.room_keys import ReleasedOpener
from muniment.answer.room_values import Reason
from muniment.answer.room_watch import marked_of
from muniment.answer.rooms import RoomPlace
from muniment.permit.release import open_release
from muniment.permit.rooms import APPROVAL, KEY, REQUEST, SELECTION
from muniment.policy.errors import Conflict, Missing, Tampered
from muniment.record import permit_text
from muniment.record.client import Recorder
from muniment.record.keyfile import open_key, parse_key_file
from muniment.record.permit_selection import digest_of
from muniment.record.permit_text import Approval, PermitRequest, SignedApproval

INDEX_MOST = 250_000  # a room over more entries is a scan room: it has no index
MOST_SEARCHES = 500
_NOT_YET, _ATTACHMENTS_LEFT = "not yet indexed", "attachments not yet read"
_HIDDEN_LEFT = "hidden recipients not yet looked up"


@dataclass(frozen=True)
class RoomFiles:
    """What lies at rest in a room's folder, read and compared with itself."""

    place: RoomPlace
    request_text: str
    request: PermitRequest
    selection: bytes
    signed: SignedApproval
    approval: Approval

    @classmethod
    def read(cls, place: RoomPlace) -> RoomFiles:
        """Read them.

        Raises: Missing when there is no such room. Tampered when they do not belong together.
        """
        try:
            request_text = (place.folder / REQUEST).read_text("utf-8")
            selection = (place.folder / SELECTION).read_bytes()
            signed_text = (place.folder / APPROVAL).read_bytes()
        except FileNotFoundError:
            raise Missing(
                f"there is no room {place.name}: the permit was not approved, or has another revision"
            ) from None
        request = permit_text.parse_request(request_text)
        signed = permit_text.parse_signed_approval(signed_text)
        approval = permit_text.parse_approval(signed.approval)
        named = {(request.number, request.revision), (approval.number, approval.revision)}
        if named != {(place.number, place.revision)} or request.kind == "exemption":
            raise Tampered(f"the files of room {place.name} belong to another permit; nothing was opened")
        if approval.request_sha256 != permit_text.digest(request_text):
            raise Tampered(f"the request of room {place.name} is not the one that was approved")
        if {digest_of(selection)} != {request.selection_sha256, approval.selection_sha256}:
            raise Tampered(f"the selection of room {place.name} is not the one that was approved")
        return cls(place, request_text, request, selection, signed, approval)


@dataclass
class OpenRoom:
    """Everything of one unlocked room."""

    files: RoomFiles
    opener: ReleasedOpener
    entries: Entries
    index: RoomIndex
    builder: Builder
    notes: Notes
    ladder: Ladder
    searches: list[Search] = field(default_factory=list)

    @property
    def is_scan_room(self) -> bool:
        """Tell whether the room has too many entries for an index."""
        return len(self.entries) > INDEX_MOST

    def marked(self) -> int:
        """Return how many entries are shielded by their owners' marks, with their conversations."""
        return self.entries.standing.count(Standing.SHIELDED)

    def shielded(self) -> int:
        """Return how many entries of the permit stay sealed: those marked at capture, and those marked since."""
        return self.files.request.shielded + self.marked()

    def not_searched(self) -> list[Reason]:
        """Return what a search does not look into now, by reason; a scan room has no search."""
        if self.is_scan_room:
            return []
        builder = self.builder
        left = self.entries.standing.count(Standing.WAITING)
        attachments_left = builder.with_attachments - builder.attachments_indexed
        waiting = [Reason(_NOT_YET, left), Reason(_ATTACHMENTS_LEFT, attachments_left)]
        found = [*waiting, Reason(_HIDDEN_LEFT, builder.looked_at_once()), *builder.unsearchable()]
        if builder.failure:
            found.append(Reason("the index broke off; close the room and open it again", 1))
        return [reason for reason in found if reason.count]

    def note_search(self, made: Search) -> None:
        """Keep what was searched, for the statement of a pack; a further page of the same search counts once."""
        same = (made.words, made.field, made.person, made.from_ms, made.until_ms)
        others = [s for s in self.searches if (s.words, s.field, s.person, s.from_ms, s.until_ms) != same]
        self.searches = [*others, made][-MOST_SEARCHES:]

    def begin(self) -> None:
        """Begin the index in the background, or where there are too many entries for one, what is shielded alone."""
        work = self.builder.settle if self.is_scan_room else self.builder.run
        Thread(target=work, name="index", daemon=True).start()

    def require_settled(self) -> None:
        """Return when it is known which entries are shielded. Raises: Conflict while that is found out."""
        if self.builder.is_shielding:
            raise Conflict(
                "the room still finds out which conversations their owners have marked; try again in a moment"
            )

    def close(self) -> None:
        """Stop what runs; the process ends afterwards, and with it the keys."""
        self.builder.stop()


def unlock(files: RoomFiles, words: str) -> OpenRoom:
    """Open a room with its six words; `begin` begins its index.

    Raises:
        BadInput: the words are others. Refused: the recorder finds that the permit does not hold. Tampered: the
            release is not the one that was signed. Unavailable: the recorder does not answer.
    """
    place = files.place
    key = _room_key(files, words)
    covers = open_release(files.signed.release, key, files.request, files.approval)
    with Recorder(place.home.socket) as recorder:
        signed = files.signed
        released = recorder.release(files.request_text, signed.approval, signed.signature, files.selection)
        opener = ReleasedOpener(place.home, covers, released)
    notes = Notes(place.folder / "notes.sealed", notes_key(key.private_bytes_raw()), place.name)
    return _built(files, opener, notes)


def _built(files: RoomFiles, opener: ReleasedOpener, notes: Notes) -> OpenRoom:
    entries, index = Entries(opener.items()), RoomIndex()
    marked = marked_of(files.place.home) & set(entries.indexes)
    builder = Builder(entries, index, opener, marked)
    return OpenRoom(files, opener, entries, index, builder, notes, Ladder(files.request.depth))


def _room_key(files: RoomFiles, words: str) -> X25519PrivateKey:
    try:
        sealed = (files.place.folder / KEY).read_bytes()
    except FileNotFoundError:
        raise Missing(
            f"the key of room {files.place.name} is not there; the permit must be asked anew"
        ) from None
    file = parse_key_file(sealed)
    if file.public_key != files.request.room_key:
        raise Conflict(f"the key file of room {files.place.name} belongs to another room; nothing was opened")
    return open_key(file, words)
