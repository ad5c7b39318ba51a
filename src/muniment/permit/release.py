"""Both ends of a release: the officer hands over the keys of exactly the entries selected; the room takes them.

The officer's end runs where her private key is: in her browser (the same steps in `approve.js`) or by
`muniment approve FILE` on any machine. It does, in this order:

1. the selection has the hash that the request names, and every epoch of it comes with its shares;
2. the officer's share of each epoch is opened, and split into the roots of meta and content;
3. from these the fewest nodes over exactly the positions selected are derived; the roots are forgotten;
4. the release is written out, hashed, and sealed to the room's key;
5. the approval names all three hashes, and is signed.

Source: R-5.2-f; docs/formats/permit.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from muniment.policy.errors import BadInput, Conflict, Missing, Tampered
from muniment.record import keyfile, permit_text, wraps
from muniment.record.epoch import split_officers_root
from muniment.record.keytree import Cover
from muniment.record.permit_selection import CONTENT, META, Item, digest_of, parse_selection
from muniment.record.permit_text import (
    Approval,
    ApprovalRequest,
    PermitRequest,
    Release,
    ReleasedCover,
    ReleasedNode,
    Section,
    SignedApproval,
)

EpochId = tuple[int, int]
Covers = dict[tuple[int, int, Section], Cover]
_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_ENC_BYTES, _TAG_BYTES = 32, 16


@dataclass(frozen=True)
class Bundle:
    """What an officer was given, read and checked: the request, its exact text, the selection, the shares."""

    text: str
    request: PermitRequest
    items: list[Item]
    shares: Mapping[EpochId, tuple[wraps.WrittenWrap, ...]]

    @property
    def is_exemption(self) -> bool:
        """Tell whether it opens closed sites and no entry."""
        return self.request.kind == "exemption"


def read_bundle(data: bytes) -> Bundle:
    """Return what an approval request holds, once its parts fit each other.

    Raises:
        BadInput: it is none. Tampered: the selection is not the one that the request names.
    """
    asked: ApprovalRequest = permit_text.parse_approval_request(data)
    request = permit_text.parse_request(asked.request)
    if digest_of(asked.selection) != request.selection_sha256:
        raise Tampered(
            f"the entries beside request {request.number} are not those it names: nothing was approved. "
            "Fetch the request again, and tell whoever sent it"
        )
    items = parse_selection(asked.selection)
    _require_counts(request, items)
    shares = {(found.class_id, found.epoch): found.wraps for found in asked.wraps}
    return Bundle(asked.request, request, items, shares)


def sign(bundle: Bundle, officer: str, private_key: X25519PrivateKey, decided_ms: int) -> bytes:
    """Return the signed approval of a bundle by the officer of that id in the policy file.

    Raises:
        Missing: a share is not there or is sealed to another key. Tampered: a share does not open.
        BadInput: the request cannot be approved at all.
    """
    request = bundle.request
    release, sealed = "", b""
    if not bundle.is_exemption:
        release = permit_text.encode(release_of(bundle, private_key))
        sealed = seal_release(release, request)
    approval = permit_text.encode(
        Approval(
            origin=request.origin,
            number=request.number,
            revision=request.revision,
            request_sha256=permit_text.digest(bundle.text),
            selection_sha256=request.selection_sha256,
            release_sha256=permit_text.digest(release) if release else "",
            officer=officer,
            decided_ms=decided_ms,
            ends_ms=decided_ms + request.days * permit_text.DAY_MS,
        )
    )
    signature = permit_text.sign_approval(approval, keyfile.signing_key_of(private_key))
    signed = SignedApproval(approval=approval, signature=signature, release=sealed)
    return permit_text.encode(signed).encode()


def release_of(bundle: Bundle, private_key: X25519PrivateKey) -> Release:
    """Return the keys that a bundle's selection needs and no more; nothing of an epoch outlives this call."""
    covers = tuple(_covers(bundle, private_key))
    return Release(number=bundle.request.number, revision=bundle.request.revision, covers=covers)


def seal_release(text: str, request: PermitRequest) -> bytes:
    """Return the text of a release, sealed to the room's key of a request."""
    try:
        wraps.require_strong(request.room_key, "the room")
        room = X25519PublicKey.from_public_bytes(request.room_key)
        return bytes(_HPKE.encrypt(text.encode(), room, info=_info(request)))
    except ValueError:
        raise BadInput("the room's key in the request is none that a release could be sealed to") from None


