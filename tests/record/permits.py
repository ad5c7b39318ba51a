"""Documents of a permit for tests: one sound example of each."""

from __future__ import annotations

from typing import Any

from muniment.record.permit_selection import CONTENT, META, Item, digest_of, pack_selection
from muniment.record.permit_text import (
    Approval,
    PermitCheckpoint,
    PermitRequest,
    PermitWindow,
    Requester,
    Subject,
    digest,
    encode,
)

ORIGIN = "training.example/record"
ITEMS = [
    Item(3, 2, 1, 1, META | CONTENT),
    Item(9, 2, 1, 2, META | CONTENT),
    Item(12, 2, 7, 1, META | CONTENT),
]


def request(**changes: Any) -> PermitRequest:
    """Return a request for what Tomás wrote and got."""
    members: dict[str, Any] = {
        "origin": ORIGIN,
        "number": "2026-003",
        "revision": 1,
        "kind": "look",
        "requester": Requester(
            id="hannah-hr", name="Hannah Hr", role="human_resources", addresses=("hannah@training.example",)
        ),
        "readers": (),
        "subjects": (Subject(id="tomas-tutor", name="Tomás Tutor"),),
        "windows": (
            PermitWindow(address="tomas@training.example", start_ms=0, end_ms=None, person="tomas-tutor"),
        ),
        "purpose": "COMPLAINT",
        "clause": "R-5.1-b",
        "case": "C-12",
        "reason": "A student says the register was changed after the event.",
        "alternative": "The register itself was looked at; it does not say.",
        "advice": "",
        "from_ms": 1_793_000_000_000,
        "until_ms": 1_794_000_000_000,
        "streams": ("mail-gateway",),
        "depth": "content",
        "checkpoint": PermitCheckpoint(size=40, root=bytes(range(32))),
        "entries": 3,
        "shielded": 1,
        "selection_sha256": digest_of(pack_selection(ITEMS)),
        "sites": (),
        "room_key": bytes(range(1, 33)),
        "parent": "",
        "drafted_ms": 1_793_900_000_000,
        "days": 7,
    }
    return PermitRequest(**(members | changes))


def approval(asked: PermitRequest, **changes: Any) -> Approval:
    """Return what an officer signs for it, the release being a made-up text."""
    decided = asked.drafted_ms + 60_000
    members: dict[str, Any] = {
        "origin": asked.origin,
        "number": asked.number,
        "revision": asked.revision,
        "request_sha256": digest(encode(asked)),
        "selection_sha256": asked.selection_sha256,
        "release_sha256": digest("a release"),
        "officer": "managing-director",
        "decided_ms": decided,
        "ends_ms": decided + asked.days * 86_400_000,
    }
    return Approval(**(members | changes))
