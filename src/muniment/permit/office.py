"""Where permits are kept: the home, its policy file, the recorder, the time. What every act on a permit needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from muniment.permit.act import Act, entry_of
from muniment.permit.conflict import Standing as Stand
from muniment.permit.conflict import standings
from muniment.permit.deciders import deciders_of
from muniment.permit.models import Permit
from muniment.permit.replay import Event, History, Standing, read_history, step
from muniment.permit.rows import store
from muniment.permit.signers import require_signed, signers_of
from muniment.permit.state import Doing
from muniment.permit.windows import moment_of
from muniment.policy.errors import Conflict
from muniment.policy.policyfile import PolicyFile, load
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.opening import clock_ms, origin_of
from muniment.record.selection import Query


@dataclass(frozen=True)
class Counts:
    """What a request would open: the selection, exact counts for the officer, and the checkpoint they hold at."""

    selection: bytes = b""
    entries: int = 0
    shielded: int = 0
    by_week: tuple[tuple[int, int], ...] = ()
    by_address: tuple[tuple[str, int], ...] = ()
    size: int = 0
    root: bytes = bytes(32)


@dataclass(frozen=True)
class Office:
    """One home's permits, open for acts."""

    home: Home
    policy: PolicyFile
    recorder: Recorder
    now_ms: Callable[[], int] = clock_ms

    @property
    def origin(self) -> str:
        """Return the record's name."""
        return origin_of(self.policy)

    def count(self, query: Query) -> Counts:
        """Return what a query would open."""
        found = self.recorder.select(query)
        return Counts(
            selection=found.selection,
            entries=found.entries,
            shielded=found.shielded,
            by_week=found.by_week,
            by_address=found.by_address,
            size=found.size,
            root=found.root,
        )

    def history(self) -> History:
        """Return what the record says of every permit."""
        return read_history(self.home)

    def stands(self, standing: Standing) -> tuple[Stand, ...]:
        """Return how each officer stands to a request now."""
        now_ms = self.now_ms()
        deciders = deciders_of(self.policy, moment_of(now_ms), self.history().away_at(now_ms))
        return standings(standing.request, deciders, standing.asked_ms, now_ms)

    def record(self, standing: Standing | None, act: Act) -> Permit:
        """Record an act, then write its row; call it within `rows.alone`.

        Raises:
            Conflict: the act cannot follow; nothing is recorded. Unavailable: it may not be recorded; look again.
        """
        if act.act is Doing.APPROVE:
            require_signed(act, signers_of(self.home))
        step(standing, Event(act))
        [receipt] = self.recorder.append([entry_of(act)])
        event = Event(act, receipt.index, receipt.sequence, receipt.captured_ms)
        return store(step(standing, event))


@contextmanager
def open_office(home: Home, now_ms: Callable[[], int] = clock_ms) -> Iterator[Office]:
    """Open the permits of a home while the block runs.

    Raises:
        Unavailable: the recorder does not answer.
    """
    with Recorder(home.socket) as recorder:
        yield Office(home, load(home.policy_file), recorder, now_ms)


def standing_of(office: Office, number: str, revision: int | None = None) -> Standing:
    """Return a permit as the record has it now.

    Raises:
        Missing: there is none. Conflict: it was narrowed since, and `revision` is what somebody was looking at.
    """
    standing = office.history().permit(number)
    if revision is not None and revision != standing.revision:
        raise Conflict(
            f"permit {number} was narrowed meanwhile: you were looking at revision {revision}, it stands at "
            f"{standing.revision}. Look at it again"
        )
    return standing
