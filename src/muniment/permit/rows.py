"""Writing the rows of permits from what the record says, and finding rows that say something else."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from muniment.people.models import Person
from muniment.permit.models import DelayOrder, Permit, PermitSubject
from muniment.permit.replay import History, Standing, read_history
from muniment.permit.windows import moment_of
from muniment.record.home import Home

_NEW_MS = 3_600_000


@contextmanager
def alone() -> Iterator[None]:
    """Keep every other act on permits waiting while the block runs: what was checked still holds when it is recorded.

    SQLite begins a transaction by taking the file; PostgreSQL takes the table.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {Permit._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        yield


def store(standing: Standing) -> Permit:
    """Write the rows of one permit as the record has it, and return its row."""
    with transaction.atomic():
        permit, _ = Permit.objects.update_or_create(number=standing.number, defaults=_columns(standing))
        permit.subjects.all().delete()
        PermitSubject.objects.bulk_create(
            PermitSubject(permit=permit, person=person, name=name) for person, name in _subjects(standing)
        )
        permit.delays.all().delete()
        DelayOrder.objects.bulk_create(DelayOrder(permit=permit, **delay) for delay in _delays(standing))
    return permit


def rebuild(home: Home) -> int:
    """Make every row again from the record, take away rows of permits it does not hold; return how many there are."""
    history = read_history(home)
    with transaction.atomic():
        Permit.objects.exclude(number__in=list(history.permits)).delete()
        for standing in history.permits.values():
            store(standing)
    return len(history.permits)


def check_rows(home: Home) -> list[str]:
    """Return what the rows say otherwise than the record, and what of the record is no act; empty when all is well."""
    history = read_history(home)
    return [*history.findings, *_differences(history)]


def mend_new(home: Home, now_ms: int) -> list[str]:
    """Make the rows of acts that were recorded in the last hour and have none; return the permits' numbers.

    Somebody was killed between recording an act and writing its row. Older differences are left to be seen.
    """
    if not _new(read_history(home), now_ms):
        return []
    with alone():
        mended = _new(read_history(home), now_ms)
        for standing in mended:
            store(standing)
    return [standing.number for standing in mended]


def _new(history: History, now_ms: int) -> list[Standing]:
    rows = {number: (state, revision) for number, state, revision in _states()}
    return [
        standing
        for number, standing in history.permits.items()
        if standing.events[-1].captured_ms > now_ms - _NEW_MS
        and rows.get(number) != (standing.state.value, standing.revision)
    ]


def _states() -> Iterable[tuple[str, str, int]]:
    return Permit.objects.values_list("number", "state", "revision")


def _differences(history: History) -> Iterable[str]:
    rows = {permit.number: permit for permit in Permit.objects.prefetch_related("subjects", "delays")}
    for number in sorted(rows.keys() - history.permits.keys()):
        yield f"permit {number} is in the database and not in the record; it opens nothing"
    for number, standing in sorted(history.permits.items()):
        row = rows.get(number)
        if row is None:
            yield f"permit {number} is in the record and not in the database; `muniment permit rebuild` mends that"
            continue
        for column, expected in _columns(standing).items():
            found = getattr(row, column)
            if found != expected:
                yield f"permit {number}: the database has another {column} than the record; the record counts"
        if sorted((each.person, each.name) for each in row.subjects.all()) != _subjects(standing):
            yield f"permit {number}: the database names other people than the record; the record counts"
        if [_delay_row(each) for each in row.delays.order_by("pk")] != _delays(standing):
            yield f"permit {number}: the database has other delays than the record; the record counts"


def _columns(standing: Standing) -> dict[str, Any]:
    request, decision, approval = standing.request, standing.decision, standing.approval
    last = standing.events[-1].act
    return {
        "revision": standing.revision,
        "kind": request.kind,
        "state": standing.state.value,
        "requester": _person(request.requester.id),
        "purpose": request.purpose,
        "depth": request.depth,
        "parent": request.parent,
        "entries": request.entries,
        "shielded": request.shielded,
        "request": standing.text,
        "asked": moment_of(standing.first.at_ms),
        "waits_since": moment_of(standing.asked_ms),
        "decided": moment_of(decision.at_ms) if decision else None,
        "decided_by": decision.by if decision else "",
        "reason": last.reason,
        "approval": decision.approval if decision else "",
        "signature": base64.b64encode(standing.signature).decode(),
        "ends": moment_of(approval.ends_ms) if approval else None,
    }


def _person(person: str) -> Person | None:
    return Person.objects.filter(pk=person).first()


def _subjects(standing: Standing) -> list[tuple[str, str]]:
    return sorted({(subject.id, subject.name) for subject in standing.request.subjects})


def _delays(standing: Standing) -> list[dict[str, Any]]:
    return [
        {
            "until": moment_of(delay.until_ms),
            "ground": delay.ground,
            "reason": delay.reason,
            "ordered_by": delay.by,
            "ordered": moment_of(delay.at_ms),
            "ended": moment_of(delay.ended_ms) if delay.ended_ms is not None else None,
        }
        for delay in standing.delays
    ]


def _delay_row(row: DelayOrder) -> dict[str, Any]:
    names = ("until", "ground", "reason", "ordered_by", "ordered", "ended")
    return {name: getattr(row, name) for name in names}
