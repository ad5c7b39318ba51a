"""IT Support sees when and where the newest backup is, and whether it still has something to forget. R-5.1-a."""

from __future__ import annotations

from datetime import UTC, datetime

from muniment.account.backup_state import BackupState, describe_backup

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
COPIED = {"time_ms": 1_793_527_200_000, "where": "/media/backup", "size": 1234}


def test_without_a_backup_or_a_recorder_nothing_is_claimed() -> None:
    for status in (None, {}, {"backup": {"copied": None, "checked": None, "must_forget": False}}):
        assert describe_backup(status, NOW) == BackupState()


def test_the_newest_backup_is_told_with_its_place_and_proof() -> None:
    status = {"backup": {"copied": COPIED, "checked": None, "must_forget": True}}
    state = describe_backup(status, NOW)
    assert (state.where, state.entries, state.checked, state.must_forget) == (
        "/media/backup",
        "1,234",
        "",
        True,
    )
    assert state.made == "10.00 am today"
    checked = describe_backup({"backup": status["backup"] | {"checked": COPIED, "must_forget": False}}, NOW)
    assert checked.checked == checked.made
    assert not checked.must_forget
