"""Signed orders: the exact text an officer signs to erase, release a hold, shorten a term or quarantine.

Kept, hashed and signed as the text it was written in, like a permit's approval. What is read refuses unknown members
and raises nothing but BadInput. Source: docs/formats/hold.md; R-5.1-a.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from muniment.policy.errors import BadInput, Refused
from muniment.record.ledger.ed25519 import verify_signature as fits

MAX_ORDER_BYTES = 1 << 20
MOST_ENTRIES = 10_000
SIGNATURE_LABEL = b"muniment/1 retention order\n"

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[str, Meta(min_length=1, max_length=4000)]
Index = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Indexes = Annotated[tuple[Index, ...], Meta(min_length=1, max_length=MOST_ENTRIES)]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
HoldNumber = Annotated[str, Meta(pattern=r"^H[0-9]{4}-[0-9]{3,6}\Z")]


class _Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="act"):
    """What every order says: of which record, by which officer (id in the policy file), when."""

    format: Literal["muniment-retention-order/1"] = "muniment-retention-order/1"
    origin: Annotated[str, Meta(min_length=1, max_length=300)]
    officer: Name
    decided_ms: Annotated[int, Meta(ge=0, le=2**53)]


class Erase(_Order, frozen=True, kw_only=True, tag="erase"):
    """Single entries are forgotten by somebody's order, a court's for instance."""

    entries: Indexes
    authority: Words
    clause: Name


class ReleaseHold(_Order, frozen=True, kw_only=True, tag="release-hold"):
    """One of the two signatures that end a litigation hold; alone it ends an automatic one early.

    `list_sha256` is over the entries below the ledger's `size` that this hold alone keeps; `due` are those among them
    whose term is over, which go as soon as it ends.
    """

    hold: HoldNumber
    size: Index
    entries: Index
    due: Index
    list_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Shorten(_Order, frozen=True, kw_only=True, tag="shorten"):
    """Everything of a class captured before the day it takes effect is kept for a shorter term from then on."""

    retention: Name
    years: Annotated[int, Meta(ge=1, le=100)] | None = None
    days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    effective: Day
    adviser: Name
    advised: Day
    advice: Words


class Quarantine(_Order, frozen=True, kw_only=True, tag="quarantine"):
    """No key of these entries leaves the recorder from now on; `reference` is the police's."""

    entries: Indexes
    reference: Words


class EndQuarantine(_Order, frozen=True, kw_only=True, tag="end-quarantine"):
    """The police's instruction: the entries are released, or erased."""

    entries: Indexes
    reference: Words
    outcome: Literal["release", "erase"]


Order = Erase | ReleaseHold | Shorten | Quarantine | EndQuarantine


class SignedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file that comes back from an officer: the order's exact text and its signature."""

    format: Literal["muniment-signed-order/1"] = "muniment-signed-order/1"
    order: Annotated[str, Meta(max_length=MAX_ORDER_BYTES)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


_ENCODER = msgspec.json.Encoder(order="sorted")
_ORDER = msgspec.json.Decoder(Order)
_SIGNED = msgspec.json.Decoder(SignedOrder)


def encode(document: Order | SignedOrder) -> str:
    """Return the text of an order or a signed order: keys in alphabetical order, no spaces."""
    return _ENCODER.encode(document).decode()


def digest(text: str) -> str:
    """Return the SHA-256 of an order's exact text in hexadecimal. Raises: BadInput when it is no UTF-8."""
    return sha256(_bytes_of(text)).hexdigest()


def parse_order(text: str | bytes) -> Order:
    """Read an order; its signature is not looked at here. Raises: BadInput when it is none, or names an entry twice."""
    data = _sized(text)
    try:
        order: Order = _ORDER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"this is no order as docs/formats/hold.md describes it: {error}") from None
    entries = getattr(order, "entries", ())
    if isinstance(entries, tuple) and list(entries) != sorted(set(entries)):
        raise BadInput("an order names its entries once each, rising; prepare it again")
    if isinstance(order, Shorten) and (order.years is None) == (order.days is None):
        raise BadInput("a shorter term is in years or in days, one of them")
    return order


def parse_signed(text: str | bytes) -> SignedOrder:
    """Read a signed order; the order within is read by `parse_order`. Raises: BadInput."""
    try:
        return _SIGNED.decode(_sized(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"this is no signed order as docs/formats/hold.md describes it: {error}") from None


def sign_order(text: str, signing_key: Ed25519PrivateKey) -> SignedOrder:
    """Return the order with an officer's signature over its exact text."""
    return SignedOrder(order=text, signature=signing_key.sign(SIGNATURE_LABEL + _bytes_of(text)))


def require_signed(signed: SignedOrder, signing_key: bytes) -> None:
    """Return when the signature fits the officer's public signing key. Raises: Refused when it does not."""
    if not fits(signing_key, SIGNATURE_LABEL + _bytes_of(signed.order), signed.signature):
        raise Refused(
            "the signature does not fit this order and the officer it names: the text was altered after it was "
            "signed, or another key signed it. Prepare and sign it again",
            clause="R-5.1-a",
        )


def _sized(text: str | bytes) -> bytes:
    data = _bytes_of(text) if isinstance(text, str) else text
    if len(data) > MAX_ORDER_BYTES * 2:
        raise BadInput(f"an order of {len(data):,} bytes; expected {MAX_ORDER_BYTES:,} at most")
    return data


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadInput("the order is not UTF-8 text; take it from where it was made") from None
