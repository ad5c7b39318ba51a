"""What a witness decides about a checkpoint it is offered. Pure: it is told what it saw last.

The checks come in the order of the protocol; each has its HTTP status. A witness cosigns what continues the last
checkpoint it cosigned, and nothing else.
Source: C2SP tlog-witness, "add-checkpoint".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from muniment.policy.errors import BadInput, Missing, MunimentError, Tampered
from muniment.record.ledger.checkpoint import Checkpoint, parse_checkpoint
from muniment.record.ledger.merkle import EMPTY_ROOT, verify_consistency
from muniment.record.ledger.note import VerifierKey, open_note, parse_note
from muniment.record.ledger.witnessing import SIZE_TYPE, Submission, parse_submission

BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE = 400, 403, 404, 409, 422


class Doubt(StrEnum):
    """What a refused checkpoint, really signed by its log, may show."""

    FORK = "fork"  # the same size, other entries: the log signed two histories, and both notes prove it
    OLDER = (
        "older"  # shorter than what was cosigned: an earlier copy was put back, or somebody sent an old one
    )
    UNPROVED = "unproved"  # not shown to continue what was cosigned


@dataclass(frozen=True)
class Seen:
    """The last checkpoint a witness cosigned for a log."""

    checkpoint: Checkpoint
    note: bytes


@dataclass(frozen=True)
class Accepted:
    """It may be cosigned, once it is stored in the place of what was seen before."""

    origin: str
    old: Seen | None
    checkpoint: Checkpoint
    note: bytes


class Refusal(Exception):
    """It is not cosigned; `status`, `kind` and `body` are the HTTP answer."""

    def __init__(
        self, status: int, body: str, kind: str = "text/plain; charset=utf-8", doubt: Doubt | None = None
    ) -> None:
        super().__init__(body)
        self.status, self.body, self.kind, self.doubt = status, body, kind, doubt
        self.origin, self.offered = "", b""


def origin_in(body: bytes) -> str:
    """Return the log a body speaks of. Raises: Refusal when it is no submission."""
    try:
        return parse_note(parse_submission(body).checkpoint).text.partition("\n")[0]
    except BadInput as error:
        raise Refusal(BAD_REQUEST, str(error)) from None


def judge(body: bytes, logs: Mapping[str, Sequence[VerifierKey]], last: Seen | None) -> Accepted:
    """Return what may be cosigned; `last` is what was seen of the log that the body names.

    Raises: Refusal otherwise, and nothing else.
    """
    origin = origin_in(body)
    submission = parse_submission(body)
    if origin not in logs:
        raise Refusal(NOT_FOUND, "this witness does not know that log")
    checkpoint, signed = _signed(submission, origin, logs[origin])
    try:
        _require_continues(submission, checkpoint, last)
    except Refusal as refusal:
        refusal.origin, refusal.offered = origin, signed
        raise
    return Accepted(origin, last, checkpoint, signed)


def _signed(submission: Submission, origin: str, keys: Sequence[VerifierKey]) -> tuple[Checkpoint, bytes]:
    """Return the checkpoint and its note with the signatures of known keys alone."""
    try:
        note, _ = open_note(submission.checkpoint, keys)
    except (Missing, Tampered) as error:
        raise Refusal(FORBIDDEN, str(error)) from None
    except BadInput as error:
        raise Refusal(BAD_REQUEST, str(error)) from None
    known = {(key.name, key.key_id) for key in keys}
    ours = tuple(s for s in note.signatures if (s.name, s.key_id) in known)
    try:
        checkpoint = parse_checkpoint(note.text)
    except MunimentError as error:
        is_empty = note.text.split("\n")[1:2] == ["0"]
        raise Refusal(UNPROCESSABLE if is_empty else BAD_REQUEST, str(error)) from None
    return checkpoint, type(note)(note.text, ours).to_bytes()


def _require_continues(submission: Submission, new: Checkpoint, last: Seen | None) -> None:
    size, root = (last.checkpoint.size, last.checkpoint.root) if last else (0, EMPTY_ROOT)
    if submission.old_size > new.size:
        raise Refusal(BAD_REQUEST, "the old size is larger than the checkpoint's")
    if last is not None and new.size == size and new.root != root:
        status = CONFLICT if submission.old_size != size else UNPROCESSABLE
        body, kind = (
            (f"{size}\n", SIZE_TYPE) if status == CONFLICT else ("another root was cosigned", "text/plain")
        )
        raise Refusal(status, body, kind, Doubt.FORK)
    if submission.old_size != size:
        raise Refusal(CONFLICT, f"{size}\n", SIZE_TYPE, Doubt.OLDER if new.size < size else None)
    if size == 0 or new.size == size:
        if submission.proof:
            raise Refusal(UNPROCESSABLE, "no proof belongs here, and one was sent")
        return
    try:
        verify_consistency(size, new.size, root, new.root, submission.proof)
    except MunimentError as error:
        raise Refusal(UNPROCESSABLE, str(error), doubt=Doubt.UNPROVED) from None
