"""Exporting one entry with its proof: sealed, for whoever must check that it is in the record, unaltered.

Source: docs/formats/exported-entry.md.
"""

from __future__ import annotations

import base64
from typing import Any

from muniment.policy.errors import BadInput, Missing, Unavailable
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.note import parse_note
from muniment.record.ledger.proof import Proof
from muniment.record.ledger.publisher import CHECKPOINT_FILE
from muniment.record.ledger.tiles import TileReader
from muniment.record.opening import VKEY_FILE
from muniment.record.reading import read_frame
from muniment.record.row import Row
from muniment.record.witnessed.kept import COSIGNED_FILE

FORMAT = "muniment-entry/1"


def find_entry(catalogue: Catalogue, number: str) -> Row:
    """Return the entry people name `mail-gateway/42`, or by its ledger index `1234`.

    Raises:
        BadInput: the text names no entry. Missing: there is none of that number, or it has expired.
    """
    name, slash, sequence = number.rpartition("/")
    if not sequence.isdecimal():
        raise BadInput(
            f"{number!r} names no entry; expected a number such as mail-gateway/42, or a ledger index"
        )
    if not slash:
        return catalogue.row(int(sequence))
    try:
        stream = Stream[name.upper().replace("-", "_")]
    except KeyError:
        known = ", ".join(s.word for s in Stream)
        raise BadInput(f"there is no stream {name!r}; the streams are {known}") from None
    found = catalogue.rows("stream = ? AND sequence = ?", (stream, int(sequence)))
    if not found:
        raise Missing(f"there is no entry {number}: it has expired or was never recorded")
    return found[0]


def checkpoint_over(home: Home, index: int) -> bytes:
    """Return the checkpoint that witnesses have cosigned when it covers an entry, else the newest one."""
    cosigned = home.ledger / COSIGNED_FILE
    if cosigned.exists():
        note = cosigned.read_bytes()
        if index < parse_checkpoint(parse_note(note).text).size:
            return note
    return (home.ledger / CHECKPOINT_FILE).read_bytes()


def export_entry(home: Home, row: Row, *, is_example: bool) -> dict[str, Any]:
    """Return an entry, still sealed, with the proof that it stands in the ledger.

    Raises:
        Unavailable: it is newer than the last checkpoint; a second later it is not.
    """
    note = checkpoint_over(home, row.idx)
    checkpoint = parse_checkpoint(parse_note(note).text)
    if row.idx >= checkpoint.size:
        raise Unavailable(f"entry {row.idx} is newer than the last checkpoint; try again in a second")
    frame = read_frame(home, row)
    hashes = TileReader(home.ledger, checkpoint.size).inclusion(row.idx)
    return {
        "format": FORMAT,
        "origin": checkpoint.origin,
        "vkey": (home.ledger / VKEY_FILE).read_text().strip(),
        "number": Stream(row.stream).number(row.sequence),
        "index": row.idx,
        "leaf": base64.b64encode(frame.leaf).decode(),
        "frame_body": base64.b64encode(frame.body).decode(),
        "proof": Proof(row.idx, tuple(hashes), note).to_text(),
        "example": is_example,
    }
