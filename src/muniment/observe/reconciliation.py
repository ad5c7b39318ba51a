"""Compares a mail server's log with the record, both ways: what one names and the other does not have. Pure.

1. A message handed to the gateway must be the entry its 250 names: there, of that time, named by no other message.
2. A message that left the queue must have a line for each recipient, else nobody can tell. One that was delivered
   elsewhere must have come from the gateway: an outcome names its queue id. Else it went around.
3. An entry the gateway took must be named by a line of the log, or have come again as one that is.
4. An entry a server behind the gateway took, as its outcome says, must be in that server's log, if that log is here.
5. The gateway's numbers follow each other without a hole.

Source: R-2.1-b, R-5.1-a; docs/formats/reconciliation.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from muniment.observe.mail_log import MailLog, Seen
from muniment.observe.postfix_log import MessageId
from muniment.record.inquiry.passing import OUTCOME_MS, Passed
from muniment.record.statement.reconciliation import MOST_LISTED, Lacking, LogFile, Reconciliation, Why

# Clocks that differ by a quarter of an hour, and the hour that comes twice in autumn.
TOLERANCE_MS = 75 * 60_000
# Postfix gives a message up after five days.
QUEUE_LIFE_MS = 6 * 86_400_000
# From the gateway's 250 to the line that says so.
SETTLING_MS = 2_000


def numbers_in(log: MailLog) -> list[str]:
    """Return every number the log names, to be looked up."""
    return [number for seen in log.messages.values() for number in (*seen.named, *seen.refused)]


def begins_ms(log: MailLog) -> int:
    """Return from when on the record must be asked: earlier than the log where a message arrived before it begins."""
    waits = any(seen.around_ms and seen.arrived_ms is None for seen in log.messages.values())
    return max(0, log.span.first_ms - (QUEUE_LIFE_MS if waits else OUTCOME_MS))


@dataclass
class _Work:
    """A comparison under way."""

    log: MailLog
    present: Mapping[str, Passed]
    passed: Sequence[Passed]
    recorded: set[str] = field(default_factory=set)  # numbers of entries some message is
    lacking: list[Lacking] = field(default_factory=list)
    carried: dict[str, MessageId] = field(default_factory=dict)  # numbers whose queue id is in the log
    undecided: int = 0


def compare(
    log: MailLog,
    files: Sequence[LogFile],
    present: Mapping[str, Passed],
    passed: Iterable[Passed],
    *,
    other_senders: bool = False,
) -> Reconciliation:
    """Return what the comparison says; `present` are the log's numbers that exist, `passed` the entries of its time."""
    work = _Work(log, present, tuple(passed))
    _claims(work)
    _carried(work)
    unnamed = _unnamed(work)
    handed_on, lost = _handed_on(work)
    refused = {number for seen in log.messages.values() for number in seen.refused}
    seen = log.messages.values()
    lacking = sorted(work.lacking, key=lambda each: (each.at_ms, each.queue_id))
    return Reconciliation(
        files=tuple(files),
        from_ms=log.span.first_ms,
        until_ms=log.span.last_ms,
        accepted=len(work.recorded) + len(lacking),
        recorded=len(work.recorded),
        missing=len(lacking),
        lacking=tuple(lacking[:MOST_LISTED]),
        unnamed=len(unnamed),
        unnamed_numbers=tuple(unnamed[:MOST_LISTED]),
        holes=_holes(work.passed),
        handed_on=handed_on,
        handed_on_found=handed_on - len(lost),
        handed_on_lost=tuple(lost[:MOST_LISTED]),
        refused=len(refused),
        refused_recorded=sum(number in present for number in refused),
        again=sum(bool(present[number].again) for number in work.recorded if number in present),
        deferred=sum(each.is_deferred for each in seen),
        bounced=sum(each.is_bounced for each in seen),
        filtered=sum(each.is_filtered for each in seen),
        undecided=work.undecided,
        unread_lines=log.unread_lines,
        other_senders=other_senders,
    )


