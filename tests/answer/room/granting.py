"""A room that was asked for and approved, over the record of a running recorder: real keys, real files, real acts."""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.answer.room_client import Looker, RoomClient
from muniment.answer.rooms import RoomPlace, start, stop
from muniment.observe.headers import facts_of
from muniment.permit.release import read_bundle, sign
from muniment.policy.errors import MunimentError
from muniment.record.client import Recorder
from muniment.record.entry import Capture, Channel, Direction, Entry, Kind, Retention, Stream
from muniment.record.home import Home
from muniment.record.keyfile import write_key
from muniment.record.permit_selection import digest_of, parse_selection
from muniment.record.permit_text import (
    ApprovalRequest,
    PermitCheckpoint,
    PermitRequest,
    PermitWindow,
    Requester,
    Subject,
    encode,
    parse_signed_approval,
)
from muniment.record.selection import Query, Selected, Window
from muniment.record.sharing import wraps_of
from muniment.record.words import draw_passphrase
from tests.organisation import private_key_bytes
from tests.serve.house import House, house

HANNAH = Looker("hannah-hr", "Hannah Hr", "hr")
READER = Looker("reader", "Rita Reader", "data_protection_officer")
STRANGER = Looker("ivan", "Ivan Other", "hr")
OFFICER = "managing-director"
TOMAS = "tomas@training.example"


def letter(
    number: int,
    subject: str,
    text: str,
    *,
    sender: str = TOMAS,
    to: str = "stella@outside.example",
    more: str = "",
    shielded: str = "",
    content: bytes | None = None,
    rcpt_to: Sequence[str] = (),
) -> Entry:
    """Return the entry of one message as the gateway records it."""
    raw = (
        f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nMessage-ID: <{number}@training.example>\r\n"
        f"Date: Mon, 2 Nov 2026 10:{number % 60:02}:00 +0000\r\n{more}\r\n{text}\r\n"
    ).encode()
    raw = raw if content is None else content
    recipients = list(rcpt_to) or [to]
    headers = dict(facts_of(raw).values)

    meta = {"format": 1, "mail_from": sender, "rcpt_to": recipients, "headers": headers}
    return Entry(
        stream=Stream.MAIL_GATEWAY,
        channel=Channel.SMTP,
        retention=Retention.MAIL,
        capture=Capture.WIRE,
        direction=Direction.OUTBOUND,
        addresses=(sender, *recipients),
        content=raw,
        meta=msgspec.msgpack.encode(meta),
        facts=b"\x81\xa7outcome\xa5allow",
        shielded=shielded,
    )


class Granted:
    """A permit in force and its room."""

    def __init__(self, home: Home, request: PermitRequest, words: str) -> None:
        self.home, self.request, self.words = home, request, words
        self.place = RoomPlace(home, request.number, request.revision)

    @contextmanager
    def entered(self, looker: Looker = HANNAH) -> Iterator[RoomClient]:
        """Start the room's process, and end it when the block does."""
        start(self.place)
        try:
            with RoomClient(self.place.socket, looker) as client:
                yield client
        finally:
            with suppress(MunimentError):
                stop(self.place, HANNAH)

    @contextmanager
    def opened(self, rung: str = "content") -> Iterator[RoomClient]:
        """The same, unlocked, wholly indexed, and climbed to `rung`."""
        with self.entered() as client:
            client.unlock(self.words)
            wait_until_open(client)
            for step in ("envelope", "subject", "content"):
                if step_reached(client, rung):
                    break
                client.climb(step, f"to see the {step}")
            yield client


def step_reached(client: RoomClient, rung: str) -> bool:
    return client.state().rung == rung


