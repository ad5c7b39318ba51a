"""A checkpoint: a log's name, how many leaves it has, and the root over them.

Source: C2SP tlog-checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from muniment.policy.errors import BadInput, Missing
from muniment.record.ledger.encoding import decode_base64, encode_base64, parse_decimal
from muniment.record.ledger.merkle import EMPTY_ROOT, HASH_BYTES
from muniment.record.ledger.note import Signer, VerifierKey, open_note, require_name, sign_note

MAX_SIZE = 2**63 - 1


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log. Lines beyond these three are refused: not every kind of signature covers them."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        require_name(self.origin)
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise BadInput("a checkpoint has a size from 0 to 2^63-1 and a root of 32 bytes.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise BadInput("a checkpoint of size 0 has the root of the empty tree; found another.")

    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"

    def sign(self, *signers: Signer) -> bytes:
        """Return the checkpoint as a signed note."""
        return sign_note(self.text(), *signers).to_bytes()


def parse_checkpoint(text: str) -> Checkpoint:
    """Return what the text of a note says, unsigned. Raises: BadInput when it is no checkpoint."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise BadInput("a checkpoint is three lines: origin, size, root; extension lines are refused.")
    return Checkpoint(lines[0], parse_decimal(lines[1]), decode_base64(lines[2]))


def open_checkpoint(data: bytes, origin: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """Return a checkpoint that the log `origin` stands for, signed by a known key.

    `keys` are the log's own and its witnesses'; the log's must be among the signatures.
    Raises: BadInput for no checkpoint or another log's; Tampered, Missing as `open_note`.
    """
    note, signed_by = open_note(data, keys)
    if origin not in signed_by:
        raise Missing(
            f"the log {origin} has not signed this checkpoint; it is signed by {', '.join(signed_by)}."
        )
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise BadInput(f"a checkpoint of the log {checkpoint.origin}; expected {origin}.")
    return checkpoint
