"""A permit asked for, approved and released on a real record, as the higher parts do it, in few lines."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.record import permit_text, wraps
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.epoch import split_officers_root
from muniment.record.home import Home
from muniment.record.inquiry.answers import Inquiries
from muniment.record.inquiry.pages import Releasing
from muniment.record.keyfile import signing_key_of
from muniment.record.keytree import Cover
from muniment.record.opening import OpenRecord
from muniment.record.permit_selection import CONTENT, META, Item, digest_of, parse_selection
from muniment.record.permit_text import Approval, PermitCheckpoint, PermitRequest, PermitWindow, Section
from muniment.record.release_item import ReleaseItem
from muniment.record.released import ReleasedView
from muniment.record.selection import Query, Selected, Window
from muniment.record.sharing import wraps_of
from muniment.record.wire import Reply
from tests.organisation import private_key_bytes
from tests.record import permits

TOMAS = "tomas@training.example"


def private_key(owner: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(private_key_bytes(owner))


def act(name: str, number: str = "2026-003", revision: int = 1, **members: object) -> Entry:
    """Return the open entry of one act on a permit."""
    plain = {
        "format": "muniment-permit-act/1",
        "act": name,
        "number": number,
        "revision": revision,
        "by": "somebody",
        "at_ms": 0,
        **members,
    }
    return Entry(stream=Stream.PERMITS, kind=Kind.APPROVAL, plain=json.dumps(plain).encode())


@dataclass
class Permit:
    """One permit: exact texts, signature, selection, and the keys the officer released."""

    request: str
    approval: str
    signature: bytes
    selection: bytes
    covers: dict[tuple[int, int, Section], Cover]

    @property
    def asking(self) -> Entry:
        return act("ask", permit_text.parse_request(self.request).number, request=self.request)

    @property
    def approving(self) -> Entry:
        signature = base64.b64encode(self.signature).decode()
        number = permit_text.parse_request(self.request).number
        return act("approve", number, approval=self.approval, signature=signature)

    def claim(self, **changes: Any) -> dict[str, Any]:
        """Return the arguments of the operation `release`."""
        arguments = {
            "request": self.request,
            "approval": self.approval,
            "signature": self.signature,
            "selection_sha256": digest_of(self.selection),
            "selection": self.selection,
        }
        return arguments | changes


def query(**changes: Any) -> Query:
    members: dict[str, Any] = {
        "windows": (Window(TOMAS),),
        "from_ms": 0,
        "until_ms": 2**42,
        "streams": ("mail-gateway",),
    }
    return Query(**(members | changes))


def selected(record: OpenRecord, asked: Query) -> Selected:
    """Ask as the console does, through the recorder's answers."""
    inquiries = Inquiries(record)
    try:
        value = inquiries.answer("select")(msgspec.to_builtins(asked), record.record.now_ms())  # type: ignore[misc]
    finally:
        inquiries.close()
    return msgspec.convert(value, Selected)


def request_for(found: Selected, asked: Query, now_ms: int, **changes: Any) -> PermitRequest:
    """Return the request whose words are `asked` and whose selection is `found`."""
    members: dict[str, Any] = {
        "windows": tuple(
            PermitWindow(address=w.address, start_ms=w.start_ms, end_ms=w.end_ms, person="tomas-tutor")
            for w in asked.windows
        ),
        "from_ms": asked.from_ms,
        "until_ms": asked.until_ms,
        "streams": asked.streams,
        "depth": asked.depth,
        "kind": "shielded" if asked.is_shielded else "look",
        "checkpoint": PermitCheckpoint(size=found.size, root=found.root),
        "entries": found.entries,
        "shielded": found.shielded,
        "selection_sha256": digest_of(found.selection),
        "drafted_ms": now_ms,
    }
    return permits.request(**(members | changes))


def released_covers(
    home: Home, origin: str, selection: bytes, owner: str
) -> dict[tuple[int, int, Section], Cover]:
    """Return what an officer's key releases for a selection: the fewest nodes over its positions."""
    by_epoch: defaultdict[tuple[int, int], list[Item]] = defaultdict(list)
    for item in parse_selection(selection):
        by_epoch[item.class_id, item.epoch].append(item)
    key = private_key(owner)
    own = wraps.key_id(key.public_key().public_bytes_raw()).hex()
    covers: dict[tuple[int, int, Section], Cover] = {}
    for found in wraps_of(home, by_epoch):
        epoch = (found.class_id, found.epoch)
        [wrap] = [wraps.from_written(w) for w in found.wraps if w.to == own]
        roots = split_officers_root(wraps.open_share(wrap, key, origin, *epoch))
        sections: tuple[tuple[Section, int], ...] = (("meta", META), ("content", CONTENT))
        for (section, bit), root in zip(sections, roots, strict=True):
            positions = [item.position for item in by_epoch[epoch] if item.sections & bit]
            if positions:
                covers[(*epoch, section)] = Cover.whole(root).restrict_to(positions)
    return covers


def approve(
    home: Home,
    request: PermitRequest,
    selection: bytes,
    now_ms: int,
    owner: str = "managing-director",
    **changes: Any,
) -> Permit:
    """Return the permit as an officer signs it; `changes` are to the approval, made before she signs."""
    text = permit_text.encode(request)
    members: dict[str, Any] = {
        "decided_ms": now_ms,
        "ends_ms": now_ms + request.days * 86_400_000,
        "officer": owner,
    }
    approval: Approval = permits.approval(request, **(members | changes))
    signed = permit_text.encode(approval)
    signature = permit_text.sign_approval(signed, signing_key_of(private_key(owner)))
    covers = released_covers(home, request.origin, selection, owner)
    return Permit(text, signed, signature, selection, covers)


def permitted(record: OpenRecord, asked: Query | None = None, **changes: Any) -> Permit:
    """Return a sound permit that the record holds: selected, asked, approved and recorded."""
    record.publish()
    asked = asked or query()
    found, now = selected(record, asked), record.record.now_ms()
    permit = approve(record.home, request_for(found, asked, now, **changes), found.selection, now)
    record.append([permit.asking])
    record.append([permit.approving])
    return permit


def release(record: OpenRecord, permit: Permit, **changes: Any) -> Releasing:
    """Ask the recorder for its share as a room does; `changes` are to the arguments.

    Raises: whatever the recorder answers.
    """
    inquiries = Inquiries(record)
    answer = inquiries.answer("release")
    assert answer is not None

    def ask(*, arguments: dict[str, Any]) -> Reply:
        return Reply(value=answer(arguments | changes, record.record.now_ms()))

    return Releasing(ask, permit.request, permit.approval, permit.signature, permit.selection)


def room(record: OpenRecord, permit: Permit) -> ReleasedView:
    """Return what the room of a permit sees."""
    releasing = release(record, permit)
    items: list[ReleaseItem] = list(releasing)
    return ReleasedView(record.home, permit.covers, items, releasing.blobs)
