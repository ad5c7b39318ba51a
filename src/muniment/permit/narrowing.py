"""Narrowing a request before it is decided: fewer people, less time, fewer streams, less deep, fewer days. Never more.

What a narrowed request opens is part of what the request before it opened, entry by entry, whatever was recorded
meanwhile. It is a new text with the next revision; an approval of the one before fits it no longer.
Source: R-5.0-a, R-5.2-f.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from muniment.permit import rooms
from muniment.permit.act import Act
from muniment.permit.acts import with_advice
from muniment.permit.asking import counted, query_of, text_of
from muniment.permit.conflict import require_decider
from muniment.permit.models import Permit
from muniment.permit.office import Office, standing_of
from muniment.permit.purposes import EXEMPTION
from muniment.permit.rows import alone
from muniment.permit.state import Doing, follow
from muniment.policy.errors import BadInput
from muniment.record.permit_selection import BYTES_ONLY, CONTENT, META, Item, pack_selection, parse_selection
from muniment.record.permit_text import ACT_FORMAT, PermitRequest


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """What to keep of a request; None keeps all of it. `people` are pseudonyms; times are milliseconds since 1970."""

    people: tuple[str, ...] | None = None
    addresses: tuple[str, ...] | None = None
    sites: tuple[str, ...] | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    streams: tuple[str, ...] | None = None
    depth: str | None = None
    days: int | None = None


def narrow(
    office: Office,
    number: str,
    revision: int,
    by: str,
    narrowing: Narrowing,
    reason: str,
    *,
    advice: str = "",
) -> Permit:
    """Narrow a request that waits; `by` is who asked for it (a pseudonym) or an officer who may decide it.

    Raises:
        BadInput: it would be no narrower, or nothing would be left. Refused: it is neither's to narrow.
        Conflict: it was narrowed or decided meanwhile.
    """
    with alone():
        standing = standing_of(office, number, revision)
        follow(standing.state, Doing.NARROW)
        if by == standing.request.requester.id:
            told = reason.strip()
        else:
            require_decider(office.stands(standing), by)
            told = with_advice(standing.request, reason, advice)
        request, selection = count_narrowed(office, standing.request, narrowing)
        text = text_of(request)
        if request.windows:
            key = rooms.read_key(office.home, number, revision)
            rooms.write_room(office.home, request, text, selection, key)
        act = Act(
            format=ACT_FORMAT,
            act=Doing.NARROW,
            number=number,
            revision=request.revision,
            by=by,
            at_ms=office.now_ms(),
            request=text,
            reason=told,
        )
        return office.record(standing, act)


def narrowed(request: PermitRequest, narrowing: Narrowing) -> PermitRequest:
    """Return the parts of a request that are kept, not yet counted anew; its revision is the next.

    Raises:
        BadInput: something would be more than it was, nothing would be left, or nothing changes.
    """
    windows = tuple(
        window
        for window in request.windows
        if (narrowing.addresses is None or window.address in narrowing.addresses)
        and (narrowing.people is None or not window.person or window.person in narrowing.people)
    )
    kept = {window.person for window in windows}
    made = msgspec.structs.replace(
        request,
        windows=windows,
        subjects=tuple(subject for subject in request.subjects if subject.id in kept),
        sites=_part("site", request.sites, narrowing.sites),
        streams=_part("stream", request.streams, narrowing.streams),
        from_ms=_within(request.from_ms, narrowing.from_ms, is_floor=True),
        until_ms=_within(request.until_ms, narrowing.until_ms, is_floor=False),
        days=_within(request.days, narrowing.days, is_floor=False),
        depth=_depth(request, narrowing.depth),
    )
    if made == request:
        raise BadInput("nothing would be narrower than it is; leave out people, time, streams, depth or days")
    if (request.kind == EXEMPTION and not made.sites) or (request.kind != EXEMPTION and not made.windows):
        raise BadInput("nothing would be left of the request; refuse it instead, and say why")
    return msgspec.structs.replace(made, revision=request.revision + 1)


def count_narrowed(
    office: Office, request: PermitRequest, narrowing: Narrowing
) -> tuple[PermitRequest, bytes]:
    """Return the narrowed request, counted at the checkpoint of the one before, and its selection.

    Nothing is recorded. Raises: as `narrowed`; Missing, Tampered: the entries before are not those named.
    """
    made = narrowed(request, narrowing)
    if not made.windows:
        return made, b""
    before = parse_selection(rooms.read_selection(office.home, request))
    counts = office.count(query_of(made, request.checkpoint.size))
    items = common(before, parse_selection(counts.selection))
    selection = pack_selection(items)
    checkpoint = request.checkpoint
    told = replace(
        counts,
        selection=selection,
        entries=sum(not item.is_bytes_only for item in items),
        size=checkpoint.size,
        root=checkpoint.root,
    )
    return counted(made, told), selection


def common(before: Iterable[Item], after: Iterable[Item]) -> list[Item]:
    """Return what is in both selections, each entry only as deep as both have it."""
    known = {item.idx: item for item in before}
    found = []
    for item in after:
        earlier = known.get(item.idx)
        sections = _shared(earlier.sections, item.sections) if earlier else 0
        if earlier and sections and earlier[:4] == item[:4]:
            found.append(item._replace(sections=sections))
    return found


def _shared(before: int, after: int) -> int:
    """Return the sections that both open; an entry that either has for its bytes only stays so."""
    both = before & after & (META | CONTENT)
    if (before | after) & BYTES_ONLY:
        return CONTENT | BYTES_ONLY if both & CONTENT else 0
    return both


def _part(what: str, before: tuple[str, ...], kept: tuple[str, ...] | None) -> tuple[str, ...]:
    if kept is None:
        return before
    if surplus := sorted(set(kept) - set(before)):
        raise BadInput(f"the {what} {surplus[0][:60]!r} was not asked for; narrowing only leaves out")
    return tuple(each for each in before if each in kept)


def _within(before: int, after: int | None, *, is_floor: bool) -> int:
    if after is None:
        return before
    if after < before if is_floor else after > before:
        raise BadInput(
            "a time or a number of days would be more than was asked for; narrowing only takes away"
        )
    return after


def _depth(request: PermitRequest, depth: str | None) -> str:
    if depth is None or depth == request.depth:
        return request.depth
    if depth != "envelope":
        raise BadInput("the envelope was asked for, and content would be more; narrowing only takes away")
    return depth
