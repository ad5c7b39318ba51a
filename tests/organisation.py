"""The example organisation every test shares: its policy file, its particulars, its people."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from muniment.policy.particulars import Particulars, PartOfUK

DOMAIN = "training.example"
PARTICULARS = Particulars(
    name="Example Training Ltd",
    part_of_uk=PartOfUK.ENGLAND_AND_WALES,
    company_number="01234567",
    registered_office="1 Example Street, Exampletown EX1 1EX",
)
particulars = PARTICULARS


@dataclass(frozen=True)
class SamplePerson:
    """One invented person of the example organisation."""

    id: str
    name: str
    role: str
    address: str
    manager: str = ""


MANAGING_DIRECTOR = SamplePerson(
    "managing-director", "Morgan Example", "managing_director", f"morgan@{DOMAIN}"
)
OFFICE_MANAGER = SamplePerson(
    "office-manager", "Olive Example", "office_manager", f"olive@{DOMAIN}", "managing-director"
)
ALTERNATE = SamplePerson("chair", "Chris Example", "alternate", "chris@chair.example")
IT_SUPPORT = SamplePerson("ida-byte", "Ida Byte", "it_support", f"ida@{DOMAIN}", "office-manager")
TUTOR = SamplePerson("tomas-tutor", "Tomás Tutor", "staff", f"tomas@{DOMAIN}", "office-manager")
STUDENT = SamplePerson("stella-student", "Stella Student", "student", f"stella@{DOMAIN}")
OFFICERS = (MANAGING_DIRECTOR, OFFICE_MANAGER, ALTERNATE)
PEOPLE = (*OFFICERS, IT_SUPPORT, TUTOR, STUDENT)


def private_key_bytes(owner: str) -> bytes:
    """Return the X25519 private key of an officer's id or of `recovery`; the same in every run."""
    return sha256(f"example key of {owner}".encode()).digest()


def public_key_base64(owner: str) -> str:
    """Return the matching public key as the policy file writes it."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    public = X25519PrivateKey.from_private_bytes(private_key_bytes(owner)).public_key()
    return base64.b64encode(public.public_bytes_raw()).decode()


def signing_key_base64(owner: str) -> str:
    """Return the public signing key of an officer's id as the policy file writes it."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from muniment.record.keyfile import signing_public_of

    private = X25519PrivateKey.from_private_bytes(private_key_bytes(owner))
    return base64.b64encode(signing_public_of(private)).decode()


def policy_table() -> dict[str, Any]:
    """Return the tables of a valid policy file; officers' private keys are `private_key_bytes(id)`."""
    return {
        "format": 1,
        "example": True,
        "organisation": {
            "name": PARTICULARS.name,
            "short_name": "Example Training",
            "part_of_uk": str(PARTICULARS.part_of_uk),
            "company_number": PARTICULARS.company_number,
            "registered_office": PARTICULARS.registered_office,
            "nation": "ENG",
            "domains": [DOMAIN],
        },
        "policy": {"version": "2026-11", "revised": date(2026, 11, 1), "review_due": date(2027, 11, 1)},
        "officers": [
            {
                "id": officer.id,
                "name": officer.name,
                "role": officer.role,
                "address": officer.address,
                "public_key": public_key_base64(officer.id),
                "signing_key": signing_key_base64(officer.id),
            }
            for officer in OFFICERS
        ],
        "recovery": {"public_key": public_key_base64("recovery")},
        "retention": {
            "journal": {"years": 0, "reason": "Proves what was kept and what was destroyed"},
            "mail": {"years": 5, "reason": "The policy's term; claims lapse after it"},
            "refused": {"days": 90, "reason": "Long enough to answer why it was refused"},
        },
        "streams": [
            {
                "name": name,
                "purpose": "A true copy of mail",
                "lawful_basis": "Legitimate interests",
                "notice": "You have been told that mail is kept.",
                "notice_shown": "The terms of use",
                "assessed": date(2026, 11, 1),
                "owner": "Data Protection Officer",
            }
            for name in ("mail-gateway", "mail-journal", "mail-import")
        ]
        + [{"name": "printing", "purpose": "Who printed what"}],
        "gateway": {
            "hostname": f"mail.{DOMAIN}",
            "inside": "127.0.0.1:2525",
            "outside": "127.0.0.1:2526",
            "journal": "127.0.0.1:2527",
            "outbound_hop": "127.0.0.1:2580",
            "inbound_hop": "127.0.0.1:2581",
        },
        "sink": {"listen": "127.0.0.1:2580", "inside_listen": "127.0.0.1:2581"},
    }


def policy_text(**overrides: object) -> str:
    """Return a valid muniment.toml of the example organisation.

    An override names a key; two underscores step into a table and a number into a list, so
    `policy_text(gateway__inside="127.0.0.1:4025", officers__0__name="X", retention__mail__years=7)`.
    An override of `...` takes the key out; a table that is not there is made.
    """
    table = policy_table()
    for path, value in overrides.items():
        *steps, last = path.split("__")
        place: Any = table
        for step in steps:
            place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
        if value is ...:
            del place[int(last) if last.isdigit() else last]
        elif last.isdigit():
            place[int(last)] = value
        else:
            place[last] = value
    return to_toml(table)


def policy_bytes(**overrides: object) -> bytes:
    """Return `policy_text(**overrides)` as it lies on disk."""
    return policy_text(**overrides).encode()


def to_toml(table: dict[str, Any]) -> str:
    """Return `table` as TOML: plain keys first, then tables, then lists of tables."""
    return "\n".join(_lines(table, "")) + "\n"


def _lines(table: dict[str, Any], prefix: str) -> list[str]:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if not _is_nested(value)]
    for key, value in table.items():
        path = f"{prefix}.{_key(key)}" if prefix else _key(key)
        if isinstance(value, dict):
            lines += ["", f"[{path}]", *_lines(value, path)]
        elif _is_nested(value):
            for row in value:
                lines += ["", f"[[{path}]]", *_lines(row, path)]
    return lines


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
    )


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _value(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    text = "".join(c if c >= " " and c not in '"\\\x7f' else f"\\u{ord(c):04x}" for c in str(value))
    return f'"{text}"'
