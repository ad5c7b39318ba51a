"""A run's side of the recorder's socket: the operations `standing` and `backed-up`.

Source: docs/formats/recorder-socket.md.
"""

from __future__ import annotations

import msgspec

from muniment.record.backup.noted import Noted
from muniment.record.backup.standing import Standing
from muniment.record.client import Recorder
from muniment.record.home import Home

_TIMEOUT_SECONDS = 300.0  # a checkpoint over a long batch is signed first


class RunningRecord:
    """The record of a home whose recorder runs; each question is a connection of its own, for a run may take hours."""

    def __init__(self, home: Home) -> None:
        self._home = home
        Recorder(home.socket).close()

    def standing(self) -> Standing:
        """Return where the record stands."""
        with Recorder(self._home.socket, _TIMEOUT_SECONDS) as recorder:
            return msgspec.convert(recorder.do("standing"), Standing)

    def note(self, done: Noted) -> None:
        """Record that a run ended well."""
        with Recorder(self._home.socket) as recorder:
            recorder.do("backed-up", msgspec.to_builtins(done))
