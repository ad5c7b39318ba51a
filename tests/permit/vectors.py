"""Fixed keys, and what an officer makes of them: vectors.json, which everybody who makes releases must reproduce.

Run `python -m tests.permit.vectors` after the format has changed; test_vectors.py compares. Bytes are base64.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.permit.release import read_bundle, release_of
from muniment.record import keyfile, permit_text, wraps
from muniment.record.epoch import split_officers_root
from muniment.record.permit_selection import Item, digest_of, pack_selection
from tests.organisation import private_key_bytes
from tests.permit import hpke

FILE = Path(__file__).parent / "vectors.json"
ORIGIN = "training.example/record"
OFFICER, OTHER = "managing-director", "office-manager"
WORDS = "abandon-ability-able-about-above-absent"
DECIDED_MS = 1_793_530_800_000
MORGAN, IDA, TOMAS = (
    "0b0e7b6e-0000-4000-8000-000000000001",
    "0b0e7b6e-0000-4000-8000-000000000002",
    "0b0e7b6e-0000-4000-8000-000000000003",
)

# Two epochs; runs, single leaves, both ends of the tree, an envelope alone, and an entry for its bytes only.
ITEMS = (
    Item(11, 2, 7, 0, 3),
    Item(12, 2, 7, 1, 3),
    Item(13, 2, 7, 2, 3),
    Item(14, 2, 7, 3, 3),
    Item(20, 2, 7, 5, 1),
    Item(31, 2, 7, 8, 6),
    Item(40, 2, 7, 1000, 3),
    Item(300, 2, 9, 4095, 3),
    Item(301, 2, 9, 4096, 3),
    Item(302, 2, 9, (1 << 24) - 1, 3),
)


def fixed(name: str) -> bytes:
    """Return 32 bytes that are the same in every run."""
    return sha256(f"muniment vector: {name}".encode()).digest()


def room_key() -> X25519PrivateKey:
    """Return the room's key."""
    return X25519PrivateKey.from_private_bytes(fixed("room"))


def request() -> permit_text.PermitRequest:
    """Return what is asked for."""
    return permit_text.PermitRequest(
        origin=ORIGIN,
        number="2026-003",
        revision=2,
        kind="look",
        requester=permit_text.Requester(
            id=IDA, name="Ida Byte", role="it_support", addresses=("ida@training.example",)
        ),
        readers=(),
        subjects=(permit_text.Subject(id=TOMAS, name="Tomás Tutor"),),
        windows=(
            permit_text.PermitWindow(
                address="tomas@training.example", start_ms=1_793_000_000_000, end_ms=None, person=TOMAS
            ),
        ),
        purpose="CASE",
        clause="R-5.3-i",
        case="2026/17",
        reason="Orders were placed in the company’s name; who placed them?",
        alternative="Asked the supplier; it has no name on file.",
        advice="",
        from_ms=1_793_000_000_000,
        until_ms=1_793_500_000_000,
        streams=("mail-gateway", "mail-journal"),
        depth="content",
        checkpoint=permit_text.PermitCheckpoint(size=400, root=fixed("checkpoint")),
        entries=sum(not item.is_bytes_only for item in ITEMS),
        shielded=2,
        selection_sha256=digest_of(pack_selection(ITEMS)),
        sites=(),
        room_key=room_key().public_key().public_bytes_raw(),
        parent="",
        drafted_ms=1_793_527_200_000,
        days=14,
    )


def bundle() -> bytes:
    """Return the approval request, its wraps sealed with fixed ephemeral keys."""
    shares = tuple(
        wraps.EpochWraps(class_id=class_id, epoch=epoch, wraps=tuple(_wraps(class_id, epoch)))
        for class_id, epoch in sorted({(item.class_id, item.epoch) for item in ITEMS})
    )
    asked = permit_text.ApprovalRequest(
        request=permit_text.encode(request()), selection=pack_selection(ITEMS), wraps=shares
    )
    return permit_text.encode(asked).encode()


