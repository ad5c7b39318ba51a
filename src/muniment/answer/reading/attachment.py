"""The text of an attachment, or why it has none. Files are opened in workers with limits, never in this process.

Source: R-5.1-a; R-5.4-c; docs/formats/room-socket.md (`attachment`).
"""

from __future__ import annotations

from muniment.answer.reading.extracted import Extracted, Problem
from muniment.answer.reading.workers import shared

MAX_ATTACHMENT_BYTES = 64 << 20
SECONDS = 30.0

__all__ = ["Extracted", "Problem", "text_of"]


def text_of(name: str, type: str, data: bytes) -> Extracted:
    """Return the text of a file, at most 8 Mi characters; never raises, and takes at most about twice SECONDS."""
    if len(data) > MAX_ATTACHMENT_BYTES:
        return Extracted("", Problem.TOO_LARGE)
    if not data.strip():
        return Extracted()
    return shared().extract(name[:1_000], type[:200], data, SECONDS)
