"""What IT Support's page says of the backup: when, where, when it was proved, what it still has to forget. Pure.

Source: R-5.1-a; docs/formats/backup.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muniment.account.record_state import when


@dataclass(frozen=True)
class BackupState:
    """The newest backup in words; `made` is empty when there is none, `checked` when it was never read again."""

    made: str = ""
    where: str = ""
    entries: str = ""
    checked: str = ""
    must_forget: bool = False


def describe_backup(status: Mapping[str, Any] | None, now: datetime) -> BackupState:
    """Return what the page says of the `backup` in the recorder's `status()`, seen at an aware moment."""
    backup = (status or {}).get("backup")
    if not backup or not backup["copied"]:
        return BackupState()
    copied, checked = backup["copied"], backup["checked"]
    return BackupState(
        when(int(copied["time_ms"]), now),
        str(copied["where"]),
        f"{int(copied['size']):,}",
        when(int(checked["time_ms"]), now) if checked else "",
        bool(backup["must_forget"]),
    )
