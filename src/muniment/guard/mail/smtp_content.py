"""The content of one message after DATA: where it ends, whether it may be taken, and its bytes without dot-stuffing.

The end is CRLF.CRLF, found by searching the buffer, never line by line; any other mixture of CR, LF and a dot is
content, and a bare CR or LF makes the message one that two servers could read differently, so it is a fault. So does
a line of one dot behind NULs, which a server that drops NULs would take for the end.
Source: RFC 5321 sections 2.3.8, 4.1.1.4 and 4.5.2; R-5.1-a.
"""

from __future__ import annotations

import re

from muniment.guard.mail.smtp_event import Fault, Message

_END = b"\r\n.\r\n"
_HIDDEN_END = re.compile(rb"(?:\A|\n)\x00+\.\x00*\r\n")


class ContentReader:
    """Reads one message after another out of a buffer that its owner fills."""

    def __init__(self, max_message_bytes: int) -> None:
        self.max_message_bytes = (
            max_message_bytes  # counted as they come over the wire, stuffed dots included
        )
        self._scanned = self._discarded = 0
        self._fault: Fault | None = None

    def overload(self) -> None:
        """Keep no more of the message being read; it will come as a fault."""
        self._fault = self._fault or Fault.OVERLOADED

    def next_message(self, held: bytearray) -> Message | None:
        """Take the message off the front of `held` if its end is there; of a message at fault keep four bytes."""
        if not self._discarded and held.startswith(b".\r\n"):
            return self._finish(held, 0, 3)
        at = held.find(_END, max(0, self._scanned - 4))
        if at >= 0:
            return self._finish(held, at + 2, at + 5)
        self._scanned = len(held)
        if self._fault is None and self._scanned > self.max_message_bytes + 2:  # two bytes may begin the end
            self._fault = Fault.TOO_LARGE
        if self._fault is not None and self._scanned > 4:
            self._discarded += self._scanned - 4
            del held[:-4]
            self._scanned = 4
        return None

    def _finish(self, held: bytearray, length: int, taken: int) -> Message:
        wire_bytes, fault = self._discarded + length, self._fault
        self._scanned = self._discarded = 0
        self._fault = None
        if fault is None and wire_bytes > self.max_message_bytes:
            fault = Fault.TOO_LARGE
        with memoryview(held) as view:
            content = b"" if fault else bytes(view[:length])
        del held[:taken]
        content = unstuff(content)
        if has_bare_newline(content):
            fault = Fault.BARE_NEWLINE
        elif has_hidden_end(content):
            fault = Fault.HIDDEN_END
        return Message(content, wire_bytes, fault)


def has_bare_newline(content: bytes) -> bool:
    """Whether a CR stands without LF or an LF without CR. Source: RFC 5321 section 2.3.8."""
    pairs = content.count(b"\r\n")
    return content.count(b"\n") != pairs or content.count(b"\r") != pairs


def has_hidden_end(content: bytes) -> bool:
    """Whether a line would be a lone dot but for NULs before it; where the dot leads, the client's side doubles it."""
    return b"\x00." in content and _HIDDEN_END.search(content) is not None


def unstuff(content: bytes) -> bytes:
    """Remove the dot that leads a line. Source: RFC 5321 section 4.5.2."""
    if content.startswith(b"."):
        content = content[1:]
    return content.replace(b"\r\n.", b"\r\n") if b"\r\n." in content else content