def _wraps(class_id: int, epoch: int) -> list[wraps.WrittenWrap]:
    made = []
    for owner in (OFFICER, OTHER):
        public = X25519PrivateKey.from_private_bytes(private_key_bytes(owner)).public_key().public_bytes_raw()
        info = wraps._info(ORIGIN, class_id, epoch, wraps.key_id(public))
        sealed, _ = hpke.seal(
            fixed(f"epoch {class_id} {epoch}"), public, info, fixed(f"{owner} {class_id} {epoch}")
        )
        made.append(wraps.WrittenWrap(suite=1, to=wraps.key_id(public).hex(), sealed=sealed))
    return made


def key_file() -> str:
    """Return the officer's key file, with a fixed salt and nonce."""
    private = X25519PrivateKey.from_private_bytes(private_key_bytes(OFFICER))
    kdf = keyfile.Kdf("PBKDF2-HMAC-SHA256", keyfile.EXAMPLE_ITERATIONS, fixed("salt")[:16])
    made = json.loads(keyfile.write_key(OFFICER, "Morgan Example", private, WORDS, example=True))
    made["kdf"]["salt"] = _text(kdf.salt)
    nonce = fixed("nonce")[:12]
    made["nonce"] = _text(nonce)
    associated = keyfile._associated(keyfile.parse_key_file(json.dumps(made).encode()))
    sealed = AESGCM(keyfile._derive(WORDS, kdf)).encrypt(nonce, private.private_bytes_raw(), associated)
    made["sealed"] = _text(sealed)
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def make() -> dict[str, Any]:
    """Return every vector."""
    private = X25519PrivateKey.from_private_bytes(private_key_bytes(OFFICER))
    asked = read_bundle(bundle())
    release = permit_text.encode(release_of(asked, private))
    approval = permit_text.encode(_approval(asked.text, release))
    signing = keyfile.signing_key_of(private)
    info = permit_text.release_info(ORIGIN, asked.request.number, asked.request.revision)
    ephemeral = fixed("ephemeral")
    sealed, steps = hpke.seal(release.encode(), asked.request.room_key, info, ephemeral)
    return {
        "note": "Made by `python -m tests.permit.vectors`. Bytes are base64. Keys are for tests only.",
        "officer": {
            "id": OFFICER,
            "words": WORDS,
            "key_file": key_file(),
            "private_key": _text(private.private_bytes_raw()),
            "public_key": _text(private.public_key().public_bytes_raw()),
            "signing_seed": _text(signing.private_bytes_raw()),
            "signing_key": _text(signing.public_key().public_bytes_raw()),
        },
        "approval_request": bundle().decode(),
        "request_sha256": permit_text.digest(asked.text),
        "selection": _text(pack_selection(ITEMS)),
        "selection_sha256": asked.request.selection_sha256,
        "items": [list(item) for item in ITEMS],
        "epochs": [_epoch(*found) for found in sorted(asked.shares)],
        "release": release,
        "release_sha256": permit_text.digest(release),
        "decided_ms": DECIDED_MS,
        "approval": approval,
        "signature": _text(permit_text.sign_approval(approval, signing)),
        "room": {
            "private_key": _text(room_key().private_bytes_raw()),
            "public_key": _text(asked.request.room_key),
        },
        "hpke": {
            "info": _text(info),
            "ephemeral_private_key": _text(ephemeral),
            **{name: _text(value) for name, value in steps.items()},
            "sealed_release": _text(sealed),
        },
    }


def _approval(text: str, release: str) -> permit_text.Approval:
    asked = request()
    return permit_text.Approval(
        origin=ORIGIN,
        number=asked.number,
        revision=asked.revision,
        request_sha256=permit_text.digest(text),
        selection_sha256=asked.selection_sha256,
        release_sha256=permit_text.digest(release),
        officer=OFFICER,
        decided_ms=DECIDED_MS,
        ends_ms=DECIDED_MS + asked.days * permit_text.DAY_MS,
    )


def _epoch(class_id: int, epoch: int) -> dict[str, Any]:
    root = fixed(f"epoch {class_id} {epoch}")
    meta, content = split_officers_root(root)
    return {
        "class": class_id,
        "epoch": epoch,
        "officers_root": _text(root),
        "meta_root": _text(meta),
        "content_root": _text(content),
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def written() -> str:
    """Return the file."""
    return json.dumps(make(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
