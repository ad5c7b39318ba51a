"""A person at a terminal: a command runs in a pseudo-terminal, is read until it says something, and typed to."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DEADLINE_SECONDS = 60.0


class Terminal:
    """A running command and everything it has shown so far."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process, self._descriptor = process, descriptor
        self.shown = ""
        self._seen = 0

    def wait_for(self, text: str) -> str:
        """Return what was shown since the last wait, up to and with `text`."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (at := self.shown.find(text, self._seen)) < 0:
            assert self._read(deadline), f"ended or fell silent before {text!r}:\n{self.shown}"
        start, self._seen = self._seen, at + len(text)
        return self.shown[start : self._seen]

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        os.write(self._descriptor, line.encode() + b"\n")

    def press(self, key: bytes) -> None:
        """Press one key, for instance Ctrl-C."""
        os.write(self._descriptor, key)

    def kill(self) -> None:
        """End the command as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(DEADLINE_SECONDS)

    def finish(self) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self._read(deadline):
            pass
        return self.process.wait(DEADLINE_SECONDS)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._descriptor, 65_536)
        except OSError:  # Linux says so when the other end is closed
            return False
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)


@contextmanager
def terminal(arguments: Sequence[str], folder: Path) -> Iterator[Terminal]:
    """Run `muniment` at a terminal, with `folder` as its place for temporary files."""
    outer, inner = pty.openpty()
    environment = {**os.environ, "TMPDIR": str(folder), "HOME": str(folder)}
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from muniment.cli.main import main; sys.exit(main())",
            *arguments,
        ],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(inner)
    try:
        yield Terminal(process, outer)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(DEADLINE_SECONDS)
        os.close(outer)


def _take_terminal() -> None:
    """Make the pseudo-terminal the one that Ctrl-C acts on, also where whoever runs the tests ignores it."""
    import fcntl
    import termios

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
