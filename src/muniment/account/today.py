"""The Today list: what waits for one officer, by the day it can safely be left to, with the next step on each. Pure.

Nobody finds a request here that would look at themselves. Nothing is invented: a line stands for something in the
record, the policy file or the machine's state. Source: requirements 2.1; R-5.2-f, R-5.2-g, R-5.1-c, R-1.P-a.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from muniment.account.trail import Placed
from muniment.account.wording import counted, day, in_number, waited
from muniment.people.moment import in_clock, in_words, local
from muniment.permit.conflict import Decider, Standing, alternate_from_ms, standings
from muniment.permit.replay import Standing as Permit
from muniment.permit.state import OPEN
from muniment.policy.policyfile import PolicyVersion
from muniment.policy.streams import StreamRow, is_old, lacks
from muniment.policy.streams import in_words as lacking_in_words

REVIEW_DAYS = 60
ENDING_DAYS = 7
ANSWER_DAYS = 30
GROUNDS = {
    "not-mine": "says a message is not theirs",
    "private": "says a message is private",
    "look": "asks about a look at their messages",
    "wrong": "says an entry is wrong",
}
Link = Callable[..., str]


@dataclass(frozen=True)
class Viewer:
    """Who looks at the list: pseudonym, officer id (empty for none), and whether disputes come to them."""

    person: str
    officer: str = ""
    hears_disputes: bool = False


@dataclass(frozen=True)
class Due:
    """One line: by when, what it is, what to do next."""

    when: str
    note: str
    is_now: bool
    title: str
    text: str
    clause: str
    action: str
    address: str
    order_ms: int


@dataclass(frozen=True)
class Waiting:
    """Something that waits for somebody else."""

    since: str
    text: str


def to_decide(
    permits: Iterable[Permit], deciders: Sequence[Decider], viewer: Viewer, link: Link, now_ms: int
) -> Iterator[Due]:
    """Yield the requests this officer may decide now, each with how long it waits."""
    for permit in permits:
        if permit.state not in OPEN or viewer.person in permit.request.looked_at:
            continue
        stands = _standing(permit, deciders, viewer, now_ms)
        if stands is None or not stands.may_decide:
            continue
        turn = alternate_from_ms(permit.asked_ms)
        request = permit.request
        opens = counted(request.entries, "entry", "entries")
        yield _due(
            turn,
            now_ms,
            note=f"waits {waited(permit.asked_ms, now_ms)}",
            title=f"Permit {permit.number}: {request.requester.name} asks to look",
            text=f"{_subjects(permit)}; opens {opens}, {in_number(request.shielded)} more stay sealed. "
            f"Unanswered, it is the alternate's from {in_words(local(turn))}.",
            clause="5.2",
            action="Decide",
            address=link("permit", permit.number),
        )


def ending(permits: Iterable[Permit], viewer: Viewer, link: Link, now_ms: int) -> Iterator[Due]:
    """Yield the permits in force that end within a week, and their rooms with them."""
    for permit in permits:
        if (
            not permit.is_in_force(now_ms)
            or permit.approval is None
            or viewer.person in permit.request.looked_at
        ):
            continue
        ends = permit.approval.ends_ms
        if ends - now_ms <= ENDING_DAYS * 86_400_000:
            yield _due(
                ends,
                now_ms,
                note=in_clock(local(ends)),
                title=f"Permit {permit.number} ends by itself",
                text=f"{permit.request.requester.name}'s room closes with it. Whoever needs longer asks again.",
                clause="5.2",
                action="Look at it",
                address=link("permit", permit.number),
            )


def delayed(permits: Iterable[Permit], viewer: Viewer, link: Link, now_ms: int) -> Iterator[Due]:
    """Yield the orders that keep a notice from the people looked at, by the day they end."""
    for permit in permits:
        delay = permit.delay_at(now_ms)
        if delay is None or viewer.person in permit.request.looked_at:
            continue
        yield _due(
            delay.until_ms,
            now_ms,
            note="notice goes out",
            title=f"Permit {permit.number}: the people looked at are not told yet",
            text=f"Ordered on {in_words(local(delay.at_ms))}. On this day they are told, and that it was delayed.",
            clause="5.3",
            action="Look at it",
            address=link("permit", permit.number),
        )


def disputed(
    disputes: Iterable[Placed], names: Mapping[str, str], viewer: Viewer, link: Link, now_ms: int
) -> Iterator[Due]:
    """Yield the disputes nobody has answered; they come to the data protection officer."""
    for placed in disputes:
        if not viewer.hears_disputes:
            return
        who = names.get(placed.dispute.by, "Somebody who left")
        yield _due(
            placed.at_ms + ANSWER_DAYS * 86_400_000,
            now_ms,
            note=f"waits {waited(placed.at_ms, now_ms)}",
            title=f"{who} {GROUNDS[placed.dispute.ground]}",
            text=f"Said on {in_words(local(placed.at_ms))}, entry {placed.number}. "
            f"Whoever complains about their data hears within {ANSWER_DAYS} days.",
            clause="2.3",
            action="Answer",
            address=link("dispute", placed.index),
        )


def streams_due(rows: Iterable[StreamRow], link: Link, today: date, now_ms: int) -> Iterator[Due]:
    """Yield the streams that do not start, and those whose assessment is more than a year old."""
    for row in rows:
        lacking = lacks(row, today)
        if lacking:
            text = f"Its row lacks {lacking_in_words(lacking)}. Nothing of it is captured until the row is whole."
            title = f"{row.label}: the stream does not start"
        elif is_old(row, today):
            last = in_words_of(row.assessed)
            text = f"Last assessed on {last}. It goes on; look whether it is still the least that will do."
            title = f"{row.label}: the assessment is more than a year old"
        else:
            continue
        yield Due(
            "Soon",
            "no day set",
            False,
            title,
            text,
            "5.1",
            "See the row",
            link("streams"),
            now_ms + 90 * 86_400_000,
        )


def review_due(policy: PolicyVersion, today: date, now_ms: int) -> Iterator[Due]:
    """Yield the review of the policy when its day is near or past."""
    left = (policy.review_due - today).days
    if left <= REVIEW_DAYS:
        yield Due(
            when=day(policy.review_due, today),
            note="past" if left < 0 else f"in {counted(left, 'day')}",
            is_now=left <= 1,
            title="The policy is due for review",
            text=f"Version {policy.version} of {in_words_of(policy.revised)}. "
            "`muniment policy lint` lists what to look at first.",
            clause="1",
            action="",
            address="",
            order_ms=now_ms + left * 86_400_000,
        )


def record_due(problems: Iterable[str], gaps: int, link: Link, now_ms: int) -> Iterator[Due]:
    """Yield what the recorder says is wrong with the record."""
    for problem in problems:
        yield Due(
            "Today",
            "the record",
            True,
            problem,
            "IT Support mends it.",
            "5.1",
            "See its health",
            link("health"),
            0,
        )
    if gaps:
        text = "The recorder did not run or could not write for a time, and said so. Mail stayed with its senders."
        title = f"The record has {counted(gaps, 'gap')} to explain"
        yield Due(
            "Soon",
            "no day set",
            False,
            title,
            text,
            "5.1",
            "See its health",
            link("health"),
            now_ms + 80 * 86_400_000,
        )


def forged_due(findings: Sequence[str], link: Link) -> Iterator[Due]:
    """Yield a line when acts on permits stand in the record that nobody could have done."""
    if findings:
        title = f"{counted(len(findings), 'act').capitalize()} on permits cannot be true"
        text = f"They changed nothing. The first: {findings[0]}. Ask IT Support who wrote to the recorder."
        yield Due("Today", "the record", True, title, text, "5.2", "See all looks", link("audit"), 0)


def waiting_on_others(
    permits: Iterable[Permit], deciders: Sequence[Decider], viewer: Viewer, now_ms: int
) -> Iterator[Waiting]:
    """Yield the open requests somebody else decides; none that would look at the viewer."""
    for permit in permits:
        if permit.state not in OPEN or viewer.person in permit.request.looked_at:
            continue
        found = standings(permit.request, deciders, permit.asked_ms, now_ms)
        if any(each.officer.id == viewer.officer and each.may_decide for each in found):
            continue
        names = (
            " or ".join(each.officer.name for each in found if each.may_decide) or "nobody: name an alternate"
        )
        yield Waiting(f"since {in_words(local(permit.asked_ms))}", f"{names}, on permit {permit.number}")


def title_of(count: int) -> str:
    """Return the page's finding."""
    if not count:
        return "Nothing waits for you"
    noun = "thing waits" if count == 1 else "things wait"
    return f"{in_number(count).capitalize()} {noun} for you"


def in_words_of(moment: date | None) -> str:
    """Return a day in full."""
    return f"{moment.day} {moment:%B %Y}" if moment else "no day"


def _standing(permit: Permit, deciders: Sequence[Decider], viewer: Viewer, now_ms: int) -> Standing | None:
    found = standings(permit.request, deciders, permit.asked_ms, now_ms)
    return next((each for each in found if each.officer.id == viewer.officer), None)


def _subjects(permit: Permit) -> str:
    names = [subject.name for subject in permit.request.subjects]
    if len(names) > 3:
        return f"Mail of {', '.join(names[:2])} and {in_number(len(names) - 2)} more"
    return f"Mail of {' and '.join(names)}" if names else "Mail of addresses nobody holds"


def _due(
    at_ms: int, now_ms: int, *, note: str, title: str, text: str, clause: str, action: str, address: str
) -> Due:
    when, today = local(at_ms).date(), local(now_ms).date()
    is_now = when <= today + timedelta(days=1)
    shown = "Overdue" if at_ms < now_ms else day(when, today)
    return Due(shown, note, is_now, title, text, clause, action, address, at_ms)
