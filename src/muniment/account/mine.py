"""What My record says to one person: who looked, what is kept, what left with their address. Pure.

Source: requirements 2.1 (staff member); DESIGN, "Notice"; R-4.1-f ("was it me?").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from muniment.account.looked import CLASS_WORDS, purpose_class, told_of
from muniment.account.record_state import in_bytes
from muniment.account.streams import StreamState
from muniment.account.trail import Placed
from muniment.account.wording import counted, day, long_day
from muniment.people.moment import in_clock, local
from muniment.people.role import Role
from muniment.permit.looked import Look
from muniment.permit.replay import Standing
from muniment.policy.officer import Officer

MONTH_DAYS = 31
_DIRECTIONS = {"inbound": "Came in", "outbound": "Left", "internal": "Between us", "none": ""}
_CAPTURES = {"wire": "as it passed", "journal": "from the journal", "import": "imported"}
GROUND_WORDS = {
    "not-mine": "It is not mine: I did not send or receive it",
    "private": "It is private and should not be looked at",
    "look": "I want to know why somebody looked",
    "wrong": "Something else about it is wrong",
}


@dataclass(frozen=True)
class LookLine:
    """The looks under one permit as their subject learns of them."""

    permit: str
    when: str
    who: str
    what: str
    why: str
    officer: str
    until: str
    delayed: str
    last_ms: int


@dataclass(frozen=True)
class Listed:
    """One entry with an address of the person, as the recorder lists it: no content exists there."""

    index: int
    number: str
    at_ms: int
    direction: str
    size: int
    is_shielded: bool
    capture: str

    @property
    def stream(self) -> str:
        """Return the stream it came by."""
        return self.number.rpartition("/")[0]


@dataclass(frozen=True)
class MailLine:
    """One message as its person sees it listed."""

    index: int
    number: str
    day: str
    when: str
    direction: str
    size: str
    capture: str
    is_shielded: bool
    is_marked: bool
    is_disputed: bool


@dataclass(frozen=True)
class KeptLine:
    """One stream and what it holds about the person."""

    state: StreamState
    count: str


@dataclass(frozen=True)
class SaidLine:
    """A dispute of the person's own and what became of it."""

    number: str
    when: str
    ground: str
    about: str
    text: str
    answer: str


def holds(permit: Standing, person: str) -> bool:
    """Tell whether an address a permit covers was that person's."""
    return any(window.person == person for window in permit.request.windows)


def needs_listing(permit: Standing, person: str) -> bool:
    """Tell whether the permit covers others too, so that an opened entry may have nothing of this person."""
    return any(window.person != person for window in permit.request.windows)


def look_lines(
    person: str,
    permits: Iterable[Standing],
    looks: Mapping[str, Sequence[Look]],
    entries_of: Callable[[Standing], Set[int] | None],
    officers: Mapping[str, Officer],
    now_ms: int,
) -> list[LookLine]:
    """Return what the person may know now of who looked, the newest first."""
    lines = []
    for permit in permits:
        if permit.approval is None or not looks.get(permit.number) or not holds(permit, person):
            continue
        told = told_of(looks[permit.number], entries_of(permit), permit.delays, now_ms)
        if told is None:
            continue
        officer = officers.get(permit.approval.officer)
        name = f"{officer.name}, {Role(officer.role.value).label}" if officer else permit.approval.officer
        first, last = local(told.first_ms).date(), local(told.last_ms).date()
        lines.append(
            LookLine(
                permit=permit.number,
                when=long_day(first) if first == last else f"{long_day(first)} to {long_day(last)}",
                who=" and ".join(told.roles) or "Somebody with the permit",
                what=counted(told.entries, "message"),
                why=CLASS_WORDS[purpose_class(permit.request.purpose)],
                officer=name,
                until=_until(permit, now_ms),
                delayed=long_day(local(told.delayed_until_ms).date()) if told.delayed_until_ms else "",
                last_ms=told.last_ms,
            )
        )
    return sorted(lines, key=lambda line: line.last_ms, reverse=True)


def _until(permit: Standing, now_ms: int) -> str:
    if permit.approval is not None and permit.is_in_force(now_ms):
        return f"It ends on {long_day(local(permit.approval.ends_ms).date())}."
    return "It is over."


def mail_lines(
    rows: Iterable[Listed], marked: Set[int], disputed: Set[int], now_ms: int
) -> Iterator[MailLine]:
    """Yield the person's messages as a table shows them."""
    today = local(now_ms).date()
    for row in rows:
        at = local(row.at_ms)
        yield MailLine(
            index=row.index,
            number=row.number,
            day=at.date().isoformat(),
            when=f"{day(at.date(), today)}, {in_clock(at)}",
            direction=_DIRECTIONS.get(row.direction, row.direction),
            size=in_bytes(row.size),
            capture=_CAPTURES.get(row.capture, row.capture),
            is_shielded=row.is_shielded,
            is_marked=row.index in marked,
            is_disputed=row.index in disputed,
        )


def kept_lines(states: Iterable[StreamState], rows: Iterable[Listed]) -> list[KeptLine]:
    """Return what each stream of the register kept of the person in the month that was listed."""
    counts = Counter(row.stream for row in rows)
    return [
        KeptLine(state, f"{counts[state.name]:,}" if state.row and not state.is_refused else "0")
        for state in states
        if state.row is not None
    ]


def said_lines(disputes: Iterable[Placed], answers: Mapping[int, tuple[int, str]]) -> list[SaidLine]:
    """Return the disputes, the newest first; an answer comes with its day."""
    lines = []
    for placed in disputes:
        at_ms, text = answers.get(placed.index, (0, ""))
        said = placed.dispute
        about = f"the looks under permit {said.permit}" if said.permit else f"entry {said.entry:,}"
        lines.append(
            SaidLine(
                number=placed.number,
                when=long_day(local(placed.at_ms).date()),
                ground=GROUND_WORDS[said.ground],
                about=about,
                text=said.text,
                answer=f"{long_day(local(at_ms).date())}: {text}" if text else "",
            )
        )
    return lines[::-1]


def looks_in_words(lines: Sequence[LookLine]) -> str:
    """Return how many permits looked, for the mark beside the heading."""
    if not lines:
        return "Nobody, as far as you may know today"
    return f"Under {counted(len(lines), 'permit')}"
