"""What a pack says of itself: why it was made, under which permission, what was searched, and what could not be.

Source: docs/formats/pack.md; R-5.2-f, R-5.4-c.
"""

from __future__ import annotations

import re

import msgspec

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9-]+")


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """One search that was made in the room; `not_searched` are (reason, count)."""

    words: str
    field: str = "any"
    person: str = ""
    from_ms: int | None = None
    until_ms: int | None = None
    found: int = 0
    searched: int = 0
    not_searched: tuple[tuple[str, int], ...] = ()


class ApprovingOfficer(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed; `signing_key` is the public key in base64."""

    id: str
    name: str
    role: str
    signing_key: str


class PermitPapers(msgspec.Struct, frozen=True, kw_only=True):
    """The permission, as exact texts: the request, the approval, the officer's signature over it (64 bytes)."""

    number: str
    revision: int
    purpose: str
    clause: str
    request: str
    approval: str
    signature: bytes
    officer: ApprovingOfficer
    entries: int
    shielded: int


class PackAbout(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a pack says beside the messages; `gaps` are sentences about times when something was not recorded."""

    title: str
    reason: str
    recipient: str
    organisation: str
    made_ms: int
    made_by: str
    origin: str
    vkey: str
    log_size: int
    papers: PermitPapers
    searches: tuple[Search, ...] = ()
    not_searched: tuple[tuple[str, int], ...] = ()
    gaps: tuple[str, ...] = ()
    example: bool = False

    @property
    def name(self) -> str:
        """The name of the folder in the zip file: letters, digits and hyphens."""
        return f"muniment-pack-{_NOT_IN_A_NAME.sub('-', self.papers.number.lower())}-{self.papers.revision}"

    def bag_info(self) -> dict[str, str]:
        """Return what describes the bag (RFC 8493, 2.2.2)."""
        return {
            "Source-Organization": self.organisation,
            "External-Description": self.title,
            "External-Identifier": f"{self.origin} permit {self.papers.number} revision {self.papers.revision}",
            "Bag-Software-Agent": "Muniment, format muniment-pack/1",
        }
