"""How long somebody stays signed in, and how much a page takes; free of Django, because its settings need them."""

from __future__ import annotations

from datetime import timedelta

LONGEST_SESSION = timedelta(hours=12)
LONGEST_IDLE = timedelta(minutes=30)
MOST_BYTES = 1 << 20
