"""The name a client signs in with, taken from the lines of an AUTH exchange that passes through; never the password.

PLAIN and LOGIN carry the name in the clear; of other mechanisms nothing is kept. Source: RFC 4954, RFC 4616.
"""

from __future__ import annotations

import base64
import binascii

NAME_LIMIT = 320


class AuthName:
    """Hears the client's lines of one exchange and holds the name, "" while it is not known."""

    def __init__(self) -> None:
        self.name = ""
        self._mechanism = ""
        self._answers = 0

    def hear(self, line: bytes) -> None:
        """Take the AUTH command or a later line of the client."""
        words = line.split(b" ")
        if not self._mechanism:
            self._mechanism = words[1].decode("ascii", "replace").upper() if len(words) > 1 else "?"
            if len(words) < 3:
                return
        self._answers += 1
        if self._answers == 1:
            self.name = self._read(words[-1])

    def _read(self, answer: bytes) -> str:
        try:
            clear = base64.b64decode(answer, validate=True)
        except (ValueError, binascii.Error):
            return ""
        if self._mechanism == "PLAIN":
            parts = clear.split(b"\0")
            clear = parts[1] if len(parts) == 3 else b""
        elif self._mechanism != "LOGIN":
            clear = b""
        return clear.decode("utf-8", "replace")[:NAME_LIMIT]
