"""When a backup is due, and who runs it: a process of its own, so that nothing waits for a long first run.

It is due at its interval, and at once when the ring was turned: then the backup still holds what the record forgot.
The process is `muniment backup`; it may be killed at any time. Source: docs/formats/backup.md.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from muniment.policy.errors import kind_of
from muniment.policy.policyfile import load
from muniment.record.client import Recorder
from muniment.record.home import Home

_HOUR_MS = 3_600_000
_RETRY_MS = 600_000


def is_due(status: dict[str, Any], place: str, every_hours: int, now_ms: int) -> bool:
    """Tell whether a run is due; `status` is the recorder's `backup`."""
    copied = status["copied"]
    if copied is None or copied["where"] != place:
        return True
    return bool(status["must_forget"]) or now_ms - int(copied["time_ms"]) >= every_hours * _HOUR_MS


class BackupRuns:
    """Starts a run when one is due, one at a time, and raises at the next look what the last one died of."""

    def __init__(self, home: Home, now_ms: Callable[[], int]) -> None:
        self._home, self._now_ms = home, now_ms
        self._process: subprocess.Popen[str] | None = None
        self._failed_ms = 0

    def look(self) -> None:
        """Start a run when one is due.

        Raises:
            MunimentError: the last run failed; the next is tried ten minutes later.
        """
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._take_result()
        settings = load(self._home.policy_file).backup
        if not settings.to or self._now_ms() - self._failed_ms < _RETRY_MS:
            return
        with Recorder(self._home.socket) as recorder:
            status = recorder.status()["backup"]
        if is_due(status, settings.to, settings.every_hours, self._now_ms()):
            command = [sys.executable, "-m", "muniment.cli", "backup", "--home", str(self._home.path)]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )

    def wait(self) -> None:
        """Return when the run that was started has ended; errors as `look`."""
        if self._process is not None:
            self._process.wait()
            self._take_result()

    def stop(self) -> None:
        """End a run that is under way; the next one goes on where it was."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
            self._process = None

    def _take_result(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        said = process.communicate()[1].strip()
        if process.returncode:
            self._failed_ms = self._now_ms()
            last = said.splitlines()[-1:] or ["it said nothing"]
            raise kind_of(process.returncode)(last[0].removeprefix("muniment: "))
