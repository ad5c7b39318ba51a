"""The stages of a record's life, each as small as can be, for a disk that fails somewhere in it.

A stage is prepared with a disk that works and acted with one that fails. Whoever acts does what a running house does:
he tries again while he is told to try later, and starts the recorder anew when that does not help.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import MunimentError
from muniment.record.entry import Entry, Kind, Retention, Stream
from muniment.record.home import Home
from muniment.record.opening import OpenRecord, create_record, open_record
from muniment.record.rebuild import rebuild
from muniment.record.replacing import replace_officer
from tests.organisation import policy_text, private_key_bytes, public_key_base64
from tests.record.faulty import FaultyDisk
from tests.record.recording import SECRET, Clock, mail, message

ORIGIN = "training.example/record"
NEWCOMER = "newcomer"
_TRIES = 4


@dataclass
class Run:
    """One record and whoever uses it; `dies` has him kill the recorder at the first failure."""

    path: Path
    disk: FaultyDisk = field(default_factory=FaultyDisk)
    dies: bool = False
    clock: Clock = field(default_factory=Clock)
    acknowledged: list[bytes] = field(default_factory=list)
    record: OpenRecord | None = None
    failures: int = 0
    deaths: int = 0

    @property
    def home(self) -> Home:
        return Home(self.path / "home")

    def until_done(self, act: Callable[[], Any]) -> Any:
        """Do something, again when it fails."""
        for attempt in range(_TRIES):
            try:
                return act()
            except MunimentError:
                self.failures += 1
                if attempt == _TRIES - 1:
                    raise
                if self.dies or attempt:
                    self.die()
        raise AssertionError

    def opened(self) -> OpenRecord:
        if self.record is None:
            self.record = open_record(self.home, SECRET, clock=self.clock, disk=self.disk)
        return self.record

    def append(self, entries: list[Entry]) -> None:
        self.until_done(lambda: self.opened().append(entries))
        self.acknowledged += [entry.content for entry in entries if entry.content]

    def tick(self) -> None:
        self.until_done(lambda: self.opened().tick())

    def die(self) -> None:
        """End as a killed process does: nothing is finished, the lock is free."""
        self.deaths += 1
        if self.record is not None:
            self.record.record.parts.catalogue.close()
            os.close(self.record._lock)
            self.record = None

    def stop(self) -> None:
        if self.record is not None:
            record, self.record = self.record, None
            record.close()


class Stage(NamedTuple):
    """A part of a record's life: what is there before, and what is done while the disk fails."""

    prepare: Callable[[Run], None]
    act: Callable[[Run], None]


def of_every_class(number: int) -> list[Entry]:
    """Return a batch of three classes with the same letter twice."""
    refused = mail(number + 1)
    return [
        mail(number),
        Entry(stream=Stream.PEOPLE, kind=Kind.FACT, plain=b'{"person":"added"}'),
        mail(number, sent=message(number) + b"--\r\nExample Training Ltd\r\n"),
        Entry(
            stream=Stream.MAIL_REFUSED,
            channel=refused.channel,
            retention=Retention.REFUSED,
            content=refused.content,
        ),
    ]


def _make(run: Run) -> None:
    run.home.path.mkdir(parents=True, exist_ok=True)
    run.home.policy_file.write_text(policy_text(record__anchor_dir=str(run.path / "elsewhere")))

    def create() -> None:
        shutil.rmtree(run.home.record, ignore_errors=True)
        shutil.rmtree(run.path / "elsewhere", ignore_errors=True)
        create_record(run.home, SECRET, run.clock, run.disk)

    run.until_done(create)


def _begin(run: Run) -> None:
    _make(run)
    run.append(of_every_class(1))
    run.tick()
    run.stop()


def _append(run: Run) -> None:
    run.append(of_every_class(11))
    run.append(of_every_class(11))


