"""Tells the person looked at: an entry in the record, which My record shows, and a message that says where to read it.

1. What is due is worked out from looks, permits and orders; nothing is remembered elsewhere.
2. The notice is recorded. It names how far it counts, so that a second run finds nothing new.
3. Only then a message goes out through the mail gateway, and that it did is recorded, too.

Killed between 2 and 3 the message is sent by the next run; killed after the gateway took it and before that was
recorded, it is sent twice under one Message-ID. Source: DESIGN, "Notice"; docs/formats/notice.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from muniment.account.looked import due_ms, purpose_class, told_of
from muniment.account.mine import needs_listing
from muniment.account.notice_mail import send
from muniment.account.notice_text import Mailed, Notice, entry_of
from muniment.account.own_mail import entries_of
from muniment.account.trail import Trail, trail_of
from muniment.people.models import Person
from muniment.people.register import addresses_of
from muniment.permit.replay import Standing
from muniment.policy.errors import MunimentError, Unavailable
from muniment.policy.policyfile import PolicyFile, load
from muniment.record.client import Recorder
from muniment.record.home import Home

MAILED_FOR_MS = 3 * 86_400_000


@dataclass(frozen=True)
class Delivered:
    """What one run did: notices recorded, and messages the gateway took."""

    recorded: int
    mailed: int


def deliver_due(home: Home, now: datetime) -> Delivered:
    """Record and mail every notice that is due at an aware moment; a second call finds nothing left to do.

    Raises:
        Unavailable: the recorder or the gateway does not answer; the next call goes on.
    """
    now_ms = int(now.timestamp() * 1000)
    trail = trail_of(home)
    found = [entry_of(notice) for notice in due_notices(home, trail, now_ms)]
    if found:
        with Recorder(home.socket) as recorder:
            recorder.append(found)
        trail = trail_of(home)
    return Delivered(len(found), _mail(home, load(home.policy_file), trail, now))


def due_notices(home: Home, trail: Trail, now_ms: int) -> Iterator[Notice]:
    """Yield the notices that are due and not yet recorded.

    Raises:
        Unavailable: the recorder does not answer.
    """
    told = {(notice.permit, notice.person): notice.looks_below for _, notice in trail.notices}
    for permit in list(trail.history.permits.values()):
        looks = trail.looks.get(permit.number, [])
        if permit.approval is None or permit.delay_at(now_ms) is not None:
            continue
        for person in sorted({window.person for window in permit.request.windows} - {""}):
            before = told.get((permit.number, person), 0)
            if any(look.index >= before and due_ms(look.at_ms) <= now_ms for look in looks):
                notice = _notice(home, trail, permit, person, now_ms)
                if notice is not None and notice.looks_below > before:
                    yield notice


def _notice(home: Home, trail: Trail, permit: Standing, person: str, now_ms: int) -> Notice | None:
    mine = entries_of(home, permit, person) if needs_listing(permit, person) else None
    told = told_of(trail.looks[permit.number], mine, permit.delays, now_ms)
    if told is None or permit.approval is None:
        return None
    return Notice(
        person=person,
        permit=permit.number,
        revision=permit.revision,
        officer=permit.approval.officer,
        roles=told.roles,
        purpose=purpose_class(permit.request.purpose),
        entries=told.entries,
        first_ms=told.first_ms,
        last_ms=told.last_ms,
        looks_below=told.looks_below,
        delayed_until_ms=told.delayed_until_ms,
        at_ms=now_ms,
    )


def _mail(home: Home, policy: PolicyFile, trail: Trail, now: datetime) -> int:
    """Send what was recorded and not mailed; without a way out nothing is sent, and the page alone tells."""
    if not policy.gateway.inside or not policy.gateway.outbound_hop:
        return 0
    now_ms, sent = int(now.timestamp() * 1000), 0
    failures: list[str] = []
    for index, notice in list(trail.notices):
        if index in trail.mailed or now_ms - notice.at_ms > MAILED_FOR_MS:
            continue
        person = _person(notice.person)
        addresses = addresses_of(person, now) if person is not None else []
        if not addresses:
            continue
        try:
            send(policy, addresses[0], index, now)
            with Recorder(home.socket) as recorder:
                recorder.append([entry_of(Mailed(notice=index, at_ms=now_ms))])
            sent += 1
        except MunimentError as error:
            failures.append(str(error))
    if failures:
        raise Unavailable(f"{len(failures)} notices were recorded and not mailed: {failures[0]}")
    return sent


def _person(pseudonym: str) -> Person | None:
    """Return who is meant; whoever can write to the record's socket may have named nobody."""
    try:
        return Person.objects.filter(pk=UUID(pseudonym)).first()
    except ValueError:
        return None
