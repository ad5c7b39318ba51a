"""A Decision is the verdict of one rule on one thing, with everything needed to explain, dispute and replay it.

Its facts travel in the same batch as the thing itself, under the keeper's share.
Format: docs/formats/policy-file.md, "Decision".
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

import msgspec

from .errors import BadInput

FORMAT = 1


class Outcome(StrEnum):
    """What became of the thing."""

    ALLOW = "allow"
    ALTER = "alter"
    HOLD = "hold"
    REFUSE = "refuse"


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One verdict.

    `rule` and `rule_version` name the rule ("mail.footer", 1); `clause` the requirement it serves; `reason` says it
    in plain words; `snapshot` is the hex digest of the settings it was made under; `window` the part of the day and
    `exemption` the permit that changed it, "" when none did; `attribution` the person it is put down to, with
    `confidence` from 0 to 1; `changes` names what was altered, in order.
    """

    outcome: Outcome
    rule: str
    rule_version: int
    clause: str
    reason: str
    snapshot: str
    window: str = ""
    exemption: str = ""
    attribution: str = ""
    confidence: float | None = None
    changes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a confidence that is no share of one.

        Raises: ValueError.
        """
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence is {self.confidence}, expected 0 to 1")

    def to_facts(self) -> bytes:
        """Return the Decision as a MessagePack map with its format version; what has its default is left out."""
        facts: dict[str, object] = {"format": FORMAT}
        for field in msgspec.structs.fields(self):
            value = getattr(self, field.name)
            if field.required or value != field.default:
                facts[field.name] = value
        return _ENCODER.encode(facts)

    @classmethod
    def from_facts(cls, facts: bytes) -> Self:
        """Return the Decision in `facts`.

        Raises: BadInput, and nothing else, when these bytes are no Decision.
        """
        try:
            table = msgspec.msgpack.decode(facts, type=dict[str, object])
            version = table.pop("format", None)
            if version != FORMAT:
                raise BadInput(f"the Decision has format {version!r}, expected {FORMAT}; use a newer release")
            return msgspec.convert(table, cls)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise BadInput(
                f"these bytes are no Decision: {error}; the entry's facts may be another kind"
            ) from error


_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
