"""When the recorder gives its share of the entries of a permit: only by what the record itself says.

The rules are those of docs/formats/permit.md, "What the recorder releases", in their order and numbers. Nothing here
asks a database, and whoever asks has no say. Source: R-5.2-f, R-5.2-g.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from muniment.policy.errors import Refused
from muniment.record.inquiry.permit_acts import ASKING, CLOSING, NotedAct
from muniment.record.line import normalise
from muniment.record.officers import OfficerSet
from muniment.record.permit_selection import Item, parse_selection
from muniment.record.permit_text import (
    DAY_MS,
    MOST_DAYS,
    Approval,
    PermitRequest,
    digest,
    parse_approval,
    parse_request,
    verify_signature,
)
from muniment.record.selection import Query, Window

_CLAUSE, _CONFLICT = "R-5.2-f", "R-5.2-g"


@dataclass(frozen=True)
class Claim:
    """What somebody brings: the exact texts, the signature, and the hash of the selection's bytes."""

    request: str
    approval: str
    signature: bytes
    selection_sha256: str


@dataclass(frozen=True)
class Standing:
    """What the record says: its name, the officers stated last and their addresses, acts on the number, its time."""

    origin: str
    officers: OfficerSet
    addresses: Mapping[str, str]
    acts: Sequence[NotedAct]
    now_ms: int


def number_of(claim: Claim) -> str:
    """Return the permit's number that a claim names. Raises: BadInput when its request is none."""
    return parse_request(claim.request).number


def require_release(claim: Claim, standing: Standing) -> PermitRequest:
    """Return the request when the record bears out that its entries may be opened now.

    Raises:
        BadInput: a text is none of a permit. Refused: a rule says no; the message says which and what to do.
    """
    request, approval = parse_request(claim.request), parse_approval(claim.approval)
    _require_look(request, approval)
    _require_texts(claim, request, approval, standing)
    approved = _require_officer(claim, approval, standing)
    _require_in_force(claim, request, approval, approved, standing)
    _require_no_conflict(request, approval, standing)
    return request


def query_of(request: PermitRequest) -> Query:
    """Return the question to the catalogue that a request's own words are."""
    return Query(
        windows=tuple(Window(w.address, w.start_ms, w.end_ms) for w in request.windows),
        from_ms=request.from_ms,
        until_ms=request.until_ms,
        streams=request.streams,
        size=request.checkpoint.size,
        depth=request.depth,
        is_shielded=request.kind == "shielded",
    )


def require_within(selection: bytes, found: bytes, is_destroyed: Callable[[Item], bool]) -> None:
    """Return when a selection opens nothing but what the words of its request select (`found`), rule 5.

    Entries whose keys were destroyed since (`is_destroyed`) select nothing any more, and release nothing. Entries that
    hold bytes only are looked at when they are released.
    Raises:
        Refused: it opens more than the officer was told.
    """
    if selection == found:
        return
    allowed = {item[:4]: item.sections for item in parse_selection(found)}
    for item in parse_selection(selection):
        is_surplus = bool(item.sections & ~allowed.get(item[:4], 0)) and not item.is_bytes_only
        if is_surplus and not is_destroyed(item):
            raise Refused(
                f"the selection opens entry {item.idx}, which the words of the request do not cover: the officer "
                "was shown another permit than she was given. Nothing is released; tell the officer",
                clause=_CLAUSE,
            )


def _require_look(request: PermitRequest, approval: Approval) -> None:
    if request.kind == "exemption" or not approval.release_sha256:
        raise Refused(
            "an exemption lets somebody visit sites; it opens nothing of the record. Ask for a permit to look",
            clause=_CLAUSE,
        )


def _require_texts(claim: Claim, request: PermitRequest, approval: Approval, standing: Standing) -> None:
    """Rule 1: one request, one selection, one record, and nothing asked for since."""
    hashes = (approval.request_sha256, approval.selection_sha256, request.selection_sha256)
    if hashes != (digest(claim.request), claim.selection_sha256, claim.selection_sha256):
        raise Refused(
            "the request or the selection is not the one that was approved: something was altered after the officer "
            "signed. Take both from the room's folder of this revision, or ask again",
            clause=_CLAUSE,
        )
    named = {(text.origin, text.number, text.revision) for text in (request, approval)}
    if named != {(standing.origin, request.number, request.revision)}:
        raise Refused(
            f"the permit is one of another record or number; this record is {standing.origin}. Ask for a permit here",
            clause=_CLAUSE,
        )
    asked = [act for act in standing.acts if act.act in ASKING]
    if not asked or asked[-1].text_sha256 != digest(claim.request):
        raise Refused(
            f"the record does not hold this request as the newest of permit {request.number}: it was narrowed "
            "since, or never asked. Use the newest revision, or ask for a permit",
            clause=_CLAUSE,
        )


def _require_officer(claim: Claim, approval: Approval, standing: Standing) -> NotedAct:
    """Rule 2: an officer of today signed it, and the record holds it; return the entry that did so first."""
    signing_key = standing.officers.signing_keys.get(approval.officer)
    if signing_key is None:
        raise Refused(
            f"{approval.officer[:40]!r} is no officer of this record now; an officer must decide again",
            clause=_CLAUSE,
        )
    verify_signature(claim.approval, claim.signature, signing_key)
    held = (digest(claim.approval), claim.signature)
    approved = [a for a in standing.acts if a.act == "approve" and (a.text_sha256, a.signature) == held]
    if not approved:
        raise Refused(
            f"the record does not hold this approval of permit {approval.number}; hand it in on the permit's page",
            clause=_CLAUSE,
        )
    return approved[0]


def _require_in_force(
    claim: Claim, request: PermitRequest, approval: Approval, approved: NotedAct, standing: Standing
) -> None:
    """Rule 3: nothing ended it, and its time is neither over nor longer than a permit may last.

    What counts is what came after the request was first asked: asking or approving again revives nothing.
    """
    first = next(act.idx for act in standing.acts if act.text_sha256 == approval.request_sha256)
    closing = [act for act in standing.acts if act.act in CLOSING and act.idx > first]
    if closing:
        raise Refused(
            f"permit {request.number} is over: the record holds its {closing[0].act}. Ask for a new one",
            clause=_CLAUSE,
        )
    if approval.ends_ms - approval.decided_ms != request.days * DAY_MS or request.days > MOST_DAYS:
        raise Refused(
            f"permit {request.number} asks for {request.days} days and was approved for another time; "
            "an officer must decide again",
            clause=_CLAUSE,
        )
    if abs(approval.decided_ms - approved.captured_ms) > DAY_MS:
        raise Refused(
            "the approval says it was decided more than a day before or after it was recorded; "
            "set the officer's clock right and let her decide again",
            clause=_CLAUSE,
        )
    if standing.now_ms >= approval.ends_ms:
        raise Refused(f"permit {request.number} has ended by itself. Ask for its renewal", clause=_CLAUSE)


def _require_no_conflict(request: PermitRequest, approval: Approval, standing: Standing) -> None:
    """Rule 4: nobody decides about a request of their own, or about their own mail."""
    own = normalise(standing.addresses.get(approval.officer, ""))
    asking = {normalise(address) for address in request.requester.addresses}
    looked_at = {normalise(window.address) for window in request.windows}
    if not own or own in asking | looked_at:
        raise Refused(
            f"{approval.officer} asks for this permit or is looked at by it, and cannot approve it; "
            "another officer, or the alternate, decides",
            clause=_CONFLICT,
        )