def _claims(work: _Work) -> None:
    """Judge what was handed to the gateway: rule 1."""
    claims: defaultdict[str, list[tuple[int, MessageId]]] = defaultdict(list)
    for message, seen in work.log.messages.items():
        if seen.unnumbered_ms is not None:
            work.lacking.append(_lacking(message, seen.unnumbered_ms, "no-number"))
        for number, at_ms in seen.named.items():
            row = work.present.get(number)
            if row is None or number.startswith("mail-refused/"):
                work.lacking.append(_lacking(message, at_ms, "absent", number))
            elif abs(row.captured_ms - at_ms) > TOLERANCE_MS:
                work.lacking.append(_lacking(message, at_ms, "another-time", number))
            else:
                claims[number].append((at_ms, message))
    for number, found in claims.items():
        _, *more = sorted(found)
        work.recorded.add(number)
        work.lacking += [_lacking(message, at_ms, "twice", number) for at_ms, message in more]


def _carried(work: _Work) -> None:
    """Judge what was delivered elsewhere: rule 2. One entry answers for one message."""
    by_queue_id: defaultdict[str, list[Passed]] = defaultdict(list)
    for row in work.passed:
        if row.queue_id:
            by_queue_id[row.queue_id].append(row)
    open_rows = [row for row in work.passed if row.number.startswith("mail-gateway/") and _is_open(row)]
    for message, seen in sorted(work.log.messages.items(), key=lambda item: item[1].first_ms):
        carrier = next(
            (r for r in by_queue_id[message.queue_id] if r.number not in work.carried and _is_of(r, seen)),
            None,
        )
        if carrier is not None:
            work.carried[carrier.number] = message
            work.recorded.add(carrier.number)
            continue
        work.undecided += seen.lacks_lines
        if seen.around_ms is not None:
            perhaps = next((r for r in open_rows if _is_near(r, seen)), None)
            if perhaps is None:
                why: Why = "notice" if seen.is_notice else "around"
                work.lacking.append(_lacking(message, seen.around_ms, why))
            else:
                open_rows.remove(perhaps)
                work.undecided += 1


def _is_open(row: Passed) -> bool:
    """Tell whether nobody knows if the hop took it: it was lost after the final dot, or the gateway was."""
    return row.outcome in ("", "unknown")


def _is_of(row: Passed, seen: Seen) -> bool:
    if seen.arrived_ms is not None:
        return abs(row.captured_ms - seen.arrived_ms) <= TOLERANCE_MS
    return row.captured_ms - TOLERANCE_MS <= seen.first_ms <= row.captured_ms + QUEUE_LIFE_MS


def _is_near(row: Passed, seen: Seen) -> bool:
    return seen.arrived_ms is not None and abs(row.captured_ms - seen.arrived_ms) <= OUTCOME_MS


def _unnamed(work: _Work) -> list[str]:
    """Return the entries the log should name and does not: rule 3."""
    span = work.log.span
    named = {number for seen in work.log.messages.values() for number in seen.named} | work.carried.keys()
    known = {**{row.number: row for row in work.passed}, **work.present}
    for number in list(
        named
    ):  # bytes that came again, because the sender did not hear our 250, are one message
        while number in known and (number := known[number].again):
            named.add(number)
    return [
        row.number
        for row in work.passed
        if row.number not in named
        and row.captured_ms >= span.first_ms
        and (row.outcome == "accepted" or row.number.startswith("mail-journal/"))
        and max(row.captured_ms, row.told_ms) + SETTLING_MS <= span.last_ms
    ]


def _handed_on(work: _Work) -> tuple[int, list[str]]:
    """Return how many entries a server whose log is here is said to have taken, and which it does not name: rule 4."""
    hops = {row.number: row.hop for row in work.passed}
    instances: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for number, message in work.carried.items():
        instances[hops[number]].add((message.host, message.instance))
    count, lost = 0, []
    for row in work.passed:
        spans = [work.log.spans[key] for key in instances.get(row.hop, ()) if key in work.log.spans]
        is_due = any(s.first_ms <= row.captured_ms and row.told_ms + SETTLING_MS <= s.last_ms for s in spans)
        if row.outcome != "accepted" or not row.queue_id or not (is_due or row.number in work.carried):
            continue
        count += 1
        if row.number not in work.carried:
            lost.append(row.number)
    return count, lost


def _holes(passed: Sequence[Passed]) -> int:
    """Return how many numbers are left out between the first and the last of each stream: rule 5."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in passed:
        stream, _, sequence = row.number.partition("/")
        found[stream].append(int(sequence))
    return sum(max(each) - min(each) + 1 - len(set(each)) for each in found.values())


def _lacking(message: MessageId, at_ms: int, why: Why, number: str = "") -> Lacking:
    return Lacking(
        queue_id=message.queue_id,
        instance=message.instance,
        at_ms=at_ms,
        why=why,
        number=number,
    )
