"""Large homes of small entries, made by the recorder's own code in large batches."""

from __future__ import annotations

from pathlib import Path

from tests.record.recording import SECRET, make_home

from benchmarks.harness import say
from muniment.record.entry import Capture, Channel, Direction, Entry, Kind, Retention, Stream
from muniment.record.home import Home
from muniment.record.opening import clock_ms, open_record

BATCH = 4096
PUBLISH_EVERY = 32 * BATCH


def make_large_home(folder: Path, count: int) -> Home:
    """Return a home with `count` entries and a few of its own; each names one of 200 addresses."""
    home = make_home(folder, clock_ms)
    entries = [
        Entry(
            stream=Stream.MAIL_GATEWAY,
            kind=Kind.OUTCOME,
            channel=Channel.SMTP,
            retention=Retention.MAIL,
            capture=Capture.WIRE,
            direction=Direction.OUTBOUND,
            addresses=(f"someone{number % 200}@outside.example",),
            facts=b"\x81\xa7outcome\xa5allow",
        )
        for number in range(BATCH)
    ]
    with open_record(home, SECRET) as record:
        for done in range(0, count, BATCH):
            record.append(entries[: count - done])
            if done % PUBLISH_EVERY == 0:
                record.publish()
                say(f"  {done:,} of {count:,} entries")
    return home
