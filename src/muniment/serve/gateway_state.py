"""What all sessions of the gateway share: settings, the policy's view, the way to the recorder, memory, counters."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from muniment.serve.gateway_link import RecorderLink
from muniment.serve.gateway_settings import Settings, View


class Memory:
    """The bytes of messages in flight, over all sessions."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0

    def take(self, count: int) -> bool:
        """Reserve bytes if there is room for them."""
        if self.used_bytes + count > self.limit_bytes:
            return False
        self.used_bytes += count
        return True

    def give(self, count: int) -> None:
        """Return reserved bytes."""
        self.used_bytes -= count


class GatewayState:
    """Shared by the sessions of one process; `view` is swapped whole when the policy changes."""

    def __init__(self, settings: Settings, view: View, link: RecorderLink) -> None:
        self.settings, self.view, self.link = settings, view, link
        self.memory = Memory(settings.limits.memory_bytes)
        self.counters: Counter[str] = Counter()
        self.sessions: dict[asyncio.Task[None], Callable[[], None]] = {}  # each with what wakes it up
        self.is_stopping = False

    def status(self) -> dict[str, object]:
        """Return the counters and what is under way, for people."""
        return {
            "counters": dict(sorted(self.counters.items())),
            "sessions": len(self.sessions),
            "memory_bytes": self.memory.used_bytes,
            "recorder_failures": self.link.failures,
            "snapshot": self.view.digest,
        }
