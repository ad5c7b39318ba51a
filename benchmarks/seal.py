"""Sealed and committed in process: what the recorder's thread does with batches of 64 messages of about 4 KB.

Counted is what production does: catalogue line, Decision, message as written and as sent, all three seals, the flush
of every batch, the catalogue's rows, and a signed checkpoint every second.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.record.recording import SECRET, check_record, make_home

from benchmarks.harness import Figure, Options, compared, rate, side_by_side
from benchmarks.samples import messages, outbound_entry
from muniment.record.entry import Entry
from muniment.record.opening import clock_ms, open_record
from muniment.serve.sealing_crew import Crew, spare_cores

BATCH = 64
PUBLISH_SECONDS = 1.0
MAILPILER = {"mailpiler (low end)": 290.0, "mailpiler (high end)": 330.0}


def measure(options: Options) -> Iterator[Figure]:
    """Yield the figure."""
    contents = list(messages(options.messages))
    entries = [outbound_entry(content, number) for number, content in enumerate(contents)]
    results = side_by_side(
        options,
        {
            "muniment": lambda folder: seal_all(folder, entries, workers=spare_cores()),
            "muniment, with one worker more": lambda folder: seal_all(
                folder, entries, workers=spare_cores() + 1
            ),
            "notmuch new, not flushed": lambda folder: index_all(folder, contents),
            "plain append, one flush a batch": lambda folder: append_all(folder, contents),
        },
    )
    size = sum(map(len, contents)) // len(contents)
    yield compared(
        results,
        name="sealed and committed in process",
        unit="messages/s",
        target=5_000,
        published=MAILPILER,
        note=f"{len(entries):,} messages of {size:,} bytes on average, as written and as sent, in batches of {BATCH}",
    )


def seal_all(folder: Path, entries: Sequence[Entry], workers: int) -> float:
    """Return the entries a second that a new record takes; what it took is proved afterwards."""
    home = make_home(folder, clock_ms)
    with Crew(workers) as crew, open_record(home, SECRET) as record:
        while crew.count_ready() < len(crew.pids):
            time.sleep(0.01)
        record.record.parts.sealer = crew
        before = record.record.size

        def work() -> None:
            due = time.monotonic() + PUBLISH_SECONDS
            for at in range(0, len(entries), BATCH):
                record.append(entries[at : at + BATCH])
                if time.monotonic() >= due:
                    record.tick()
                    due = time.monotonic() + PUBLISH_SECONDS
            record.tick()

        result = rate(len(entries), work)
        assert record.record.size >= before + len(entries)
    check_record(home)
    return result


def index_all(folder: Path, contents: Sequence[bytes]) -> float:
    """Return the messages a second that `notmuch new` indexes from a Maildir with the same messages."""
    write_maildir(folder, contents)
    return rate(len(contents), lambda: notmuch_new(folder))


def append_all(folder: Path, contents: Sequence[bytes]) -> float:
    """Return the messages a second that are appended in the clear to one file: the floor under any durable archive."""
    descriptor = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def work() -> None:
        for at in range(0, len(contents), BATCH):
            os.writev(descriptor, contents[at : at + BATCH])
            os.fdatasync(descriptor)

    try:
        return rate(len(contents), work)
    finally:
        os.close(descriptor)


def write_maildir(folder: Path, contents: Sequence[bytes]) -> None:
    """Write a Maildir."""
    for name in ("cur", "new", "tmp"):
        (folder / "mail" / name).mkdir(parents=True)
    for number, content in enumerate(contents):
        (folder / "mail" / "cur" / f"{number}.bench:2,S").write_bytes(content)


def notmuch_new(folder: Path) -> None:
    """Index the Maildir of `folder` from nothing."""
    config = folder / "notmuch-config"
    config.write_text(
        f"[database]\npath={folder / 'mail'}\n[user]\nname=Bench\nprimary_email=bench@training.example\n"
        "[new]\ntags=new\n[search]\n[maildir]\nsynchronize_flags=false\n"
    )
    subprocess.run(
        ["notmuch", "new", "--quiet", "--no-hooks"],
        env=os.environ | {"NOTMUCH_CONFIG": str(config)},
        check=True,
        timeout=600,
        capture_output=True,
    )
