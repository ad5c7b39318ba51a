"""From what a person asks for to the request an officer reads: whose mail, which entries, how many.

Counting is not looking: whoever asks hears bands (`band.py`), and nothing here opens a seal.
Source: R-5.2-f, R-5.3-e to R-5.3-k; docs/formats/permit.md, "The request".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from muniment.people.models import Person
from muniment.people.permission import Permission, allows, roles_in_words
from muniment.people.register import addresses_of, at, roles_of
from muniment.people.role import Role, parse_role
from muniment.people.span import Span
from muniment.permit import purposes
from muniment.permit.deciders import officer_of
from muniment.permit.office import Counts, Office
from muniment.permit.replay import Standing
from muniment.permit.state import State
from muniment.permit.windows import moment_of, windows_of
from muniment.policy.errors import BadInput, Conflict, Refused
from muniment.policy.purpose import PURPOSES
from muniment.record.permit_text import (
    MOST_DAYS,
    NO_ROOM_KEY,
    PermitCheckpoint,
    PermitRequest,
    PermitWindow,
    Requester,
    Subject,
    encode,
    parse_request,
)
from muniment.record.selection import Query, Window

MAIL = ("mail-gateway", "mail-journal", "mail-import", "mail-refused")
USUAL_DAYS = 14
MOST_AHEAD_DAYS = 92
_EMPTY_ROOT = sha256(b"").digest()
_UNNUMBERED = "0000-000"


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What somebody asks for. Times are aware; `until` is exclusive, and later than now for "from now on".

    `addresses` are looked at beside those of `people`. A request for what is marked private (kind `shielded`) takes
    people, times, streams and depth from its `parent`; an exemption has `sites` and opens no entry.
    """

    requester: Person
    role: str
    purpose: str
    reason: str
    alternative: str
    start: datetime
    until: datetime
    kind: str = purposes.LOOK
    case: str = ""
    advice: str = ""
    people: tuple[Person, ...] = ()
    addresses: tuple[str, ...] = ()
    streams: tuple[str, ...] = MAIL
    depth: str = purposes.CONTENT
    readers: tuple[Person, ...] = ()
    days: int = USUAL_DAYS
    sites: tuple[str, ...] = ()
    parent: str = ""

    @property
    def plea(self) -> purposes.Plea:
        """Return the parts on which the purpose decides."""
        texts = (self.case, self.reason, self.alternative, self.advice, self.parent)
        return purposes.Plea(self.kind, self.purpose, self.depth, *texts)


@dataclass(frozen=True)
class Draft:
    """A request that lacks only its number and its room's key, with the entries it would open."""

    request: PermitRequest
    counts: Counts

    def numbered(self, number: str, room_key: bytes) -> PermitRequest:
        """Return the request that is recorded."""
        return msgspec.structs.replace(self.request, number=number, room_key=room_key)


def draft(office: Office, asking: Asking, parent: Standing | None = None) -> Draft:
    """Return the request that `asking` makes, counted at the newest checkpoint; nothing is recorded.

    Raises:
        BadInput: a part is empty or cannot be. Refused: the purpose does not allow it, or who asks has left.
    """
    now = moment_of(office.now_ms())
    purposes.require_allowed(asking.plea, [purpose.code for purpose in office.policy.purposes])
    _require_here(asking.requester, now)
    _require_role(office, asking, now)
    _require_times(asking, now)
    request = _request(office, asking, parent, now)
    if asking.kind == purposes.EXEMPTION:
        return Draft(request, Counts())
    if not request.windows:
        raise BadInput("nobody in the request has an address in that time; name people or addresses")
    counts = office.count(query_of(request))
    return Draft(counted(request, counts), counts)


def counted(request: PermitRequest, counts: Counts) -> PermitRequest:
    """Return the request with what was counted for it."""
    return msgspec.structs.replace(
        request,
        checkpoint=PermitCheckpoint(size=counts.size, root=counts.root),
        entries=counts.entries,
        shielded=counts.shielded,
        selection_sha256=sha256(counts.selection).hexdigest(),
    )


def text_of(request: PermitRequest) -> str:
    """Return the exact text of a request, as every reader of the format takes it.

    Raises:
        BadInput: it would be none; for instance, too long or not text.
    """
    try:
        text = encode(request)
    except UnicodeEncodeError:
        raise BadInput("the request holds characters that are not text; type it again") from None
    parse_request(text)
    return text


def query_of(request: PermitRequest, size: int | None = None) -> Query:
    """Return the question to the record that a request stands for, below ledger index `size`."""
    return Query(
        windows=tuple(Window(each.address, each.start_ms, each.end_ms) for each in request.windows),
        from_ms=request.from_ms,
        until_ms=request.until_ms,
        streams=request.streams,
        size=size,
        depth=request.depth,
        is_shielded=request.kind == purposes.SHIELDED,
    )


