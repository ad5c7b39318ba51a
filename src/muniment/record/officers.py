"""The officer set: to whose keys every share is sealed, stated in the record from its first entry.

The policy file names the officers; the record says which keys were in force when. They change together, by an act of
the record, because a key that only appears in the file would be an officer nobody approved.
Source: R-5.2-f, R-5.2-g; docs/formats/shares.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

import msgspec

from muniment.policy.errors import BadInput, Conflict
from muniment.policy.policyfile import PolicyFile
from muniment.record.ledger.ed25519 import require_strong_key
from muniment.record.wraps import Recipient

FORMAT = "muniment-officers/1"
RECOVERY = "recovery"


class _Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    role: str
    key_id: str
    public_key: bytes
    signing_key: bytes = b""

    def __post_init__(self) -> None:
        if self.id != RECOVERY:
            require_strong_key(self.signing_key)


class _Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    keys: list[_Key]


@dataclass(frozen=True)
class OfficerSet:
    """The officers' public keys in the order of the policy file, the recovery key last, and the role of each.

    `signatures` are the public keys that approvals are signed with; the recovery key has none (empty bytes).
    """

    recipients: tuple[Recipient, ...]
    roles: tuple[str, ...]
    signatures: tuple[bytes, ...]

    @classmethod
    def from_policy(cls, policy: PolicyFile) -> OfficerSet:
        """Return the set that the policy file names."""
        named = [Recipient(officer.id, officer.key_bytes) for officer in policy.officers]
        roles = [str(officer.role) for officer in policy.officers]
        signatures = [officer.signing_key_bytes for officer in policy.officers]
        return cls(
            (*named, Recipient(RECOVERY, policy.recovery.key_bytes)), (*roles, RECOVERY), (*signatures, b"")
        )

    @classmethod
    def from_json(cls, stated: bytes) -> OfficerSet:
        """Return the set that an open entry states.

        Raises:
            BadInput: the entry has another format.
        """
        try:
            read = msgspec.json.decode(stated, type=_Stated)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"an officer set of the record cannot be read: {error}") from None
        if read.format != FORMAT:
            raise BadInput(f"an officer set of format {read.format}; this release reads {FORMAT}")
        return cls(
            tuple(Recipient(key.id, key.public_key) for key in read.keys),
            tuple(key.role for key in read.keys),
            tuple(key.signing_key for key in read.keys),
        )

    @property
    def keys(self) -> dict[str, bytes]:
        """Return the public key of each id."""
        return {recipient.id: recipient.public_key for recipient in self.recipients}

    @property
    def signing_keys(self) -> dict[str, bytes]:
        """Return the public signing key of each officer's id; the recovery key signs nothing."""
        owners = (recipient.id for recipient in self.recipients)
        return {owner: key for owner, key in zip(owners, self.signatures, strict=True) if owner != RECOVERY}

    @property
    def digest(self) -> str:
        """Return the SHA-256 of ids and keys in hexadecimal; names, addresses and roles do not change it."""
        told = "".join(
            f"{owner} {public.hex()} {signing.hex()}\n"
            for owner, (public, signing) in sorted(self._pairs().items())
        )
        return hashlib.sha256(f"{FORMAT}\n{told}".encode()).hexdigest()

    @property
    def version(self) -> str:
        """Return the short form of the digest by which an epoch says which set it was sealed to."""
        return self.digest[:16]

    def to_json(self) -> bytes:
        """Return the open entry that states the set; it holds no name and no address."""
        keys = [
            {
                "id": recipient.id,
                "role": role,
                "key_id": recipient.key_id.hex(),
                "public_key": base64.b64encode(recipient.public_key).decode(),
                **({"signing_key": base64.b64encode(signing).decode()} if signing else {}),
            }
            for recipient, role, signing in zip(self.recipients, self.roles, self.signatures, strict=True)
        ]
        return json.dumps({"format": FORMAT, "keys": keys}, sort_keys=True).encode()

    def newcomers(self, stated: bytes) -> tuple[Recipient, ...]:
        """Return those whose key the record's last statement does not know: nothing is sealed to them yet."""
        known = set(OfficerSet.from_json(stated).keys.values())
        return tuple(recipient for recipient in self.recipients if recipient.public_key not in known)

    def require_same(self, stated: bytes) -> None:
        """Return when the record's last statement names the same keys, or none was made yet (`stated` is empty).

        Raises:
            Conflict: the policy file was edited where only an act of the record may change it.
        """
        if not stated:
            return
        recorded = OfficerSet.from_json(stated)
        if recorded.digest == self.digest:
            return
        changes = "; ".join(_changes(recorded._pairs(), self._pairs()))
        raise Conflict(
            f"the officers' keys in muniment.toml are not those of the record: {changes}. Put back the lines that "
            "stood there (the newest policy entry of the record holds them), then replace the officer as "
            'docs/guide/setting-up.md says under "When an officer changes"'
        )

    def _pairs(self) -> dict[str, tuple[bytes, bytes]]:
        """Return (public key, signing key) of each id."""
        owned = zip(self.recipients, self.signatures, strict=True)
        return {recipient.id: (recipient.public_key, signing) for recipient, signing in owned}


def _changes(recorded: dict[str, tuple[bytes, bytes]], written: dict[str, tuple[bytes, bytes]]) -> list[str]:
    told = []
    for owner in sorted(recorded.keys() | written.keys()):
        if owner not in written:
            told.append(f"{owner} is missing, recorded with {_text(recorded[owner])}")
        elif owner not in recorded:
            told.append(f"{owner} is not in the record")
        elif recorded[owner] != written[owner]:
            told.append(f"{owner} has another key, recorded is {_text(recorded[owner])}")
    return told


def _text(pair: tuple[bytes, bytes]) -> str:
    public_key, signing_key = (base64.b64encode(key).decode() for key in pair)
    return f"public_key {public_key}" + (f" and signing_key {signing_key}" if signing_key else "")
