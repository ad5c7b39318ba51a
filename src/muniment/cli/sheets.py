"""The sheets init prints: one for each officer, one for the safe. Plain text, 72 columns, made to be printed.

What a sheet holds exists nowhere else; a sheet of a real organisation is never written to a disk.
Source: docs/guide/setting-up.md; R-5.2-f.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH = 72
_COLUMNS = 4


@dataclass(frozen=True)
class Sheet:
    """One printed sheet: the name of its file in an example home, whom to hand it to, and its text."""

    name: str
    reader: str
    text: str


@dataclass(frozen=True)
class Letterhead:
    """What stands on every sheet of one home."""

    organisation: str
    made: date
    total: int
    example: bool


@dataclass(frozen=True)
class OfficerKey:
    """What one officer's sheet tells."""

    owner: str
    name: str
    office: str
    address: str
    key_id: bytes
    passphrase: str


@dataclass(frozen=True)
class SafeKeys:
    """What the sheet in the safe tells: two secrets as 24 words each, and the ledger's public key."""

    recovery_words: str
    recovery_key_id: bytes
    machine_words: str
    vkey: str


def officer_sheet(head: Letterhead, number: int, key: OfficerKey) -> Sheet:
    """Return the sheet of one officer."""
    words = key.passphrase.split("-")
    body = [
        f"For {key.name}, {key.office}",
        key.address,
        "",
        *_section("Your six words"),
        "",
        f"    {'  '.join(words[:3])}",
        f"    {'  '.join(words[3:])}",
        "",
        *_section("What they are for"),
        *_paragraph(
            "They open your key file. With it you permit a look into the record, or refuse one (clause 5.2). "
            "Nobody can read a recorded message without the key of an officer, and nobody at the machine has "
            "yours. Order counts; capitals, spaces and hyphens do not."
        ),
        "",
        *_section("Your key"),
        f"  Key file   officer-keys/{key.owner}.json",
        f"  Key id     {grouped(key.key_id)}",
        *_paragraph("Copy the key file to a stick or a machine of your own. The words alone open nothing."),
        "",
        *_section("Keep it"),
        *_paragraph(
            "Keep this sheet where only you can reach it, and apart from the key file. Tell the words to nobody. "
            "IT Support never needs them."
        ),
        "",
        *_section("If you lose it"),
        *_paragraph(
            "Tell another officer the same day. Nothing is lost: the other officers and the key in the safe open "
            "the same record, and hand it on to a new key of yours. If somebody may have both this sheet and the "
            "key file, say so: they could permit looks in your name."
        ),
    ]
    return Sheet(key.owner, key.name, _laid_out(head, number, "an officer's key", body))


def safe_sheet(head: Letterhead, keys: SafeKeys) -> Sheet:
    """Return the sheet for the safe: two parts to be cut apart, and the ledger's public key."""
    body = [
        "For the safe. Cut it in two: each part goes into an envelope of its own.",
        "",
        *_section("Part one: the recovery key"),
        "",
        *_table(keys.recovery_words),
        "",
        f"  Key id     {grouped(keys.recovery_key_id)}",
        *_paragraph(
            "It opens what an officer's key opens. Use it only when no officer has a key any more, to hand the "
            "record on to new ones. Never type it in at a machine that others can reach."
        ),
        "",
        *_paragraph(
            "The record's public key is no secret. Whoever checks the record needs it, typed as one line:"
        ),
        *(f"  {line}" for line in textwrap.wrap(keys.vkey, WIDTH - 4, break_on_hyphens=False)),
        "",
        _cut(),
        *_stamp(head),
        "",
        head.organisation,
        *_section("Part two: the machine secret"),
        "",
        *_table(keys.machine_words),
        "",
        *_paragraph(
            "The machine asks for it at each start, because it is not on the machine's disk. It opens the keeper's "
            "share: not enough to read a message, but with the key of one officer, or with part one, enough to "
            "read them all. Who starts the machine is therefore not an officer, and does not have part one."
        ),
        *_paragraph(
            "If it is lost, a machine that was stopped cannot start again, and what it recorded stays closed for "
            "ever. Copy this part by hand and keep the copy in another building."
        ),
    ]
    return Sheet("safe", "the safe", _laid_out(head, head.total, "for the safe", body))


def grouped(key_id: bytes) -> str:
    """Return a key's id in groups of four digits, as it is read aloud."""
    return " ".join(textwrap.wrap(key_id.hex(), 4))


def _laid_out(head: Letterhead, number: int, title: str, body: Sequence[str]) -> str:
    right = f"Sheet {number} of {head.total}: {title}"
    copies = "Its secrets lie on the disk too." if head.example else "There is no other copy of this sheet."
    lines = [
        "=" * WIDTH,
        f"MUNIMENT{right:>{WIDTH - len('MUNIMENT')}}",
        *_stamp(head),
        "=" * WIDTH,
        "",
        *textwrap.wrap(head.organisation, WIDTH),
        *(piece for line in body for piece in (textwrap.wrap(line, WIDTH) if len(line) > WIDTH else [line])),
        "",
        "-" * WIDTH,
        *_stamp(head),
        f"Made on {head.made.day} {head.made:%B %Y}. {copies}",
    ]
    return "\n".join(lines) + "\n"


def _stamp(head: Letterhead) -> list[str]:
    return ["EXAMPLE   EXAMPLE   EXAMPLE   EXAMPLE".center(WIDTH).rstrip()] if head.example else []


def _section(title: str) -> list[str]:
    return [title.upper()]


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 2, initial_indent="  ", subsequent_indent="  ")


def _table(words: str) -> list[str]:
    """Return 24 words numbered, down the columns."""
    numbered = [f"{at:2} {word}" for at, word in enumerate(words.split(), start=1)]
    rows = len(numbered) // _COLUMNS
    return ["    " + "".join(f"{cell:15}" for cell in numbered[row::rows]).rstrip() for row in range(rows)]


def _cut() -> str:
    return " cut here ".center(WIDTH - 2, "-").replace("--", "- ").rstrip()
