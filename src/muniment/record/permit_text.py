"""The documents of a permit: what is asked, what an officer is shown, what she releases and what she signs.

Each is kept, hashed and signed as the exact text it was written in. What is read refuses unknown members and sizes
beyond its limit, and raises nothing but BadInput. Source: docs/formats/permit.md; R-5.2-e, R-5.2-f.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from muniment.policy.errors import BadInput, Refused
from muniment.record.entry import Stream
from muniment.record.keytree import DEPTH, Cover
from muniment.record.ledger.ed25519 import verify_signature as fits
from muniment.record.permit_selection import MAX_ENTRIES
from muniment.record.wraps import EpochWraps

PERMIT_FORMAT: Final = "muniment-permit/1"
ACT_FORMAT: Final = "muniment-permit-act/1"
APPROVAL_REQUEST_FORMAT: Final = "muniment-approval-request/1"
RELEASE_FORMAT: Final = "muniment-release/1"
APPROVAL_FORMAT: Final = "muniment-approval/1"
SIGNED_FORMAT: Final = "muniment-signed-approval/1"
SIGNATURE_LABEL = b"muniment/1 approval\n"
RELEASE_LABEL = b"muniment/1 release"
NO_ROOM_KEY = bytes(32)
MOST_DAYS = 31
DAY_MS = 86_400_000
MAX_REQUEST_BYTES = 1 << 18
MAX_APPROVAL_BYTES = 4096
MAX_FILE_BYTES = 64 << 20
_LATEST_MS = 253_402_300_800_000  # the year 10,000
_HASH = re.compile(r"[0-9a-f]{64}")
_SITE = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_STREAMS = frozenset(stream.word for stream in Stream)

Number = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{3,6}\Z")]
Revision = Annotated[int, Meta(ge=1, le=10_000)]
Milliseconds = Annotated[int, Meta(ge=0, le=_LATEST_MS)]
Count = Annotated[int, Meta(ge=0, le=MAX_ENTRIES)]
Index = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, Meta(max_length=200)]
Address = Annotated[str, Meta(min_length=1, max_length=320)]
Words = Annotated[str, Meta(max_length=8000)]
Origin = Annotated[str, Meta(min_length=1, max_length=300)]
Key = Annotated[bytes, Meta(min_length=32, max_length=32)]
Kind = Literal["look", "shielded", "exemption"]
Depth = Literal["envelope", "content"]
Section = Literal["meta", "content"]


class Requester(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who asks: id in the register of people, name, role, and every address held now."""

    id: Name
    name: Name
    role: Name
    addresses: Annotated[tuple[Address, ...], Meta(max_length=100)]


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose communications are asked for."""

    id: Name
    name: Name


class PermitWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An address (folded) from `start_ms` until `end_ms` (None: still); `person` is empty when nobody holds it."""

    address: Address
    start_ms: Milliseconds
    end_ms: Milliseconds | None
    person: Name


class PermitCheckpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The state of the ledger the request was made on: entries below `size` only."""

    size: Index
    root: Key


class PermitRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked for, as the officer reads it. Every time is in milliseconds since 1970."""

    format: Literal["muniment-permit/1"] = PERMIT_FORMAT
    origin: Origin
    number: Number
    revision: Revision
    kind: Kind
    requester: Requester
    readers: Annotated[tuple[Name, ...], Meta(max_length=50)]
    subjects: Annotated[tuple[Subject, ...], Meta(max_length=500)]
    windows: Annotated[tuple[PermitWindow, ...], Meta(max_length=1000)]
    purpose: Name
    clause: Name
    case: Name
    reason: Words
    alternative: Words
    advice: Words
    from_ms: Milliseconds
    until_ms: Milliseconds
    streams: Annotated[tuple[Name, ...], Meta(max_length=50)]
    depth: Depth
    checkpoint: PermitCheckpoint
    entries: Count
    shielded: Count
    selection_sha256: Name
    sites: Annotated[tuple[Address, ...], Meta(max_length=200)]
    room_key: Key
    parent: Name
    drafted_ms: Milliseconds
    days: Annotated[int, Meta(ge=1, le=MOST_DAYS)]

    @property
    def looked_at(self) -> frozenset[str]:
        """Return the ids of everybody looked at: the subjects, and whoever holds an address of it."""
        held = {window.person for window in self.windows}
        return frozenset({subject.id for subject in self.subjects} | held) - {""}


class ApprovalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the officer gets: the exact text of the request, the selection, and the shares of its epochs."""

    format: Literal["muniment-approval-request/1"] = APPROVAL_REQUEST_FORMAT
    request: Annotated[str, Meta(max_length=MAX_REQUEST_BYTES)]
    selection: bytes
    wraps: tuple[EpochWraps, ...]


class ReleasedNode(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One node of a subtree: everything below it may be derived."""

    level: Annotated[int, Meta(ge=0, le=DEPTH)]
    index: Annotated[int, Meta(ge=0, lt=1 << DEPTH)]
    seed: Key


class ReleasedCover(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The fewest nodes over the positions of one epoch that are released, of `meta` or of `content`."""

    class_id: Annotated[int, Meta(ge=0, lt=1 << 16)]
    epoch: Annotated[int, Meta(ge=0, lt=1 << 32)]
    section: Section
    nodes: Annotated[tuple[ReleasedNode, ...], Meta(min_length=1)]


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys an officer releases for one revision of one permit."""

    format: Literal["muniment-release/1"] = RELEASE_FORMAT
    number: Number
    revision: Revision
    covers: tuple[ReleasedCover, ...]


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an officer signs; `ends_ms` is `decided_ms` and the request's days. Hashes are in hexadecimal."""

    format: Literal["muniment-approval/1"] = APPROVAL_FORMAT
    origin: Origin
    number: Number
    revision: Revision
    request_sha256: Name
    selection_sha256: Name
    release_sha256: Name
    officer: Name
    decided_ms: Milliseconds
    ends_ms: Milliseconds


class SignedApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes back from the officer: the approval's exact text, its signature, and the sealed release."""

    format: Literal["muniment-signed-approval/1"] = SIGNED_FORMAT
    approval: Annotated[str, Meta(max_length=MAX_APPROVAL_BYTES)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]
    release: bytes


_Document = TypeVar("_Document", PermitRequest, ApprovalRequest, Release, Approval, SignedApproval)
_ENCODER = msgspec.json.Encoder(order="sorted")


def encode(document: PermitRequest | ApprovalRequest | Release | Approval | SignedApproval) -> str:
    """Return the text of a document: keys in alphabetical order, no spaces, bytes in base64."""
    return _ENCODER.encode(document).decode()


def digest(text: str) -> str:
    """Return the SHA-256 of a document's exact text in hexadecimal.

    Raises:
        BadInput: it is no UTF-8 text.
    """
    return sha256(_bytes_of(text)).hexdigest()


def parse_request(text: str | bytes) -> PermitRequest:
    """Read a request. Raises: BadInput when it is none, or contradicts itself."""
    request = _parse(text, PermitRequest, MAX_REQUEST_BYTES)
    _require_hash("selection_sha256", request.selection_sha256)
    if unknown := sorted(set(request.streams) - _STREAMS):
        raise BadInput(f"a permit names the stream {unknown[0][:40]!r}, which is none of the record's")
    if request.from_ms > request.until_ms:
        raise BadInput("a permit's time ends before it begins; put the earlier day first")
    is_exemption = request.kind == "exemption"
    if is_exemption != (request.room_key == NO_ROOM_KEY) or is_exemption != bool(request.sites):
        raise BadInput("a permit has a room key, an exemption has sites; this has both or neither")
    if not all(_SITE.fullmatch(site) for site in request.sites):
        raise BadInput("an exemption names sites by host name in lower case, for instance news.example")
    return request


def parse_approval_request(text: str | bytes) -> ApprovalRequest:
    """Read what an officer gets; the request within is read by `parse_request`. Raises: BadInput."""
    return _parse(text, ApprovalRequest, MAX_FILE_BYTES)


def parse_release(text: str | bytes) -> Release:
    """Read a release. Raises: BadInput when it is none, or names a key twice or out of order."""
    release = _parse(text, Release, MAX_FILE_BYTES)
    previous: tuple[int, int, bool] = (-1, -1, False)
    for cover in release.covers:
        place = (cover.class_id, cover.epoch, cover.section == "content")
        if place <= previous:
            raise BadInput("a release names its epochs out of order or twice; ask the officer again")
        previous = place
        _require_order(cover.nodes)
    return release


def parse_approval(text: str | bytes) -> Approval:
    """Read an approval's text; its signature is not looked at here. Raises: BadInput."""
    approval = _parse(text, Approval, MAX_APPROVAL_BYTES)
    _require_hash("request_sha256", approval.request_sha256)
    _require_hash("selection_sha256", approval.selection_sha256)
    if approval.release_sha256:
        _require_hash("release_sha256", approval.release_sha256)
    return approval


def parse_signed_approval(text: str | bytes) -> SignedApproval:
    """Read what came back from an officer; the approval within is read by `parse_approval`. Raises: BadInput."""
    return _parse(text, SignedApproval, MAX_FILE_BYTES)


def covers_of(release: Release) -> dict[tuple[int, int, Section], Cover]:
    """Return the released keys by class, epoch and section."""
    return {
        (cover.class_id, cover.epoch, cover.section): Cover(
            DEPTH, {(node.level, node.index): node.seed for node in cover.nodes}
        )
        for cover in release.covers
    }


def release_info(origin: str, number: str, revision: int) -> bytes:
    """Return the HPKE info that binds a sealed release to one revision of one permit of one record."""
    name, told = origin.encode(), number.encode()
    return b"".join(
        (
            RELEASE_LABEL,
            b"\x01",
            len(name).to_bytes(2, "big"),
            name,
            len(told).to_bytes(2, "big"),
            told,
            revision.to_bytes(4, "big"),
        )
    )


def sign_approval(text: str, signing_key: Ed25519PrivateKey) -> bytes:
    """Return an officer's signature over an approval's exact text, 64 bytes."""
    return signing_key.sign(SIGNATURE_LABEL + _bytes_of(text))


def verify_signature(text: str, signature: bytes, signing_key: bytes) -> None:
    """Return when `signature` over an approval's exact text fits an officer's public signing key (32 bytes).

    Raises:
        Refused: it does not; nobody approved this text. BadInput: the text is not UTF-8.
    """
    if not fits(signing_key, SIGNATURE_LABEL + _bytes_of(text), signature):
        raise Refused(
            "the signature does not fit this approval and the officer it names: the text was altered after it was "
            "signed, or another key signed it. Ask the officer to decide again",
            clause="R-5.2-f",
        )


def _parse(text: str | bytes, document: type[_Document], limit_bytes: int) -> _Document:
    name = document.__name__
    data = _bytes_of(text) if isinstance(text, str) else text
    if len(data) > limit_bytes:
        raise BadInput(f"a document of {len(data):,} bytes is no {name}; expected {limit_bytes:,} at most")
    try:
        return msgspec.json.decode(data, type=document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"these bytes are no {name} as docs/formats/permit.md describes it: {error}") from None


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadInput("the document of a permit is not UTF-8 text; take it from where it was made") from None


def _require_hash(member: str, value: str) -> None:
    if not _HASH.fullmatch(value):
        raise BadInput(f"{member} is not a SHA-256 in 64 digits; take the document from where it was made")


def _require_order(nodes: tuple[ReleasedNode, ...]) -> None:
    end = 0
    for node in nodes:
        width = DEPTH - node.level
        if node.index >= 1 << node.level or node.index << width < end:
            raise BadInput("a release names a node out of place; ask the officer again")
        end = (node.index + 1) << width
