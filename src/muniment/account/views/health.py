"""IT Support's page: how the record and the machine are. It has no way to open anything."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from muniment.account import machine
from muniment.account.backup_state import describe_backup
from muniment.account.health import Backlog, health_of
from muniment.account.serving import served
from muniment.account.streams import states_of
from muniment.account.trail import Trail, trail_of
from muniment.people.moment import LONDON
from muniment.permit.rows import check_rows
from muniment.policy.errors import MunimentError


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Show streams, gaps, proof, processes, disk, database and backlog."""
    home, policy = served()
    now = datetime.now(LONDON)
    found = machine.status_of(home)
    status = None if isinstance(found, str) else found
    page = health_of(
        status,
        found if isinstance(found, str) else "",
        machine.processes_of(home, policy, recorder_answers=status is not None),
        machine.disk_of(home),
        machine.database_of(home),
        (*_unpublished(status), *_unsent(_trail())),
        now,
    )
    context = {
        "health": page,
        "backup": describe_backup(status, now),
        "state": page.state,
        "streams": [each for each in states_of(policy, now.date()) if each.row is not None],
        "is_witnessed": page.state.witnessed if page.state else "",
    }
    return render(request, "account/health.html", context)


def _trail() -> Trail | None:
    try:
        return trail_of(served().home)
    except MunimentError:
        return None


def _unpublished(status: dict[str, object] | None) -> tuple[Backlog, ...]:
    if status is None:
        return ()
    left = int(str(status["size"])) - int(str(status.get("published", status["size"])))
    return (Backlog("Entries that no signed proof covers yet", f"{left:,}", False),)


def _unsent(trail: Trail | None) -> tuple[Backlog, ...]:
    if trail is None:
        return ()
    unread = sum(trail.unreadable.values()) + len(trail.history.findings)
    differing = len(check_rows(served().home)) - len(trail.history.findings)
    return (
        Backlog("Disputes nobody has answered", f"{len(trail.open_disputes()):,}", False),
        Backlog("Open entries that make no sense", f"{unread:,}", unread > 0),
        Backlog("Rows of permits that differ from the record", f"{differing:,}", differing > 0),
    )
