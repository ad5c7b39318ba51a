"""The receipt of a leaf: its place, the hashes up to the root, the signed checkpoint.

Source: C2SP tlog-proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from muniment.policy.errors import BadInput
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.encoding import decode_base64, encode_base64, parse_decimal
from muniment.record.ledger.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from muniment.record.ledger.note import MAX_NOTE_BYTES, VerifierKey

_HEADER = "c2sp.org/tlog-proof@v1"
_MAX_HASHES = 63


@dataclass(frozen=True)
class Proof:
    """That a leaf stands at `index` under `checkpoint`, a signed note. `extra` is signed by nobody."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def to_text(self) -> str:
        """Return the proof as a `.tlog-proof` file holds it."""
        lines = [_HEADER]
        if self.extra:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [encode_base64(value) for value in self.hashes]
        return "\n".join(lines) + "\n\n" + self.checkpoint.decode()

    def verify(self, entry: bytes, origin: str, keys: Iterable[VerifierKey]) -> Checkpoint:
        """Return the checkpoint when the log `origin` signed it and `entry` is the leaf at `index`.

        Raises: BadInput, Missing, Tampered otherwise.
        """
        checkpoint = open_checkpoint(self.checkpoint, origin, keys)
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint


def parse_proof(data: bytes) -> Proof:
    """Return what a `.tlog-proof` file says, unverified. Raises: BadInput when it is none."""
    if len(data) > 2 * MAX_NOTE_BYTES:
        raise BadInput(f"a proof of {len(data)} bytes; expected {2 * MAX_NOTE_BYTES} at most.")
    head, separator, checkpoint = data.partition(b"\n\n")
    if not separator:
        raise BadInput("a proof is a head, an empty line and a checkpoint.")
    try:
        header, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise BadInput("the head of a proof is ASCII.") from error
    if header != _HEADER:
        raise BadInput(f"a proof begins with the line {_HEADER}.")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise BadInput("a proof names the index of its leaf.")
    index = parse_decimal(lines.pop(0).removeprefix("index "))
    hashes = tuple(decode_base64(line) for line in lines)
    if len(hashes) > _MAX_HASHES or any(len(value) != HASH_BYTES for value in hashes):
        raise BadInput("a proof holds at most 63 hashes of 32 bytes.")
    return Proof(index, hashes, checkpoint, extra)
