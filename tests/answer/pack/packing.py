"""A pack of the example organisation's mail, made from a real record with an officer's view and a signed permit."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.answer.pack import PackMade, build_pack
from muniment.answer.pack_about import ApprovingOfficer, PackAbout, PermitPapers, Search
from muniment.answer.pack_message import Exporter, PackMessage
from muniment.record import permit_text as texts
from muniment.record.entry import Entry
from muniment.record.frame import parse_sections
from muniment.record.home import Home
from muniment.record.keyfile import signing_key_of, signing_public_of
from muniment.record.reading import read_frame
from muniment.record.seal import CONTENT
from muniment.record.unsealing import OfficerView, open_meta
from tests.organisation import MANAGING_DIRECTOR, PARTICULARS, private_key_bytes
from tests.record.recording import START_MS, mail, make_home, message, officer_view, recording

FOOTER = b"--\r\nExample Training Ltd\r\n"
LONG = b"From: a@training.example\r\nSubject: long\r\n\r\n" + b"0123456789abcdef" * (17 << 16)
TEXT = message(3, "x" * 3000 + "\r\n" + "word " * 2000)


@dataclass
class Seen:
    """An officer's view with what a pack needs beside."""

    view: OfficerView

    def bytes_of(self, index: int):  # type: ignore[no-untyped-def]
        return self.view.bytes_of(index)

    def own_faces(self, index: int):  # type: ignore[no-untyped-def]
        return self.view.own_faces(index)

    def open_meta(self, index: int) -> tuple[str, bytes]:
        row, frame = self.view._frame(index)
        return open_meta(frame.leaf, parse_sections(frame.body), self.view._keys(row))

    def content_seed(self, index: int) -> bytes:
        row = self.view.catalogue.row(index)
        salt = parse_sections(read_frame(self.view.home, row).body).salt
        return self.view._keys(row)(CONTENT, salt).commitment_seed


def entries() -> list[Entry]:
    """A plain message; one with a footer; a long one with a footer; a long one without; the first again."""
    return [
        mail(1),
        mail(2, content=message(2), sent=message(2) + FOOTER),
        mail(3, content=TEXT),
        mail(4, content=LONG, sent=LONG + FOOTER),
        mail(5, content=b"X: y\r\n" + LONG),
        mail(1),
    ]


def made_home(folder: Path) -> tuple[Home, list[int]]:
    home = make_home(folder)
    with recording(home) as record:
        receipts = [record.append([entry])[0] for entry in entries()]
        record.publish()
    return home, [receipt.index for receipt in receipts]


@contextmanager
def messages_of(home: Home, indexes: Sequence[int]) -> Iterator[tuple[Exporter, Iterator[PackMessage]]]:
    with officer_view(home) as view:
        exporter = Exporter(home, view.catalogue.row, is_example=True)
        yield exporter, (exporter.message(Seen(view), index) for index in indexes)


def papers(origin: str, size: int, **changes: object) -> PermitPapers:
    """A permit, asked and approved, as its papers stand in a pack."""
    private = X25519PrivateKey.from_private_bytes(private_key_bytes(MANAGING_DIRECTOR.id))
    request = texts.encode(
        texts.PermitRequest(
            origin=origin, number="2026-003", revision=1, kind="look",
            requester=texts.Requester(id="olive", name="Olive Example", role="office_manager", addresses=()),
            readers=(), subjects=(texts.Subject(id="tomas", name="Tomás Tutor"),), windows=(), purpose="COMPLAINT",
            clause="R-5.1-b", case="C-7", reason="A complaint about the register", alternative="Asked him first",
            advice="", from_ms=START_MS, until_ms=START_MS + 86_400_000, streams=("mail-gateway",), depth="content",
            checkpoint=texts.PermitCheckpoint(size=size, root=bytes(32)), entries=6, shielded=2,
            selection_sha256="0" * 64, sites=(), room_key=bytes(range(32)), parent="", drafted_ms=START_MS, days=14,
        )
    )  # fmt: skip
    approval = texts.encode(
        texts.Approval(
            origin=origin, number="2026-003", revision=1, request_sha256=texts.digest(request),
            selection_sha256="0" * 64, release_sha256="1" * 64, officer=MANAGING_DIRECTOR.id, decided_ms=START_MS,
            ends_ms=START_MS + 14 * 86_400_000,
        )
    )  # fmt: skip
    values: dict[str, object] = {
        "number": "2026-003", "revision": 1, "purpose": "Complaint", "clause": "R-5.1-b", "request": request,
        "approval": approval, "signature": texts.sign_approval(approval, signing_key_of(private)),
        "officer": ApprovingOfficer(
            id=MANAGING_DIRECTOR.id, name=MANAGING_DIRECTOR.name, role=MANAGING_DIRECTOR.role,
            signing_key=base64.b64encode(signing_public_of(private)).decode(),
        ),
        "entries": 6, "shielded": 2,
    }  # fmt: skip
    return PermitPapers(**{**values, **changes})  # type: ignore[arg-type]


def about(exporter: Exporter, **changes: object) -> PackAbout:
    origin, size = exporter.checkpoint.origin, exporter.checkpoint.size
    values: dict[str, object] = {
        "title": "Mail about <the register>", "reason": "To answer the complaint", "recipient": "A. Solicitor",
        "organisation": PARTICULARS.name, "made_ms": START_MS + 3_600_000, "made_by": "Olive Example, Office Manager",
        "origin": origin, "vkey": exporter.vkey, "log_size": size, "papers": papers(origin, size - 1),
        "searches": (Search(words='register "Tuesday"', found=3, searched=5, not_searched=(("encrypted", 1),)),),
        "not_searched": (("encrypted", 1),), "gaps": ("The gateway was stopped on 1 November from 11:00 to 11:05.",),
        "example": True,
    }  # fmt: skip
    return PackAbout(**{**values, **changes})  # type: ignore[arg-type]


def make_pack(
    folder: Path, home: Home, indexes: Sequence[int], name: str = "pack.zip", **options: object
) -> PackMade:
    with messages_of(home, indexes) as (exporter, messages):
        return build_pack(folder / name, messages, about(exporter), **options)  # type: ignore[arg-type]
