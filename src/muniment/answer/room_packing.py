"""Handing out from a room: a pack of entries that were released, recorded as a look and as a disclosure.

The pack is made first, below the room's folder; it is told of only when both are in the record.
Source: docs/formats/room-socket.md, docs/formats/pack.md; R-5.4-c.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from muniment.answer.look import Disclosure, Look, LookBook
from muniment.answer.pack import build_pack
from muniment.answer.pack_about import ApprovingOfficer, PackAbout, PermitPapers
from muniment.answer.pack_message import Exporter
from muniment.answer.reading.attachment import text_of
from muniment.answer.room_arguments import Pack
from muniment.answer.room_open import OpenRoom
from muniment.answer.room_values import PackResult
from muniment.answer.room_wire import Looker
from muniment.answer.rooms import RoomPlace
from muniment.policy.errors import Conflict, Missing
from muniment.policy.policyfile import PolicyFile, load
from muniment.record.entry import Kind, Stream
from muniment.record.open_entries import read_open

_MOST_GAPS = 100


def remove_packs(place: RoomPlace) -> None:
    """Remove every pack that lies in a room's folder: nothing in the clear outlives the room."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in (place.folder / "packs").iterdir():
            path.unlink(missing_ok=True)


def pack(room: OpenRoom, book: LookBook, looker: Looker, asked: Pack, now_ms: int) -> PackResult:
    """Make a pack of entries and record that it is handed out.

    Raises: Missing when an entry is not shown here. BadInput for a recipient's key that is none. Unavailable when it
    cannot be stored or recorded; then there is no pack.
    """
    indexes = list(dict.fromkeys(asked.indexes))
    for index in indexes:
        place = room.entries.place(index)
        if not room.entries.has_content[place]:
            raise Missing(f"entry {index} is open here with its envelope only and cannot be packed")
    folder = room.files.place.folder / "packs"
    folder.mkdir(mode=0o700, exist_ok=True)
    suffix = ".zip.age" if asked.age_recipient else ".zip"
    target = folder / f"{room.files.place.name}-{secrets.token_hex(4)}{suffix}"
    policy = load(room.files.place.home.policy_file)
    # One thread at a time uses the view, so searches wait while a pack is made.
    with room.opener.lock:
        view = room.opener.view
        exporter = Exporter(room.files.place.home, lambda index: view.item(index).row, policy.example)
        messages = (exporter.message(view, index) for index in indexes)
        about = _about(room, exporter, policy, looker, asked, now_ms)
        made = build_pack(target, messages, about, age_recipient=asked.age_recipient, extract=text_of)
    given = Disclosure(
        entries=tuple(indexes), manifest_sha256=made.manifest_sha256, encrypted_to=asked.age_recipient
    )
    look = Look(act="pack", entries=tuple(indexes), reason=asked.reason, recipient=asked.recipient)
    try:
        book.note_disclosure(looker, given)
        number = book.note(looker, look).number
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return PackResult(
        path=str(target.relative_to(room.files.place.folder)),
        manifest_sha256=made.manifest_sha256,
        entries=made.entries,
        record_number=number,
    )


def _about(
    room: OpenRoom, exporter: Exporter, policy: PolicyFile, looker: Looker, asked: Pack, now_ms: int
) -> PackAbout:
    return PackAbout(
        title=asked.title or f"Permit {room.files.request.number}",
        reason=asked.reason,
        recipient=asked.recipient,
        organisation=policy.organisation.name,
        made_ms=now_ms,
        made_by=looker.name,
        origin=exporter.checkpoint.origin,
        vkey=exporter.vkey,
        log_size=exporter.checkpoint.size,
        papers=_papers(room, policy),
        searches=tuple(room.searches),
        not_searched=tuple((reason.reason, reason.count) for reason in room.not_searched()),
        gaps=tuple(_gaps(room)),
        example=policy.example,
    )


def _papers(room: OpenRoom, policy: PolicyFile) -> PermitPapers:
    request, approval, signed = room.files.request, room.files.approval, room.files.signed
    officer = next((found for found in policy.officers if found.id == approval.officer), None)
    if officer is None:
        raise Conflict(f"the officer {approval.officer!r} who approved is none of the policy file now")
    return PermitPapers(
        number=request.number,
        revision=request.revision,
        purpose=request.purpose,
        clause=request.clause,
        request=room.files.request_text,
        approval=signed.approval,
        signature=signed.signature,
        officer=ApprovingOfficer(
            id=officer.id, name=officer.name, role=officer.role.value, signing_key=officer.signing_key
        ),
        entries=request.entries,
        shielded=room.shielded(),
    )


def _gaps(room: OpenRoom) -> Iterator[str]:
    """Yield a sentence for each gap the record itself holds within the permit's time."""
    request = room.files.request
    found = 0
    for entry in read_open(room.files.place.home, Stream.HEALTH):
        if entry.kind != Kind.GAP or not request.from_ms <= entry.captured_ms < request.until_ms:
            continue
        found += 1
        if found > _MOST_GAPS:
            yield "and more"
            return
        when = datetime.fromtimestamp(entry.captured_ms / 1000, UTC)
        with suppress(ValueError, KeyError, TypeError):
            yield f"{when:%d %B %Y, %H.%M} (UTC): {json.loads(entry.plain)['cause']}"
