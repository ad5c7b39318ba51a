"""A recorder's process under several senders, killed at random instants and started again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path

from muniment.policy.errors import MunimentError
from muniment.record.client import Recorder
from muniment.record.machine import example_file, example_text
from muniment.record.opening import clock_ms
from tests.record.recording import SECRET, check_record, contents, mail, make_home, message, recording

SENDERS = 4
_MOST = 60


class Load:
    """One record and the numbers of the messages that its recorders acknowledged."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.home = make_home(folder, clock_ms)
        example_file(self.home).write_bytes(example_text(SECRET))
        self.acknowledged: list[int] = []
        self._chance = chance
        self._numbers = count()
        self._is_due = threading.Event()

    def kill_once(self) -> int:
        """Start, load, kill, start again and compare; return how many messages were acknowledged."""
        before = len(self.acknowledged)
        due = before + self._chance.randint(1, _MOST)
        self._is_due.clear()
        with subprocess.Popen(
            [sys.executable, "-m", "muniment.serve.recorder", str(self.home.path)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"ready")
            senders = [threading.Thread(target=self._send, args=(due,)) for _ in range(SENDERS)]
            for sender in senders:
                sender.start()
            assert self._is_due.wait(60)
            process.send_signal(signal.SIGKILL)
            for sender in senders:
                sender.join(60)
        self.compare()
        return len(self.acknowledged) - before

    def _send(self, due: int) -> None:
        with suppress(MunimentError, OSError), Recorder(self.home.socket) as recorder:
            while True:
                numbers = [next(self._numbers) for _ in range(1 + next(self._numbers) % 3)]
                recorder.append([mail(n) for n in numbers])
                self.acknowledged += numbers
                if len(self.acknowledged) >= due:
                    self._is_due.set()

    def compare(self) -> None:
        """Find everything acknowledged, once, and the record whole."""
        with recording(self.home, clock_ms):
            pass
        found = list(contents(self.home).values())
        kept = set(found)
        assert [n for n in self.acknowledged if message(n) not in kept] == []
        assert len(found) == len(kept)
        check_record(self.home)
