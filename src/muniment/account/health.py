"""What IT Support's page says: streams, gaps, proof, processes, disk, backlog. Counts and times, no content. Pure.

There is nothing on this page that opens anything. Source: requirements 2.1 (IT Support); R-5.1-a.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muniment.account.completeness import Completeness, completeness_of
from muniment.account.record_state import RecordState, describe, in_bytes
from muniment.account.wording import counted

LOW_SHARE = 0.1


@dataclass(frozen=True)
class Process:
    """One process of this home: whether it answers, and what it says of itself."""

    name: str
    answers: bool
    says: str


@dataclass(frozen=True)
class Disk:
    """The room on the disk the record lies on."""

    used: int
    total: int

    @property
    def percent(self) -> int:
        """Return how much of it is used, in hundredths."""
        return round(100 * self.used / self.total) if self.total else 100

    @property
    def is_low(self) -> bool:
        """Tell whether less than a tenth is left."""
        return self.total - self.used < self.total * LOW_SHARE

    @property
    def words(self) -> str:
        """Return what is used of what there is."""
        return f"{in_bytes(self.used)} of {in_bytes(self.total)} used"


@dataclass(frozen=True)
class Backlog:
    """Work that is not done yet, and since when it could be."""

    what: str
    count: str
    is_late: bool


@dataclass(frozen=True)
class Health:
    """Everything the page shows beside the register of streams."""

    title: str
    state: RecordState | None
    completeness: Completeness | None
    silent: str
    processes: tuple[Process, ...]
    disk: Disk
    database: str
    backlog: tuple[Backlog, ...]


def health_of(
    status: Mapping[str, Any] | None,
    silent: str,
    processes: tuple[Process, ...],
    disk: Disk,
    database: str,
    backlog: tuple[Backlog, ...],
    now: datetime,
) -> Health:
    """Return the page of what was found; `status` is None when the recorder does not answer, and `silent` says why."""
    state = describe(status, now) if status is not None else None
    completeness = completeness_of(status, now) if status is not None else None
    title = _title(state, completeness.title if completeness else "", processes, disk)
    return Health(title, state, completeness, silent, processes, disk, database, backlog)


def gateway_says(status: Mapping[str, Any]) -> str:
    """Return what the gateway's counters mean: sessions now, and failures to reach the recorder since its start."""
    failures = int(status.get("recorder_failures", 0))
    open_now = counted(int(status.get("sessions", 0)), "connection")
    return f"{open_now.capitalize()} open; the recorder failed it {counted(failures, 'time') if failures else 'never'}"


def _title(state: RecordState | None, incomplete: str, processes: tuple[Process, ...], disk: Disk) -> str:
    if state is None:
        return "The recorder does not answer"
    if state.problems:
        return state.title
    silent = [process.name for process in processes if not process.answers]
    if silent:
        return (
            f"The {silent[0]} does not answer"
            if len(silent) == 1
            else f"{len(silent)} processes do not answer"
        )
    if disk.is_low:
        return "The disk is nearly full"
    return incomplete or state.title
