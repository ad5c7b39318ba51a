"""What the record's acts say of each permit: the truth that the rows of the console's database only repeat.

An act that could not have been done (out of order, not readable, of an older revision, an approval that no officer's
key signed) changes nothing and is a finding: whoever can write to the recorder's socket cannot make a permit stand
better than the rules allow.
Source: R-5.2-f; docs/formats/permit.md, "In the record".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import Lock

from muniment.permit.act import Act, parse_act
from muniment.permit.signers import Signers, require_signed, signers_of
from muniment.permit.state import OPEN, Doing, State, follow
from muniment.policy.errors import BadInput, Conflict, Missing
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.open_entries import OpenEntry, catalogue_of, read_open
from muniment.record.permit_text import Approval, PermitRequest, digest, parse_approval, parse_request


@dataclass(frozen=True)
class Event:
    """An act and its place in the record; `index` is -1 for one that is about to be recorded."""

    act: Act
    index: int = -1
    sequence: int = 0
    captured_ms: int = 0

    @property
    def number(self) -> str:
        """Return the number of the entry that people quote."""
        return Stream.PERMITS.number(self.sequence)


@dataclass(frozen=True)
class Delay:
    """An order that the people looked at are told later; `ended_ms` is when it was taken back, None if it was not."""

    until_ms: int
    ground: str
    reason: str
    by: str
    at_ms: int
    ended_ms: int | None = None

    def holds_at(self, now_ms: int) -> bool:
        """Tell whether the notice still waits."""
        return self.ended_ms is None and now_ms < self.until_ms


@dataclass(frozen=True)
class Standing:
    """How a permit stands by the record: the newest text of its request, its state, and every act in order."""

    number: str
    state: State
    request: PermitRequest
    text: str
    events: tuple[Event, ...]
    approval: Approval | None = None
    delays: tuple[Delay, ...] = ()

    @property
    def revision(self) -> int:
        """Return the newest revision."""
        return self.request.revision

    @property
    def first(self) -> Act:
        """Return the act with which it was asked for."""
        return self.events[0].act

    @property
    def asked_ms(self) -> int:
        """Return since when the newest request waits for an answer."""
        asked = [event for event in self.events if event.act.act in (Doing.ASK, Doing.NARROW)]
        return asked[-1].act.at_ms

    @property
    def decision(self) -> Act | None:
        """Return the act that approved, refused or withdrew it, None while it is open."""
        deciding = (Doing.APPROVE, Doing.REFUSE, Doing.WITHDRAW)
        return next((event.act for event in self.events if event.act.act in deciding), None)

    @property
    def signature(self) -> bytes:
        """Return the approval's signature, empty when there is none."""
        decision = self.decision
        return decision.signature if decision else b""

    def delay_at(self, now_ms: int) -> Delay | None:
        """Return the order that delays the notice at a moment, None when the people looked at may be told."""
        return next((delay for delay in self.delays if delay.holds_at(now_ms)), None)

    def is_in_force(self, now_ms: int) -> bool:
        """Tell whether it opens anything at a moment."""
        return self.state is State.APPROVED and self.approval is not None and now_ms < self.approval.ends_ms


@dataclass
class History:
    """Every permit of a record by number, and what of the stream could not be taken for an act.

    `away` holds until when each officer said last to be away, in milliseconds. Signatures of approvals are looked at
    when `signers` can say whose keys are whose.
    """

    permits: dict[str, Standing] = field(default_factory=dict)
    away: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    signers: Callable[[], Signers] | None = None

    def take(self, entry: OpenEntry) -> None:
        """Take one entry of the stream; one that cannot be becomes a finding."""
        try:
            event = Event(parse_act(entry.plain), entry.index, entry.sequence, entry.captured_ms)
            if event.act.act is Doing.APPROVE and self.signers is not None:
                require_signed(event.act, self.signers())
            if event.act.act is Doing.AWAY:
                self.away[event.act.officer] = event.act.until_ms
            else:
                self.permits[event.act.number] = step(self.permits.get(event.act.number), event)
        except (BadInput, Conflict) as error:
            self.findings.append(f"permits/{entry.sequence}: {error}")

    def away_at(self, now_ms: int) -> frozenset[str]:
        """Return the ids of the officers who are away at a moment."""
        return frozenset(officer for officer, until_ms in self.away.items() if now_ms < until_ms)

    def permit(self, number: str) -> Standing:
        """Return one permit.

        Raises:
            Missing: the record holds none of that number.
        """
        found = self.permits.get(number)
        if found is None:
            raise Missing(
                f"the record holds no permit {number[:20]!r}; `muniment permit list` names them all"
            )
        return found


