"""Every permission of the console, spelled part:thing:action.

There is no sign-in yet: whoever is at the machine has these, which is why the console is on loopback only.
"""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """What a route needs."""

    SEE_RECORD_STATE = "account:record-state:see"
    SEE_OUTSIDE = "account:outside:see"
    LOAD_STYLES = "site:styles:load"
