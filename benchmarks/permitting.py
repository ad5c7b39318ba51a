"""What a permit costs the recorder: selecting its entries, the shares of their epochs, and releasing the blades."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from tests.record.asking import approve, query, release, request_for, selected
from tests.record.recording import SECRET, Clock, make_home

from benchmarks.harness import Figure, Options, say, scratch
from muniment.record.entry import Capture, Channel, Direction, Entry, Retention, Stream
from muniment.record.inquiry.pages import PAGE_ITEMS, Releasing
from muniment.record.opening import OpenRecord, open_record
from muniment.record.permit_selection import parse_selection
from muniment.record.selection import Window
from muniment.record.sharing import wraps_of

PEOPLE = 200
BATCH = 500
PUBLISH_EVERY = 100
_Result = TypeVar("_Result")


def measure(options: Options) -> Iterator[Figure]:
    """Yield the figures for a tenth of the record and for all of it; one batch of 500 entries is one hour's epoch."""
    with scratch(options) as folder:
        clock = Clock()
        home = make_home(folder, clock)
        with open_record(home, SECRET, clock=clock) as record:
            _fill(record, clock, options.entries)
            record.publish()
            for people in (PEOPLE // 10, PEOPLE):
                yield from _figures(record, people)


def _fill(record: OpenRecord, clock: Clock, count: int) -> None:
    entries = [_letter(number) for number in range(BATCH)]
    for done in range(0, count, BATCH):
        record.append(entries[: count - done])
        clock.advance(seconds=3600)
        if done % (PUBLISH_EVERY * BATCH) == 0:
            record.publish()
            say(f"  {done:,} of {count:,} entries")


def _letter(number: int) -> Entry:
    return Entry(
        stream=Stream.MAIL_GATEWAY,
        channel=Channel.SMTP,
        retention=Retention.MAIL,
        capture=Capture.WIRE,
        direction=Direction.OUTBOUND,
        addresses=(f"someone{number % PEOPLE}@training.example", f"outside{number}@outside.example"),
        meta=b"\x80",
    )


def _figures(record: OpenRecord, people: int) -> Iterator[Figure]:
    asked = query(windows=tuple(Window(f"someone{number}@training.example") for number in range(people)))
    seconds, found = _timed(lambda: selected(record, asked))
    count = found.entries
    yield Figure(name=f"selecting {count:,} entries, {people} addresses", unit="CPU-s", value=seconds)
    items = parse_selection(found.selection)
    epochs = {(item.class_id, item.epoch) for item in items}
    seconds, _ = _timed(lambda: wraps_of(record.home, epochs))
    yield Figure(name=f"the officers' shares of {len(epochs):,} epochs", unit="CPU-s", value=seconds)
    now = record.record.now_ms()
    permit = approve(record.home, request_for(found, asked, now), found.selection, now)
    record.append([permit.asking, permit.approving])
    seconds, released = _timed(lambda: release(record, permit))
    yield Figure(name=f"the rules, and the first page of {count:,} entries", unit="CPU-s", value=seconds)
    yield from _pages(released)


def _pages(released: Releasing) -> Iterator[Figure]:
    later = max(0, released.total - PAGE_ITEMS)
    seconds, _ = _timed(lambda: sum(1 for _ in released))
    if not later:
        return
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    note = f"largest memory of the process so far: {peak:,} MiB; first page not counted"
    yield Figure(name="releasing", unit="entries/CPU-s", value=later / seconds, note=note)


def _timed(work: Callable[[], _Result]) -> tuple[float, _Result]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result
