"""What people do to a permit: each act is checked, recorded, and only then shown in the console's rows.

In this order, while every other act waits (`rows.alone`):

1. the permit is read from the record, never from its row;
2. the rules are asked: state, purpose, conflict, whose act it is;
3. files of the room are written;
4. the act is recorded and flushed;
5. the row is written. Killed between 4 and 5, the row is made again from the record.

Source: R-5.2-e, R-5.2-f, R-5.2-g, R-5.3-c; docs/formats/permit.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from muniment.permit import asking as askings
from muniment.permit import purposes, rooms
from muniment.permit.act import BY_ITSELF, Act
from muniment.permit.asking import Asking, Draft
from muniment.permit.conflict import require_decider, require_unconflicted
from muniment.permit.models import Permit
from muniment.permit.office import Office, standing_of
from muniment.permit.replay import Standing, next_number, renewed_of
from muniment.permit.rows import alone
from muniment.permit.state import Doing, State, follow
from muniment.permit.windows import moment_of
from muniment.policy.errors import BadInput, Conflict, Refused
from muniment.record import permit_text
from muniment.record.permit_selection import parse_selection
from muniment.record.permit_text import (
    ACT_FORMAT,
    DAY_MS,
    Approval,
    ApprovalRequest,
    PermitRequest,
    SignedApproval,
)
from muniment.record.sharing import wraps_of

STATUTORY = ("SAR", "INFO", "ORDER")


@dataclass(frozen=True)
class Asked:
    """A permit that was asked for, and the six words of its room: shown once, kept nowhere; empty if it has no room."""

    permit: Permit
    words: str


def ask(office: Office, asking: Asking) -> Asked:
    """Ask for a permit; an officer decides.

    Raises:
        BadInput, Refused: as `asking.draft`. Unavailable: the recorder does not answer.
    """
    parent = office.history().permit(asking.parent) if asking.parent else None
    _require_own_parent(asking, parent)
    drafted = askings.draft(office, asking, parent)
    with alone():
        number = next_number(office.history(), moment_of(office.now_ms()).year)
        if asking.kind == purposes.EXEMPTION:
            return Asked(
                _recorded_ask(office, drafted, drafted.numbered(number, permit_text.NO_ROOM_KEY), b""), ""
            )
        private_key, words = rooms.draw_key()
        request = drafted.numbered(number, private_key.public_key().public_bytes_raw())
        name = f"Room of permit {number}"
        key = rooms.seal_key(number, 1, name, private_key, words, example=office.policy.example)
        return Asked(_recorded_ask(office, drafted, request, key), words)


def renew(office: Office, standing: Standing, asking: Asking) -> Permit:
    """Ask for a permit anew, over what was recorded since; its room opens with the words of the one it renews.

    Raises:
        as `ask`.
    """
    drafted = askings.draft(office, asking, standing)
    with alone():
        history = office.history()
        if standing.number in renewed_of(history):
            raise Conflict(f"permit {standing.number} was renewed already")
        number = next_number(history, moment_of(office.now_ms()).year)
        key = rooms.read_key(office.home, standing.number, standing.revision)
        request = drafted.numbered(number, standing.request.room_key)
        return _recorded_ask(office, drafted, request, key)


def approval_request(office: Office, number: str) -> bytes:
    """Return what an officer's browser or `muniment approve` needs to approve a request that waits.

    Raises:
        Conflict: it is decided already. Missing, Tampered: its entries are not those it names.
    """
    standing = standing_of(office, number)
    follow(standing.state, Doing.APPROVE)
    selection = rooms.read_selection(office.home, standing.request) if standing.request.windows else b""
    epochs = sorted({(item.class_id, item.epoch) for item in parse_selection(selection)})
    shares = wraps_of(office.home, epochs)
    asked = ApprovalRequest(request=standing.text, selection=selection, wraps=tuple(shares))
    return permit_text.encode(asked).encode()


def approve(office: Office, signed: bytes) -> Permit:
    """Take an officer's signed approval; the permit is in force from here.

    Raises:
        BadInput: it is none. Refused: the signature, or the officer, does not do. Conflict: it is for an older
        revision, for something decided already, or was signed too long ago.
    """
    document = permit_text.parse_signed_approval(signed)
    approval = permit_text.parse_approval(document.approval)
    with alone():
        standing = standing_of(office, approval.number, approval.revision)
        follow(standing.state, Doing.APPROVE)
        _require_fits(standing.request, standing.text, document, approval, office.now_ms())
        officer = require_decider(office.stands(standing), approval.officer)
        permit_text.verify_signature(document.approval, document.signature, officer.signing_key_bytes)
        if standing.request.windows:
            rooms.read_selection(office.home, standing.request)
            rooms.write_approval(office.home, standing.request, signed)
        texts = {"approval": document.approval, "signature": document.signature}
        return office.record(standing, _act(office, Doing.APPROVE, standing, officer.id, **texts))


def refuse(
    office: Office, number: str, revision: int, officer: str, reason: str, *, advice: str = ""
) -> Permit:
    """Refuse a request, with the reason; one that the law demands needs an exemption or advice besides.

    Raises:
        Refused: the officer may not decide it, or advice is missing. Conflict: it stands otherwise by now.
    """
    with alone():
        standing = standing_of(office, number, revision)
        named = require_decider(office.stands(standing), officer)
        told = with_advice(standing.request, reason, advice)
        return office.record(standing, _act(office, Doing.REFUSE, standing, named.id, reason=told))


def withdraw(office: Office, number: str, person: str, reason: str) -> Permit:
    """Take one's own request back before it is decided; `person` is a pseudonym.

    Raises:
        Refused: somebody else asked for it. Conflict: it is decided already.
    """
    with alone():
        standing = standing_of(office, number)
        if person != standing.request.requester.id:
            asked = standing.request.requester.name
            raise Refused(
                f"{asked} asked for permit {number}, so only {asked} can withdraw it", clause="R-5.2-f"
            )
        return office.record(standing, _act(office, Doing.WITHDRAW, standing, person, reason=reason))


def revoke(office: Office, number: str, by: str, reason: str) -> Permit:
    """End a permit that is in force: any officer who is free of conflict, or who asked for it.

    Raises:
        Refused: it is neither. Conflict: the permit is not in force.
    """
    with alone():
        standing = standing_of(office, number)
        if by != standing.request.requester.id:
            require_unconflicted(office.stands(standing), by)
        return office.record(standing, _act(office, Doing.REVOKE, standing, by, reason=reason))


def end_due(office: Office) -> list[Permit]:
    """End every permit whose days are over; return them. Safe to repeat."""
    ended = []
    for number, seen in office.history().permits.items():
        if seen.state is not State.APPROVED or seen.is_in_force(office.now_ms()):
            continue
        with alone():
            standing = standing_of(office, number)
            if standing.state is State.APPROVED:
                ended.append(office.record(standing, _act(office, Doing.END, standing, BY_ITSELF)))
    return ended


def with_advice(request: PermitRequest, reason: str, advice: str) -> str:
    """Return the recorded reason of an officer who refuses or narrows.

    Raises:
        Refused: the law demands the answer, and no exemption or advice is named.
    """
    if not reason.strip():
        raise BadInput("the reason is empty; whoever asked is told it")
    if request.purpose in STATUTORY and not advice.strip():
        raise Refused(
            f"{request.purpose} serves a duty in law: to refuse or narrow it, name the exemption you rely on, or the "
            "data protection officer's advice",
            clause=request.clause,
        )
    return f"{reason.strip()}\nExemption or advice: {advice.strip()}" if advice.strip() else reason.strip()


def _recorded_ask(office: Office, drafted: Draft, request: PermitRequest, key: bytes) -> Permit:
    text = askings.text_of(request)
    if key:
        rooms.write_room(office.home, request, text, drafted.counts.selection, key)
    act = Act(
        format=ACT_FORMAT,
        act=Doing.ASK,
        number=request.number,
        revision=request.revision,
        by=request.requester.id,
        at_ms=office.now_ms(),
        request=text,
    )
    return office.record(None, act)


def _act(office: Office, doing: Doing, standing: Standing, by: str, **texts: object) -> Act:
    return Act(
        format=ACT_FORMAT,
        act=doing,
        number=standing.number,
        revision=standing.revision,
        by=by,
        at_ms=office.now_ms(),
        **texts,  # type: ignore[arg-type]
    )


def _require_own_parent(asking: Asking, parent: Standing | None) -> None:
    if parent is not None and parent.request.requester.id != str(asking.requester.pk):
        raise Refused(
            f"permit {parent.number} is not yours; who asked for it can go on from it", clause="R-5.3-k"
        )


def _require_fits(
    request: PermitRequest, text: str, document: SignedApproval, approval: Approval, now_ms: int
) -> None:
    """Return when an approval is for exactly this request, and was signed just now.

    Raises:
        Conflict: it is not.
    """
    is_exemption = request.kind == purposes.EXEMPTION
    hashes = (permit_text.digest(text), request.selection_sha256)
    if (approval.request_sha256, approval.selection_sha256) != hashes or approval.origin != request.origin:
        raise Conflict(
            f"the approval is for another text of request {request.number}: what the officer saw is not what stands "
            "here. Open the request again; nothing was approved"
        )
    if is_exemption != (not approval.release_sha256) or is_exemption != (not document.release):
        raise BadInput("an approval of a look comes with its keys, that of an exemption without")
    if approval.ends_ms != approval.decided_ms + request.days * DAY_MS:
        raise Conflict(
            f"the approval ends on another day than the {request.days} days asked for; decide again"
        )
    if abs(approval.decided_ms - now_ms) > DAY_MS:
        when = moment_of(approval.decided_ms)
        raise Conflict(
            f"the approval was signed on {when:%d %B %Y at %H:%M} UTC, which is more than a day from now: set the "
            "clock of the machine that signs, and decide again"
        )