def _end_epochs(run: Run) -> None:
    run.append([mail(11)])
    run.clock.advance(seconds=3600)
    run.tick()
    run.append([mail(12)])


def _fill_segment(run: Run) -> None:
    with patch("muniment.record.segment.MAX_BYTES", 4_000):
        for at in range(11, 17, 2):
            run.append([mail(at), mail(at + 1)])


def _begin_long(run: Run) -> None:
    _make(run)
    run.append([Entry(stream=Stream.PEOPLE, kind=Kind.FACT, plain=b"{}") for _ in range(243)])
    run.tick()
    run.stop()


def _publish(run: Run) -> None:
    run.append([mail(11 + n) for n in range(4)])
    run.tick()
    run.append([mail(15)])
    run.tick()


def _break_flush(run: Run) -> None:
    run.append([mail(11)])
    run.disk.breaks_next_flush = True
    run.append([mail(12), mail(13)])


def _tear(run: Run) -> None:
    """Leave a torn tail, and a flush that the catalogue has forgotten with a failure of the power."""
    _begin(run)
    run.append([mail(5)])
    run.die()
    kept = run.path / "record.db"
    shutil.copy(run.home.database, kept)
    run.append([mail(6)])
    run.die()
    shutil.move(kept, run.home.database)
    for suffix in ("-wal", "-shm"):
        Path(f"{run.home.database}{suffix}").unlink(missing_ok=True)
    newest = max((run.home.segments / "mail").iterdir())
    with newest.open("ab") as file:
        file.write(b"MFR1 a torn tail")


def _start(run: Run) -> None:
    run.append([mail(11)])


def _next_quarter(run: Run) -> None:
    run.append([mail(11)])
    run.clock.advance(days=91)
    run.append([mail(12), mail(12)])
    run.clock.advance(days=91)
    run.append([mail(13)])
    run.append([mail(13)])


def _turn(run: Run) -> None:
    run.append([mail(11)])
    with suppress(MunimentError):  # whoever asked for it is told so; mail goes on coming in
        run.opened().record.parts.keeper.turn()
    run.until_done(lambda: run.opened().record.end_epoch(Retention.MAIL))
    run.append([mail(12)])


def _replace(run: Run) -> None:
    text = policy_text(
        record__anchor_dir=str(run.path / "elsewhere"),
        officers__2__id=NEWCOMER,
        officers__2__public_key=public_key_base64(NEWCOMER),
    )
    run.home.policy_file.write_text(text)
    key = X25519PrivateKey.from_private_bytes(private_key_bytes("managing-director"))

    def replace() -> None:
        if NEWCOMER.encode() not in _stated(run):
            replace_officer(run.home, SECRET, officer_key=key, clock=run.clock, disk=run.disk)

    run.until_done(replace)
    run.append([mail(11)])


def _stated(run: Run) -> bytes:
    """Return the newest officer set in the record, as a person sees it before he tries again."""
    accepted = open_record(run.home, SECRET, clock=run.clock, accept_new_officers=True)
    with accepted:
        return accepted.stated_officers()


def _rebuild(run: Run) -> None:
    with sqlite3.connect(run.home.database) as database:
        database.execute("DELETE FROM mention")
    database.close()
    run.until_done(lambda: rebuild(run.home, ORIGIN, SECRET, disk=run.disk))
    run.append([mail(11)])


STAGES = {
    "create": Stage(lambda run: None, _make),
    "append": Stage(_begin, _append),
    "end of an epoch": Stage(_begin, _end_epochs),
    "next segment": Stage(_begin, _fill_segment),
    "publish": Stage(_begin_long, _publish),
    "quarantine": Stage(_begin, _break_flush),
    "start after a crash": Stage(_tear, _start),
    "duplicate key": Stage(_begin, _next_quarter),
    "turn of the ring": Stage(_begin, _turn),
    "officer replaced": Stage(_begin, _replace),
    "rebuild": Stage(_begin, _rebuild),
}
