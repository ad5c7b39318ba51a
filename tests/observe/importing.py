"""Imports into a real record, and what comes back out of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from muniment.observe.journal import Journal
from muniment.observe.mail import Appender, MailImport, Report, journal_path
from muniment.observe.sources import Shape
from muniment.record import machine
from muniment.record.entry import Retention, Stream
from muniment.record.home import Home
from tests.organisation import DOMAIN
from tests.record.recording import SECRET, officer_view

SHARED = Path(__file__).parents[3] / "shared" / "data"


def run_import(home: Home, root: Path, recorder: Appender, shape: Shape = Shape.AUTO) -> Report:
    work = MailImport(root, shape, Retention.MAIL, frozenset({DOMAIN}))
    with Journal(journal_path(home.path, root, shape, Retention.MAIL)) as journal:
        for _ in work.run(recorder, journal):
            pass
    return work.report


def imported(home: Home) -> list[tuple[dict[str, Any], bytes]]:
    """Return (meta, content) of every imported message in the order of its number, opened by an officer."""
    with officer_view(home) as view:
        rows = view.catalogue.rows("stream = ? AND kind IN (1, 14)", (Stream.MAIL_IMPORT,))
        opened = [view.open(row.idx) for row in sorted(rows, key=lambda row: row.sequence)]
    return [(msgspec.msgpack.decode(each.meta), each.content) for each in opened]


def file_back(messages: list[tuple[dict[str, Any], bytes]], name: bytes) -> bytes:
    """Return one file put together from the messages that were taken from it."""
    parts = [(meta["origin"], content) for meta, content in messages if meta["origin"]["path"] == name]
    parts.sort(key=lambda part: part[0].get("offset", 0))
    return b"".join(o.get("postmark", b"") + content + o.get("separator", b"") for o, content in parts)


@contextmanager
def recorder_process(home: Home) -> Iterator[None]:
    """Run the recorder of a home while the block runs."""
    machine.example_file(home).write_bytes(machine.example_text(SECRET))
    command = [sys.executable, "-m", "muniment.serve.recorder", str(home.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"ready")
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)
