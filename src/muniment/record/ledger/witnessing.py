"""What a log and its witness say to each other, as bytes; nobody speaks here.

The log sends the size it believes the witness has seen, the proof that its newest checkpoint continues that, and
the checkpoint. The witness answers with its cosignatures, with the size it has really seen, or with a refusal.
Source: C2SP tlog-witness, tlog-cosignature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from muniment.policy.errors import BadInput, MunimentError, Tampered
from muniment.record.ledger.checkpoint import Checkpoint, parse_checkpoint
from muniment.record.ledger.encoding import decode_base64, encode_base64, parse_decimal
from muniment.record.ledger.merkle import HASH_BYTES
from muniment.record.ledger.note import MAX_NOTE_BYTES, Note, Signature, parse_note
from muniment.record.ledger.policy import TrustPolicy
from muniment.record.ledger.tiles import TileReader

MAX_SUBMISSION_BYTES = 64 << 10
MAX_HASHES = 63
SIZE_TYPE = "text/x.tlog.size"
_OK, _CONFLICT = 200, 409


@dataclass(frozen=True)
class Submission:
    """The body of `add-checkpoint`; nothing in it is to be believed yet."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def to_bytes(self) -> bytes:
        """Return the body as it is sent."""
        lines = [f"old {self.old_size}", *(encode_base64(value) for value in self.proof), ""]
        return "\n".join(lines).encode() + b"\n" + self.checkpoint


@dataclass(frozen=True)
class Cosigned:
    """The witness cosigned: these are its lines, unchecked."""

    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class OtherSize:
    """The witness has last seen another size than the log believed."""

    size: int


@dataclass(frozen=True)
class Rejected:
    """The witness did not cosign; `status` is the HTTP status, `reason` what it said."""

    status: int
    reason: str


Answer = Cosigned | OtherSize | Rejected


@dataclass(frozen=True)
class Standing:
    """Who has cosigned a checkpoint: {name in the policy: seconds since 1970}; is that enough?"""

    cosigned: dict[str, int]
    is_enough: bool


def origin_hash(origin: str) -> str:
    """Return the name under which a witness serves the newest checkpoint of a log."""
    return sha256(origin.encode()).hexdigest()


def make_submission(reader: TileReader, old_size: int, checkpoint: bytes) -> Submission:
    """Return the body for a witness that has seen `old_size` leaves; `reader` reads the checkpoint's tree.

    Raises: BadInput when the log is shorter; Tampered when a tile is gone.
    """
    proof = reader.consistency(old_size) if 0 < old_size < reader.size else []
    if old_size > reader.size:
        raise BadInput(f"the witness has seen {old_size} entries; this log has {reader.size}.")
    return Submission(old_size, tuple(proof), checkpoint)


def parse_submission(data: bytes) -> Submission:
    """Return what a body says. Raises: BadInput when it is none."""
    if len(data) > MAX_SUBMISSION_BYTES:
        raise BadInput(f"a submission has {MAX_SUBMISSION_BYTES} bytes at most; found {len(data)}.")
    head, separator, checkpoint = data.partition(b"\n\n")
    try:
        old, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise BadInput("the head of a submission is ASCII.") from error
    if not separator or not old.startswith("old "):
        raise BadInput("a submission is a line `old SIZE`, hashes, an empty line and a checkpoint.")
    proof = tuple(decode_base64(line) for line in lines)
    if len(proof) > MAX_HASHES or any(len(value) != HASH_BYTES for value in proof):
        raise BadInput(f"a submission holds at most {MAX_HASHES} hashes of {HASH_BYTES} bytes.")
    return Submission(parse_decimal(old.removeprefix("old ")), proof, checkpoint)


def parse_answer(status: int, content_type: str, body: bytes) -> Answer:
    """Return what a witness's HTTP answer says. Raises: BadInput when it is none of the protocol."""
    if status == _OK:
        if len(body) > MAX_NOTE_BYTES:
            raise BadInput("the witness's answer is too long.")
        return Cosigned(parse_note(b"-\n\n" + body).signatures)
    if status == _CONFLICT and content_type.partition(";")[0].strip() == SIZE_TYPE:
        try:
            return OtherSize(parse_decimal(body.decode("ascii").removesuffix("\n")))
        except UnicodeDecodeError as error:
            raise BadInput("the size a witness answers with is a decimal number.") from error
    said = body[:200].decode("utf-8", "replace").strip()
    return Rejected(status, "".join(letter if letter.isprintable() else " " for letter in said))


def add_cosignatures(note: bytes, signatures: Sequence[Signature], policy: TrustPolicy) -> bytes:
    """Return the checkpoint with the cosignatures of the policy's witnesses among `signatures`.

    Those of unknown keys are left out; a newer one of the same key replaces an older.
    Raises: Tampered when one of a known key does not fit.
    """
    found = parse_note(note)
    known = {(w.key.name, w.key.key_id): w.key for w in policy.witnesses}
    kept = {(s.name, s.key_id): s for s in found.signatures}
    for signature in signatures:
        place = (signature.name, signature.key_id)
        if place not in known:
            continue
        if not known[place].verify(found.text, signature.blob):
            raise Tampered(f"the cosignature of {signature.name} does not fit the checkpoint.")
        if place not in kept or _seconds(signature) >= _seconds(kept[place]):
            kept[place] = signature
    return replace(found, signatures=tuple(kept.values())).to_bytes()


def standing_of(note: bytes, policy: TrustPolicy) -> Standing:
    """Return which of the policy's witnesses have cosigned a checkpoint; a false signature counts for nothing.

    Raises: BadInput when the bytes are no checkpoint.
    """
    found = parse_note(note)
    parse_checkpoint(found.text)
    cosigned = {
        witness.name: _seconds(signature)
        for witness in policy.witnesses
        for signature in _of(found, witness.key.name, witness.key.key_id)
        if witness.key.verify(found.text, signature.blob)
    }
    return Standing(cosigned, policy.is_met(cosigned))


def seen_by(note: bytes, origin: str) -> Checkpoint | None:
    """Return the checkpoint in bytes that a stranger sent, None when they are no checkpoint of this log."""
    try:
        checkpoint = parse_checkpoint(parse_note(note).text)
    except MunimentError:
        return None
    return checkpoint if checkpoint.origin == origin else None


def _of(note: Note, name: str, key_id: bytes) -> list[Signature]:
    return [s for s in note.signatures if (s.name, s.key_id) == (name, key_id)]


def _seconds(signature: Signature) -> int:
    return int.from_bytes(signature.blob[:8], "big")