@dataclass
class _Followed:
    """The history of one record as far as this process has read it; the stream only grows."""

    home: Home
    history: History = field(default_factory=History)
    last: int = 0
    signers: Signers | None = None
    lock: Lock = field(default_factory=Lock)

    def follow(self) -> History:
        """Take what was recorded since, and return a copy that the caller may keep."""
        with self.lock:
            self.signers = None
            self.history.signers = self._stated
            for entry in read_open(self.home, Stream.PERMITS, self.last):
                self.history.take(entry)
                self.last = entry.sequence
            history = self.history
            return History(dict(history.permits), dict(history.away), list(history.findings))

    def _stated(self) -> Signers:
        """Return the officers' keys, read once for all approvals that are new."""
        if self.signers is None:
            self.signers = signers_of(self.home)
        return self.signers


@lru_cache(maxsize=4)
def _followed(home: Home, catalogue: tuple[int, int]) -> _Followed:
    return _Followed(home)


def read_history(home: Home) -> History:
    """Return what the record of a home says of its permits now; a process reads each act once.

    Raises:
        Unavailable: there is no catalogue. Tampered: other bytes stand where an act should.
    """
    return _followed(home, catalogue_of(home)).follow()


def replay(entries: Iterable[OpenEntry]) -> History:
    """Return what the entries of the stream `permits` say, in their order."""
    history = History()
    for entry in entries:
        history.take(entry)
    return history


def step(standing: Standing | None, event: Event) -> Standing:
    """Return how a permit stands after one more act.

    Raises:
        Conflict: the act cannot follow. BadInput: a text in it cannot be read, or is another permit's.
    """
    act = event.act
    state = follow(standing.state if standing else None, act.act)
    if standing is None:
        text, request = act.request, _request_of(act)
        return Standing(act.number, state, request, text, (event,))
    expected = standing.revision + (act.act is Doing.NARROW)
    if act.revision != expected:
        raise Conflict(
            f"permit {act.number} stands at revision {standing.revision}, and this is about revision {act.revision}: "
            "look at it again"
        )
    after = replace(standing, state=state, events=(*standing.events, event))
    if act.act is Doing.NARROW:
        return replace(after, request=_request_of(act), text=act.request)
    if act.act is Doing.APPROVE:
        return replace(after, approval=_approval_of(act, standing))
    if act.act is Doing.DELAY:
        made = Delay(act.until_ms, act.ground, act.reason, act.by, act.at_ms)
        return replace(after, delays=(*standing.delays, made))
    if act.act is Doing.END_DELAY:
        return replace(after, delays=tuple(_ended(delay, act.at_ms) for delay in standing.delays))
    return after


def _ended(delay: Delay, at_ms: int) -> Delay:
    return replace(delay, ended_ms=at_ms) if delay.ended_ms is None else delay


def _request_of(act: Act) -> PermitRequest:
    request = parse_request(act.request)
    if (request.number, request.revision) != (act.number, act.revision):
        raise BadInput(f"the request within is permit {request.number}, revision {request.revision}")
    return request


def _approval_of(act: Act, standing: Standing) -> Approval:
    approval = parse_approval(act.approval)
    request = standing.request
    named = (approval.origin, approval.number, approval.revision, approval.officer)
    if named != (request.origin, request.number, request.revision, act.by):
        raise BadInput(f"the approval within is for permit {approval.number}, revision {approval.revision}")
    if approval.request_sha256 != digest(standing.text):
        raise BadInput("the approval is for another text of the request")
    return approval


def next_number(history: History, year: int) -> str:
    """Return the number of the next permit that is asked for in a year, for instance `2026-003`."""
    taken = [int(number.partition("-")[2]) for number in history.permits if number.startswith(f"{year}-")]
    return f"{year}-{max(taken, default=0) + 1:03}"


def renewed_of(history: History) -> frozenset[str]:
    """Return the numbers of permits that a later look renews; a second reason for what is private renews nothing."""
    looks = (each.request for each in history.permits.values() if each.request.kind == "look")
    return frozenset(request.parent for request in looks if request.parent)


def waiting(history: History) -> list[Standing]:
    """Return the requests that wait for an officer, the oldest first."""
    found = [standing for standing in history.permits.values() if standing.state in OPEN]
    return sorted(found, key=lambda standing: standing.asked_ms)