def _request(office: Office, asking: Asking, parent: Standing | None, now: datetime) -> PermitRequest:
    windows, subjects = _whose(asking, parent, now)
    inherits = parent.request if asking.kind == purposes.SHIELDED and parent else None
    clause = next(purpose.clause for purpose in PURPOSES if purpose.code == asking.purpose)
    is_exemption = asking.kind == purposes.EXEMPTION
    return PermitRequest(
        origin=office.origin,
        number=_UNNUMBERED,
        revision=1,
        kind=asking.kind,  # type: ignore[arg-type]
        requester=_requester(asking, now),
        readers=tuple(sorted({str(reader.pk) for reader in asking.readers})),
        subjects=subjects,
        windows=windows,
        purpose=asking.purpose,
        clause="R-5.2-e" if is_exemption else clause,
        case=asking.case.strip(),
        reason=asking.reason.strip(),
        alternative=asking.alternative.strip(),
        advice=asking.advice.strip(),
        from_ms=inherits.from_ms if inherits else _milliseconds(asking.start),
        until_ms=inherits.until_ms if inherits else _milliseconds(asking.until),
        streams=inherits.streams if inherits else () if is_exemption else asking.streams,
        depth=inherits.depth if inherits else asking.depth,  # type: ignore[arg-type]
        checkpoint=PermitCheckpoint(size=0, root=_EMPTY_ROOT),
        entries=0,
        shielded=0,
        selection_sha256=sha256(b"").hexdigest(),
        sites=tuple(sorted({site.strip().rstrip(".").lower() for site in asking.sites})),
        room_key=NO_ROOM_KEY,
        parent=asking.parent,
        drafted_ms=_milliseconds(now),
        days=asking.days,
    )


def _whose(
    asking: Asking, parent: Standing | None, now: datetime
) -> tuple[tuple[PermitWindow, ...], tuple[Subject, ...]]:
    """Return the windows and the subjects: frozen from the register now, or the parent's."""
    if asking.kind == purposes.EXEMPTION:
        return (), ()
    if asking.kind == purposes.SHIELDED:
        return _of_parent(asking, parent, now)
    windows, looked_at = windows_of(asking.people, asking.addresses, Span(asking.start, asking.until))
    return windows, tuple(Subject(id=str(person.pk), name=person.name) for person in looked_at)


def _of_parent(
    asking: Asking, parent: Standing | None, now: datetime
) -> tuple[tuple[PermitWindow, ...], tuple[Subject, ...]]:
    if parent is None or parent.state not in (State.APPROVED, State.ENDED):
        raise Conflict(
            f"permit {asking.parent!r} does not stand approved, so it has counted nothing that is private"
        )
    delay = parent.delay_at(_milliseconds(now))
    if delay is not None and delay.ground == "prejudice":
        raise Refused(
            f"the people looked at under permit {parent.number} are not told yet, and what is marked private is never "
            "read behind somebody's back; the officer who ordered the delay can end it",
            clause="R-5.3-c",
        )
    return parent.request.windows, parent.request.subjects


def _requester(asking: Asking, now: datetime) -> Requester:
    person = asking.requester
    return Requester(
        id=str(person.pk), name=person.name, role=asking.role, addresses=addresses_of(person, now)
    )


def _require_here(person: Person, now: datetime) -> None:
    if not Person.objects.filter(at(now), pk=person.pk).exists():
        raise Refused(
            f"{person.name} is not with the organisation now, so cannot ask; somebody else who needs to know can",
            clause="R-5.2-f",
        )


def roles_held(office: Office, person: Person, moment: datetime) -> frozenset[Role]:
    """Return the roles of a person at a moment, that of an officer of the policy file included."""
    officer = officer_of(office.policy, str(person.pk), moment)
    return roles_of(person, moment) | ({Role(officer.role.value)} if officer else frozenset())


def role_to_ask_in(office: Office, person: Person, kind: str, moment: datetime) -> str:
    """Return the first of a person's roles in which they may ask for a permit of that kind, empty when in none."""
    held = roles_held(office, person, moment)
    return next(
        (role.value for role in Role if role in held and allows(_permission(kind), frozenset({role}))), ""
    )


def _permission(kind: str) -> Permission:
    return Permission.ASK_EXEMPTION if kind == purposes.EXEMPTION else Permission.ASK_PERMIT


def _require_role(office: Office, asking: Asking, now: datetime) -> None:
    """Return when who asks holds the role in which they ask, and the role may."""
    role, permission = parse_role(asking.role), _permission(asking.kind)
    held = roles_held(office, asking.requester, now)
    if role is None or role not in held or not allows(permission, frozenset({role})):
        label = role.label if role else "nobody with a role"
        raise Refused(
            f"{asking.requester.name} cannot ask for this as {label}; {roles_in_words(permission)} can. Ask one of "
            "them, or the Office Manager, who keeps the list of people and roles",
            clause="R-5.2-f",
        )


def _require_times(asking: Asking, now: datetime) -> None:
    if not asking.start < asking.until:
        raise BadInput("the time asked for ends before it begins; put the earlier day first")
    if asking.until > now + timedelta(days=MOST_AHEAD_DAYS):
        raise BadInput(
            f"a request reaches at most {MOST_AHEAD_DAYS} days ahead, and is approved anew each week; ask for less"
        )
    if asking.kind != purposes.EXEMPTION and asking.start >= now:
        raise BadInput("nothing is recorded yet of the time asked for; begin it earlier")
    if not 1 <= asking.days <= MOST_DAYS:
        raise BadInput(f"a permit lasts 1 to {MOST_DAYS} days, found {asking.days}; it can be renewed")
    if bool(asking.sites) != (asking.kind == purposes.EXEMPTION):
        raise BadInput(
            "an exemption names its sites, and nothing else does; name host names such as news.example"
        )


def _milliseconds(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))
