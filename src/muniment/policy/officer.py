"""The officers whose keys open the record, and the recovery key in the safe.

Source: R-5.2-e, R-5.2-f, R-5.2-g; docs/trust.md.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

from .particulars import domain_mistakes, line_mistakes
from .shape import About, Mistake

FEWEST, MOST = 2, 5
_CLAUSE = "R-5.2-f"
_CONFLICT = "R-5.2-g"
# y of the points whose order divides 8: a signing key there lets one signature fit any text (RFC 8032, 5.1).
_PRIME = 2**255 - 19
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_NEW_KEY = (
    "Run `muniment init`, which makes the pair and prints its sheet, and copy the public key from there."
)

# Points whose shared secret is the same for everybody: a share sealed to one of them is sealed to nobody.
_LOW_ORDER = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


class OfficerRole(StrEnum):
    """In what capacity an officer approves."""

    MANAGING_DIRECTOR = "managing_director"
    OFFICE_MANAGER = "office_manager"
    ALTERNATE = "alternate"


class Officer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person who may permit a look, and to whose key every share is sealed."""

    id: Annotated[str, About("a short name in lower case with hyphens", _CLAUSE, '"managing-director"')]
    name: Annotated[str, About("the officer's name", _CLAUSE, '"Morgan Example"')]
    role: Annotated[
        OfficerRole,
        About("managing_director, office_manager or alternate", _CONFLICT, '"alternate"'),
    ]
    address: Annotated[str, About("where the officer gets mail", _CLAUSE, '"md@training.example"')]
    public_key: Annotated[
        str, About("the officer's X25519 public key, 32 bytes in base64", _CLAUSE, '"…44 characters…"')
    ]

    signing_key: Annotated[
        str,
        About(
            "the officer's Ed25519 key that approvals are signed with, 32 bytes in base64",
            _CLAUSE,
            '"…44 characters…"',
        ),
    ]

    @property
    def key_bytes(self) -> bytes:
        """Return the public key, 32 bytes."""
        return base64.b64decode(self.public_key)

    @property
    def signing_key_bytes(self) -> bytes:
        """Return the public signing key, 32 bytes."""
        return base64.b64decode(self.signing_key)


class Recovery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key whose private half lies on paper in the safe."""

    public_key: Annotated[
        str, About("the recovery X25519 public key, 32 bytes in base64", "R-5.1-a", '"…44 characters…"')
    ]

    @property
    def key_bytes(self) -> bytes:
        """Return the public key, 32 bytes."""
        return base64.b64decode(self.public_key)


def officers_mistakes(officers: Sequence[Officer], recovery: Recovery, *, example: bool) -> Iterator[Mistake]:
    """Yield what is wrong with the set of officers and their keys."""
    yield from _count_mistakes(officers)
    for number, officer in enumerate(officers, start=1):
        yield from _officer_mistakes(f"officers[{number}]", officer, example=example)
    yield from _key_mistakes("recovery.public_key", recovery.public_key, "R-5.1-a")
    yield from _repeated("id", [officer.id for officer in officers])
    yield from _repeated("public_key", [officer.public_key for officer in officers] + [recovery.public_key])
    yield from _repeated("signing_key", [officer.signing_key for officer in officers])


def _count_mistakes(officers: Sequence[Officer]) -> Iterator[Mistake]:
    """Yield what is wrong with how many officers there are in each role."""
    if not FEWEST <= len(officers) <= MOST:
        yield Mistake(
            "officers",
            _CLAUSE,
            f"found {len(officers)}, expected {FEWEST} to {MOST}",
            "Add or take out [[officers]] tables; with one officer nobody could act for an absent one.",
        )
    roles = [officer.role for officer in officers]
    if roles.count(OfficerRole.MANAGING_DIRECTOR) != 1:
        yield Mistake(
            "officers", _CLAUSE, "must hold exactly one managing_director", "Give one officer that role."
        )
    if roles.count(OfficerRole.OFFICE_MANAGER) > 1:
        yield Mistake("officers", _CLAUSE, "holds two office managers", "Make one of them an alternate.")
    if OfficerRole.ALTERNATE not in roles:
        yield Mistake(
            "officers",
            _CONFLICT,
            "has no alternate, so nobody could decide about the Managing Director",
            'Add an officer with role = "alternate" from outside the line: chair, governor, accountant.',
        )


def _officer_mistakes(prefix: str, officer: Officer, *, example: bool) -> Iterator[Mistake]:
    """Yield what is wrong with one officer."""
    if not _ID.fullmatch(officer.id) or len(officer.id) > 40:
        yield Mistake(
            f"{prefix}.id",
            _CLAUSE,
            f"found {officer.id[:40]!r}, expected lower-case words joined by hyphens, at most 40 characters",
            'Write, for instance, id = "managing-director".',
        )
    yield from line_mistakes(f"{prefix}.name", officer.name, _CLAUSE)
    yield from _key_mistakes(f"{prefix}.public_key", officer.public_key, _CLAUSE)
    yield from _signing_key_mistakes(f"{prefix}.signing_key", officer.signing_key)
    mailbox, _, domain = officer.address.rpartition("@")
    if _MAILBOX.fullmatch(mailbox):
        yield from domain_mistakes(f"{prefix}.address", domain, _CLAUSE, example=example)
    else:
        yield Mistake(
            f"{prefix}.address",
            _CLAUSE,
            f"{officer.address[:60]!r} is not a mail address",
            'Write, for instance, address = "md@training.example".',
        )


def _key_mistakes(key: str, text: str, clause: str) -> Iterator[Mistake]:
    """Yield a mistake unless `text` is 32 bytes of base64 that a share can be sealed to."""
    point = _point(text)
    if isinstance(point, str):
        yield Mistake(key, clause, point, _NEW_KEY)
    elif point[:31] + bytes([point[31] & 0x7F]) in _LOW_ORDER:
        yield Mistake(key, clause, "is a point that seals nothing", _NEW_KEY)


def _signing_key_mistakes(key: str, text: str) -> Iterator[Mistake]:
    """Yield a mistake unless `text` is 32 bytes of base64 whose signatures fit one text only."""
    point = _point(text)
    if isinstance(point, str):
        yield Mistake(key, _CLAUSE, point, _NEW_KEY)
        return
    y = int.from_bytes(point, "little") & (2**255 - 1)
    if y >= _PRIME or y in _SMALL_ORDER_Y:
        yield Mistake(key, _CLAUSE, "is a point whose signatures prove nothing", _NEW_KEY)


def _point(text: str) -> bytes | str:
    """Return the 32 bytes of a key, or what is wrong with its text."""
    try:
        point = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return "is not base64"
    if len(point) != 32:
        return f"is {len(point)} bytes long, expected 32"
    return (
        point if base64.b64encode(point).decode() == text else "is not written in the one way base64 allows"
    )


def _repeated(key: str, values: Sequence[str]) -> Iterator[Mistake]:
    """Yield a mistake when two officers, or an officer and the safe, share what must be their own."""
    if len(set(values)) < len(values):
        yield Mistake(f"officers.{key}", _CLAUSE, "stands twice", f"Give each officer a {key} of their own.")
