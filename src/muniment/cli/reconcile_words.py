"""A reconciliation in plain words, the finding first. It never says "missing 0" alone when something was not judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from muniment.record.statement.reconciliation import Reconciliation

_LISTED = 20
_WHY = {
    "around": "was delivered, and neither handed to the gateway nor taken from it",
    "notice": "is a notice of the mail server itself that was delivered around the gateway",
    "absent": "was taken by the gateway, says the log, as {number}, which the record does not have",
    "another-time": "is said to be {number}, which was recorded at quite another time",
    "twice": "is said to be {number}, which another message is",
    "no-number": "was taken at the gateway's address without a number of the record",
}


def lines(found: Reconciliation, number: str, size: int) -> Iterator[str]:
    """Yield the sentences; `number` is that of the statement, `size` that of the checkpoint that signs it."""
    yield headline(found)
    yield f"Compared: {_time(found.from_ms)} to {_time(found.until_ms)} UTC, {_files(found)}"
    yield from _missing(found)
    yield from _unnamed(found)
    yield from _behind(found)
    yield from _others(found)
    yield from _not_judged(found)
    yield f"Stated in the record as {number}, signed by the checkpoint over {size:,} entries"


def headline(found: Reconciliation) -> str:
    """Return the finding in one line."""
    words = f"accepted {found.accepted:,}, recorded {found.recorded:,}, missing {found.missing:,}"
    if not found.is_whole:
        words += " so far as could be judged"
    if found.unnamed and not found.other_senders:
        words += f"; {_counted(found.unnamed, 'entry', 'entries')} that no line of the log names"
    if found.holes:
        words += f"; {_counted(found.holes, 'number', 'numbers')} left out of the gateway's sequence"
    return words


def _missing(found: Reconciliation) -> Iterator[str]:
    for each in found.lacking[:_LISTED]:
        why = _WHY[each.why].format(number=each.number)
        yield f"Missing: {each.instance} {each.queue_id} of {_time(each.at_ms)} {why}"
    yield from _more(found.missing)


def _unnamed(found: Reconciliation) -> Iterator[str]:
    if not found.unnamed:
        return
    numbers = _numbers(found.unnamed_numbers, found.unnamed)
    if found.other_senders:
        yield f"{found.unnamed:,} more from senders without a log here: {numbers}"
        return
    yield f"Recorded, and named by no line: {numbers}"
    yield "  Lines were taken out of the log, a file is not here, or another server hands in too (--other-senders)"


def _behind(found: Reconciliation) -> Iterator[str]:
    if not found.handed_on:
        yield "The other way: no log of a server behind the gateway is here, so what it took was not compared"
        return
    yield f"The other way: the server behind was handed {found.handed_on:,}, its log has {found.handed_on_found:,}"
    lost = found.handed_on - found.handed_on_found
    if lost:
        yield f"Handed on, and not in the log of the server behind: {_numbers(found.handed_on_lost, lost)}"


def _others(found: Reconciliation) -> Iterator[str]:
    if found.refused:
        yield f"Refused by the gateway: {found.refused:,}, recorded as refused {found.refused_recorded:,}"
    if found.again:
        yield f"Came again with the same bytes: {found.again:,}, kept as entries that name the first"
    rest = (
        (found.deferred, "put off at least once"),
        (found.bounced, "given up or refused for some recipient"),
        (found.filtered, "handed to a filter, and judged where they came back"),
    )
    yield from (f"{count:,} {words}" for count, words in rest if count)


def _not_judged(found: Reconciliation) -> Iterator[str]:
    if found.unread_lines:
        yield (
            f"Not read: {_counted(found.unread_lines, 'line', 'lines')} that may report a delivery and "
            "cannot be understood; what they say is in no figure above"
        )
    if found.undecided:
        yield (
            f"Not judged: {_counted(found.undecided, 'message', 'messages')} that left the queue without a line "
            "for each recipient, or that the server behind took when the record does not know what became of an entry"
        )


def _more(count: int) -> Iterator[str]:
    if count > _LISTED:
        yield f"  and {count - _LISTED:,} more; the statement lists up to 100"


def _numbers(numbers: Sequence[str], count: int) -> str:
    shown = ", ".join(numbers[:_LISTED])
    return shown if count <= _LISTED else f"{shown} and {count - _LISTED:,} more"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _files(found: Reconciliation) -> str:
    return f"{_counted(len(found.files), 'file', 'files')}, {sum(each.lines for each in found.files):,} lines"


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%d %b %Y %H:%M:%S}"
