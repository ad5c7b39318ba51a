"""The clockwork's process: `python -m muniment.serve.clockwork HOME`. Each minute it does what is due by the clock.

1. Rows of acts that were recorded while the console was killed are made.
2. Permits whose days are over are ended; delays of notices whose time is over too.
3. Renewals of permits "from now on" are drafted; an officer decides each.
4. Notices that are due reach the people looked at.
5. The newest checkpoint goes to the witnesses, and each morning to the officers.
6. The backup is run at its interval, and at once when something was forgotten.

Everything it does is an entry of the record before it is anything else, and each step looks there first: killed and
started again it repeats nothing. A step that fails is said and tried again; mail does not stop for it.
Source: R-5.2-f, R-5.3-c.
"""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

from muniment.policy.errors import MunimentError
from muniment.record.home import Home
from muniment.record.opening import clock_ms
from muniment.serve.backups import BackupRuns
from muniment.serve.clockwork_mail import CheckpointMail
from muniment.serve.clockwork_witness import WitnessRound
from muniment.site.attach import attached

if TYPE_CHECKING:
    from muniment.permit.office import Office

PAUSE_SECONDS = 60.0
Say = Callable[[str], None]


class Clockwork:
    """Does what is due; remembers only what it has said already, so that it says each thing once."""

    def __init__(self, home: Home, say: Say, now_ms: Callable[[], int] = clock_ms) -> None:
        self._home, self._say, self._now_ms = home, say, now_ms
        self._said: set[str] = set()
        self._backups = BackupRuns(home, now_ms)
        self._witnesses = WitnessRound(home, self._tell)
        self._mail = CheckpointMail(home, now_ms)

    def round(self) -> None:
        """Do everything that is due now, each step whatever became of the one before."""
        for step in (
            self._mend,
            self._end,
            self._renew,
            self._notify,
            self._witness,
            self._post,
            self._back_up,
        ):
            try:
                with attached(self._home):
                    step()
            except MunimentError as error:
                self._tell(f"{step.__name__.strip('_')}: {error}")
            except Exception:
                self._tell(traceback.format_exc())
        _let_go()

    def _mend(self) -> None:
        from muniment.permit.rows import mend_new

        for number in mend_new(self._home, self._now_ms()):
            self._say(f"the row of permit {number} is made from the record")

    def _end(self) -> None:
        from muniment.permit.acts import end_due
        from muniment.permit.delays import end_delays_due

        with self._office() as office:
            for permit in end_due(office):
                self._say(f"permit {permit.number} has ended")
            for permit in end_delays_due(office):
                self._say(f"the notice under permit {permit.number} is delayed no longer")

    def _renew(self) -> None:
        from muniment.permit.renewal import renew_due

        with self._office() as office:
            for permit in renew_due(office, self._cannot):
                self._say(f"permit {permit.number} is asked for, to renew {permit.parent}")

    def _notify(self) -> None:
        from muniment.account.notices import deliver_due

        deliver_due(self._home, datetime.fromtimestamp(self._now_ms() / 1000, UTC))

    def _witness(self) -> None:
        self._witnesses.run()

    def _post(self) -> None:
        if sent := self._mail.run():
            self._say(f"today's checkpoint went to {sent} officers")

    def _back_up(self) -> None:
        self._backups.look()

    def stop(self) -> None:
        """End what is under way in a process of its own."""
        self._backups.stop()

    def _office(self) -> AbstractContextManager[Office]:
        from muniment.permit.office import open_office

        return open_office(self._home, self._now_ms)

    def _cannot(self, number: str, error: MunimentError) -> None:
        self._tell(f"permit {number} is not renewed: {error}")

    def _tell(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            self._say(words)


def main(argv: Sequence[str] | None = None) -> int:
    """Do what is due, each minute, until SIGTERM."""
    parser = argparse.ArgumentParser(prog="muniment.serve.clockwork", description=__doc__)
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args(argv).home.absolute())
    stopping = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    print("ready: each minute", flush=True)
    clockwork = Clockwork(home, _say)
    while not stopping.is_set():
        clockwork.round()
        stopping.wait(PAUSE_SECONDS)
    clockwork.stop()
    return 0


def _let_go() -> None:
    """Close the database until the next round; a home that is not prepared has none."""
    from django.conf import settings
    from django.db import connections

    if settings.configured:
        connections.close_all()


def _say(words: str) -> None:
    print(f"muniment clockwork: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