def wait_until_open(client: RoomClient, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while client.state().state != "open":
        assert time.monotonic() < deadline, client.state()
        time.sleep(0.02)


def grant(
    home: Home,
    *,
    number: str = "2026-001",
    addresses: Sequence[str] = (TOMAS,),
    streams: Sequence[str] = ("mail-gateway",),
    **changes: Any,
) -> Granted:
    """Ask for a permit and approve it as the Managing Director does, through the record alone."""
    windows = tuple(PermitWindow(address=a, start_ms=0, end_ms=None, person="tomas") for a in addresses)
    until = changes.setdefault("until_ms", time.time_ns() // 1_000_000 + 1000)
    query = Query(
        windows=tuple(Window(w.address, 0, None) for w in windows),
        from_ms=0,
        until_ms=until,
        streams=tuple(streams),
        depth=changes.get("depth", "content"),
        is_shielded=changes.get("kind") == "shielded",
    )
    key, words = X25519PrivateKey.generate(), draw_passphrase()
    with Recorder(home.socket) as recorder:
        recorder.publish()
        found = recorder.select(query)
        request = request_of(number, windows, tuple(streams), found, recorder.checkpoint(), key, changes)
        text = encode(request)
        act(recorder, "ask", request, HANNAH.id, request=text)
        folder = RoomPlace(home, number, request.revision).folder
        folder.mkdir(parents=True, mode=0o700)
        write_files(folder, text, found.selection, key, words, request)
        approve(recorder, home, request, text, found.selection, folder)
    return Granted(home, request, words)


def request_of(
    number: str,
    windows: tuple[PermitWindow, ...],
    streams: tuple[str, ...],
    found: Selected,
    checkpoint: str,
    key: X25519PrivateKey,
    changes: dict[str, Any],
) -> PermitRequest:
    origin, size, root = checkpoint.split("\n")[:3]
    members: dict[str, Any] = {
        "origin": origin,
        "number": number,
        "revision": 1,
        "kind": "look",
        "requester": Requester(
            id=HANNAH.id, name=HANNAH.name, role="hr", addresses=("hannah@training.example",)
        ),
        "readers": (READER.id,),
        "subjects": (Subject(id="tomas", name="Tomás Tutor"),),
        "windows": windows,
        "purpose": "COMPLAINT",
        "clause": "R-5.1-b",
        "case": "C-12",
        "reason": "A complaint was made.",
        "alternative": "He was asked.",
        "advice": "",
        "from_ms": 0,
        "streams": streams,
        "depth": "content",
        "checkpoint": PermitCheckpoint(size=int(size), root=b64decode(root)),
        "entries": found.entries,
        "shielded": found.shielded,
        "selection_sha256": digest_of(found.selection),
        "sites": (),
        "room_key": key.public_key().public_bytes_raw(),
        "parent": "",
        "drafted_ms": time.time_ns() // 1_000_000,
        "days": 7,
    }
    return PermitRequest(**(members | changes))


def write_files(
    folder: Path, text: str, selection: bytes, key: X25519PrivateKey, words: str, request: PermitRequest
) -> None:
    name = f"room-{request.number}-{request.revision}"
    (folder / "request.json").write_text(text)
    (folder / "selection.bin").write_bytes(selection)
    (folder / "room-key.sealed").write_bytes(write_key(name, "Room", key, words, example=True))


def approve(
    recorder: Recorder, home: Home, request: PermitRequest, text: str, selection: bytes, folder: Path
) -> None:
    epochs = {(item.class_id, item.epoch) for item in parse_selection(selection)}
    bundle = encode(ApprovalRequest(request=text, selection=selection, wraps=tuple(wraps_of(home, epochs))))
    officer = X25519PrivateKey.from_private_bytes(private_key_bytes(OFFICER))
    signed = sign(read_bundle(bundle.encode()), OFFICER, officer, time.time_ns() // 1_000_000)
    parsed = parse_signed_approval(signed)
    act(
        recorder,
        "approve",
        request,
        OFFICER,
        approval=parsed.approval,
        signature=b64encode(parsed.signature).decode(),
    )
    (folder / "approval.json").write_bytes(signed)


def act(recorder: Recorder, name: str, asked: PermitRequest, by: str, **more: object) -> None:
    plain = {
        "format": "muniment-permit-act/1",
        "act": name,
        "number": asked.number,
        "revision": asked.revision,
        "by": by,
        "at_ms": time.time_ns() // 1_000_000,
        **more,
    }
    recorder.append(
        [Entry(stream=Stream.PERMITS, kind=Kind.APPROVAL, plain=json.dumps(plain, sort_keys=True).encode())]
    )


def mark(home: Home, index: int, what: str = "private", by: str = "tomas") -> None:
    """Mark an entry as its owner does on My record."""
    plain = {"format": "muniment-mark/1", "entry": index, "by": by, "mark": what}
    with Recorder(home.socket) as recorder:
        recorder.append([Entry(stream=Stream.NOTICES, kind=Kind.FACT, plain=json.dumps(plain).encode())])


def revoke(granted: Granted, name: str = "revoke") -> None:
    with Recorder(granted.home.socket) as recorder:
        act(recorder, name, granted.request, OFFICER, reason="No longer needed.")


@contextmanager
def recorded(path: Path, entries: Sequence[Entry]) -> Iterator[House]:
    """A home with a running recorder that holds `entries`; at the end the record is proved."""
    with house(path, "recorder") as found:
        append(found.home, entries)
        yield found


def append(home: Home, entries: Sequence[Entry]) -> list[int]:
    """Record entries and return their ledger indexes."""
    receipts = []
    with Recorder(home.socket) as recorder:
        for at in range(0, len(entries), 200):
            receipts += recorder.append(list(entries[at : at + 200]))
    return [receipt.index for receipt in receipts]
