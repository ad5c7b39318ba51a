"""What the record says of permits, looks, disclosures, notices, marks and disputes, read once and then followed.

Each process of the console keeps one trail a home and reads only what has been added since. Everything here is open in
the record; none of it is what people wrote.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from muniment.account.notice_text import Answer, Dispute, Mailed, Mark, Notice, parse
from muniment.permit.looked import Look, look_of
from muniment.permit.replay import History, read_history
from muniment.policy.errors import BadInput, Conflict
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.open_entries import OpenEntry, catalogue_of, read_open

NEWEST = 2000
MOST_MARKS = 200
MOST_DISPUTES = 20
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Placed:
    """A dispute and its place in the record."""

    index: int
    number: str
    at_ms: int
    dispute: Dispute


@dataclass
class Trail:
    """Everything read so far; `refresh` reads on. Approvals whose signature does not fit are findings of `history`."""

    home: Home
    history: History = field(default_factory=History)
    looks: dict[str, list[Look]] = field(default_factory=lambda: defaultdict(list))
    acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    newest: deque[Look] = field(default_factory=lambda: deque(maxlen=NEWEST))
    notices: list[tuple[int, Notice]] = field(default_factory=list)
    mailed: set[int] = field(default_factory=set)
    marks: dict[tuple[str, int], bool] = field(default_factory=dict)
    marked_at: dict[str, deque[int]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=MOST_MARKS))
    )
    disputes: list[Placed] = field(default_factory=list)
    answers: dict[int, tuple[int, Answer]] = field(default_factory=dict)
    unreadable: Counter[str] = field(default_factory=Counter)
    _after: Counter[Stream] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> Trail:
        """Read what was recorded since the last time and return this trail.

        Raises:
            Unavailable, Tampered: the record's files cannot be read.
        """
        takers = {
            Stream.LOOKS: self._take_look,
            Stream.DISCLOSURES: self._take_look,
            Stream.NOTICES: self._take_notice,
        }
        with self._lock:
            self.history = read_history(self.home)
            for stream, take in takers.items():
                for entry in read_open(self.home, stream, after=self._after[stream]):
                    self._after[stream] = entry.sequence
                    try:
                        take(entry)
                    except BadInput:
                        self.unreadable[stream.name.lower()] += 1
        return self

    def marked_by(self, person: str) -> frozenset[int]:
        """Return the entries a person has marked as private."""
        return frozenset(entry for (by, entry), is_on in self.marks.items() if by == person and is_on)

    def require_few(self, person: str, now_ms: int) -> None:
        """Return when a person may say one more thing: what is said is kept for ever, so that there is an end to it.

        Raises:
            Conflict: 200 marks within a day, or 20 disputes that nobody has answered.
        """
        waiting = sum(1 for placed in self.open_disputes() if placed.dispute.by == person)
        marked = self.marked_at[person]
        if waiting >= MOST_DISPUTES:
            raise Conflict(
                f"{waiting} disputes of yours wait for an answer; speak to the data protection officer"
            )
        if len(marked) == MOST_MARKS and now_ms - marked[0] < _DAY_MS:
            raise Conflict(f"you set or lifted {MOST_MARKS} marks within a day; go on tomorrow")

    def open_disputes(self) -> list[Placed]:
        """Return the disputes nobody has answered, the oldest first."""
        return [each for each in self.disputes if each.index not in self.answers]

    def notices_of(self, person: str) -> Iterator[Notice]:
        """Yield what a person was told, the oldest first."""
        return (notice for _, notice in self.notices if notice.person == person)

    def _take_look(self, entry: OpenEntry) -> None:
        look = look_of(entry)
        plain = look.plain
        self.acts[plain.permit, "disclosure" if look.is_disclosure else plain.act] += 1
        self.newest.append(look)
        if plain.shows_content:
            self.looks[plain.permit].append(look)

    def _take_notice(self, entry: OpenEntry) -> None:
        saying = parse(entry.plain)
        if isinstance(saying, Notice):
            self.notices.append((entry.index, saying))
        elif isinstance(saying, Mailed):
            self.mailed.add(saying.notice)
        elif isinstance(saying, Mark):
            self.marks[saying.by, saying.entry] = bool(saying.mark)
            self.marked_at[saying.by].append(entry.captured_ms)
        elif isinstance(saying, Dispute):
            number = Stream.NOTICES.number(entry.sequence)
            self.disputes.append(Placed(entry.index, number, entry.captured_ms, saying))
        else:
            self.answers[saying.dispute] = (entry.captured_ms, saying)


@lru_cache(maxsize=4)
def _trail(home: Home, catalogue: tuple[int, int]) -> Trail:
    return Trail(home)


def trail_of(home: Home) -> Trail:
    """Return the trail of a home, read up to now.

    Raises:
        Unavailable, Tampered: the record's files cannot be read.
    """
    return _trail(home, catalogue_of(home)).refresh()