def open_release(
    sealed: bytes, room_key: X25519PrivateKey, request: PermitRequest, approval: Approval
) -> Covers:
    """Return the released keys by class, epoch and section, in the room.

    Raises:
        Conflict: the key is that of another room, or the approval that of another request. Tampered: the release
            does not open, or is not the one that was signed.
    """
    if room_key.public_key().public_bytes_raw() != request.room_key:
        raise Conflict(f"this is not the key of the room of permit {request.number}; take the room's own key")
    named = (approval.origin, approval.number, approval.revision)
    if named != (request.origin, request.number, request.revision):
        raise Conflict(
            f"the approval is for permit {approval.number}, revision {approval.revision}, the request is "
            f"{request.number}, revision {request.revision}"
        )
    text = _opened(sealed, room_key, request)
    if permit_text.digest(text) != approval.release_sha256:
        raise _spoilt(request, "is not the one that the officer signed")
    release = permit_text.parse_release(text)
    if (release.number, release.revision) != (request.number, request.revision):
        raise _spoilt(request, "belongs to another permit")
    return permit_text.covers_of(release)


def _covers(bundle: Bundle, private_key: X25519PrivateKey) -> Iterator[ReleasedCover]:
    wanted: dict[EpochId, list[Item]] = defaultdict(list)
    for item in bundle.items:
        wanted[item.class_id, item.epoch].append(item)
    for epoch in sorted(wanted):
        meta, content = split_officers_root(_share(bundle, epoch, private_key))
        for section, bit, root in (("meta", META, meta), ("content", CONTENT, content)):
            positions = [item.position for item in wanted[epoch] if item.sections & bit]
            if positions:
                yield ReleasedCover(*epoch, section, _nodes(Cover.whole(root).restrict_to(positions)))  # type: ignore[arg-type]


def _share(bundle: Bundle, epoch: EpochId, private_key: X25519PrivateKey) -> bytes:
    own = wraps.key_id(private_key.public_key().public_bytes_raw()).hex()
    for written in bundle.shares.get(epoch, ()):
        if written.to == own:
            return wraps.open_share(wraps.from_written(written), private_key, bundle.request.origin, *epoch)
    raise Missing(
        f"the share of epoch {epoch[1]} is not sealed to your key {own}: it was recorded before you became an "
        "officer, or the file is incomplete. Fetch the request again, or let another officer decide"
    )


def _nodes(cover: Cover) -> tuple[ReleasedNode, ...]:
    """Return a cover's nodes in the order of their first leaf."""
    ordered = sorted(cover.nodes.items(), key=lambda node: node[0][1] << (cover.depth - node[0][0]))
    return tuple(ReleasedNode(level, index, seed) for (level, index), seed in ordered)


def _require_counts(request: PermitRequest, items: Iterable[Item]) -> None:
    """Return when the request tells the officer as many entries as the selection opens, no deeper than it says."""
    wanted = [item for item in items if not item.is_bytes_only]
    if len(wanted) != request.entries:
        raise Tampered(
            f"request {request.number} says {request.entries:,} entries, and the selection opens {len(wanted):,}: "
            "nothing was approved. Fetch the request again, and tell whoever sent it"
        )
    if request.depth == "envelope" and any(item.sections & CONTENT for item in items):
        raise Tampered(
            f"request {request.number} asks for the envelope only, and the selection opens content: nothing was "
            "approved. Tell whoever sent it"
        )


def _opened(sealed: bytes, room_key: X25519PrivateKey, request: PermitRequest) -> str:
    try:
        if len(sealed) < _ENC_BYTES + _TAG_BYTES:
            raise ValueError
        return bytes(_HPKE.decrypt(sealed, room_key, info=_info(request))).decode()
    except (InvalidTag, ValueError):
        raise _spoilt(request, "does not open with the room's key") from None


def _info(request: PermitRequest) -> bytes:
    return permit_text.release_info(request.origin, request.number, request.revision)


def _spoilt(request: PermitRequest, what: str) -> Tampered:
    return Tampered(
        f"the release of permit {request.number} {what}; ask the officer to decide again, and tell IT Support"
    )
