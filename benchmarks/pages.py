"""The console's pages as they are served: how long each takes, and what a browser loads for it the first time.

A running example over loopback, a few hundred messages in the record, a permit asked for. Each page is asked for by
a signed-in session, one request after another; the times hold the whole way from the request to the last byte.
The weight is the page with every style sheet, script and mark it names, uncompressed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.people.database import set_up
from tests.site.console import Console, up

from benchmarks.harness import Figure, Options, say
from muniment.people.moment import LONDON

if TYPE_CHECKING:
    from tests.site.signed_in import Session

TARGET_MS, TARGET_BYTES = 60.0, 150_000
MESSAGES, ROUNDS = 300, 40
PAGES = {
    "tomas": ("/my-record", "/my-record/mail", "/streams", "/record"),
    "om": ("/today", "/permits", "/permits/2026-001", "/looks", "/health"),
    "hr": ("/permits/ask", "/rooms"),
}
_LINKED = re.compile(r'(?:href|src)="(/static/[^"]+)"')


def measure(options: Options) -> Iterator[Figure]:
    """Yield the median and the worst page of each kind of figure."""
    set_up()
    from tests.site.signed_in import session

    with TemporaryDirectory(dir=options.folder) as folder, up(Path(folder)) as console:
        _fill(console)
        found = [row for name, places in PAGES.items() for row in _pages(session(console, name), places)]
    for place, milliseconds, size in found:
        say(f"  {place:20} {milliseconds:6.1f} ms  {size / 1000:6.1f} KB")
    slowest, largest = max(found, key=lambda row: row[1]), max(found, key=lambda row: row[2])
    yield Figure(
        name="console page served, median of pages",
        unit="ms",
        value=median(row[1] for row in found),
        is_limit=True,
    )
    yield Figure(
        name="console page served, slowest",
        unit="ms",
        value=slowest[1],
        target=TARGET_MS,
        is_limit=True,
        note=f"{slowest[0]}, median of {ROUNDS}",
    )
    yield Figure(
        name="console page, heaviest with all it loads",
        unit="bytes",
        value=largest[2],
        target=TARGET_BYTES,
        is_limit=True,
        note=largest[0],
    )


def _fill(console: Console) -> None:
    for number in range(MESSAGES):
        content = f"From: tomas@training.example\r\nSubject: Register {number}\r\n\r\nGood morning.\r\n"
        console.send(str(number), content.encode())
    words = [
        "--purpose",
        "CASE",
        "--case",
        "HR-12",
        "--reason",
        "Marks",
        "--alternative",
        "Asked",
        "--person",
        "tomas",
    ]
    today = datetime.now(LONDON).date()
    span = ["--from", str(today - timedelta(days=60)), "--until", str(today + timedelta(days=30))]
    command = [
        sys.executable,
        "-m",
        "muniment.cli",
        "permit",
        "ask",
        "--home",
        str(console.home.path),
        "--as",
        "hr",
    ]
    subprocess.run([*command, *words, *span], check=True, capture_output=True, timeout=120)


def _pages(browser: Session, places: tuple[str, ...]) -> Iterator[tuple[str, float, int]]:
    for place in places:
        answer = browser.ask(place)
        assert answer.status == 200, f"{place} answered {answer.status}"
        times = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            browser.ask(place)
            times.append((time.perf_counter() - started) * 1000)
        linked = {name.partition("?")[0] for name in _LINKED.findall(answer.text)}
        yield place, median(times), len(answer.body) + sum(len(browser.ask(name).body) for name in linked)
