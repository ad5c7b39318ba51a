"""The gateway's way to the recorder: one connection, made again when it is lost, with a limit on time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from muniment.policy.errors import Unavailable
from muniment.record.client import AsyncRecorder
from muniment.record.entry import Entry, Receipt


class RecorderLink:
    """Appends entries; any number of tasks at once."""

    def __init__(self, socket: Path, seconds: float) -> None:
        self._socket, self._seconds = socket, seconds
        self._recorder: AsyncRecorder | None = None
        self._connecting = asyncio.Lock()
        self._background: set[asyncio.Task[list[Receipt]]] = set()
        self.failures = 0

    async def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Record entries and return their receipts; all are flushed then.

        Raises:
            Unavailable: it is not known that they are stored, so nothing may be acknowledged.
        """
        try:
            async with asyncio.timeout(self._seconds):
                recorder = self._recorder
                if recorder is None or not recorder.is_usable:
                    recorder = await self._connect()
                return await recorder.append(entries)
        except TimeoutError:
            self.failures += 1
            raise Unavailable(f"the recorder has not answered within {self._seconds:g} seconds") from None
        except Unavailable:
            self.failures += 1
            raise

    def append_later(self, entry: Entry) -> None:
        """Record an entry nobody waits for; a failure is counted."""
        task = asyncio.create_task(self.append([entry]))
        self._background.add(task)
        task.add_done_callback(self._finished)

    async def close(self) -> None:
        """Wait for what is under way and close the connection."""
        if self._background:
            await asyncio.wait(self._background, timeout=self._seconds)
        if self._recorder is not None:
            await self._recorder.close()

    def _finished(self, task: asyncio.Task[list[Receipt]]) -> None:
        self._background.discard(task)
        with suppress(asyncio.CancelledError):
            task.exception()

    async def _connect(self) -> AsyncRecorder:
        async with self._connecting:
            if self._recorder is None or not self._recorder.is_usable:
                self._recorder = await AsyncRecorder.connect(self._socket)
            return self._recorder
