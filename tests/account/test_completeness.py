"""IT Support's page says whether anything is left out, in numbers and plain words. R-2.1-b."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from muniment.account.completeness import completeness_of

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
HOUR_MS = 3_600_000


def reconciled(**changes: Any) -> dict[str, Any]:
    found = {
        "number": "health/7",
        "at_ms": NOW_MS - 2 * HOUR_MS,
        "from_ms": NOW_MS - 26 * HOUR_MS,
        "until_ms": NOW_MS - 2 * HOUR_MS,
        "accepted": 1120,
        "recorded": 1120,
        "missing": 0,
        "unnamed": 0,
        "is_whole": True,
        "tallies": True,
    }
    return {"reconciliation": found | changes}


def test_a_record_that_was_never_compared_says_so() -> None:
    found = completeness_of(
        {"reconciliation": None, "silences": [], "alarms": {"total": 0, "newest": []}}, NOW
    )
    assert [(row.state, row.shape) for row in found.rows] == [("Not compared", "wait")]
    assert found.title == ""


def test_a_comparison_says_its_figures_its_time_and_its_number() -> None:
    (row,) = completeness_of(reconciled(), NOW).rows
    assert (row.state, row.shape) == ("Tallies", "good")
    assert row.says.startswith(
        "Accepted 1,120, recorded 1,120, missing 0, from 7.00 am, 24 Nov to 7.00 am today."
    )
    assert row.says.endswith("Stated 2 hours ago as health/7.")


def test_what_could_not_be_judged_or_differs_is_never_good() -> None:
    (row,) = completeness_of(reconciled(is_whole=False), NOW).rows
    assert row.shape == "wait" and "missing 0 so far as could be judged" in row.says
    found = completeness_of(reconciled(tallies=False, unnamed=2), NOW)
    assert found.rows[0].shape == "stop" and "two entries the log does not name" in found.rows[0].says
    assert found.title == "The mail server’s log and the record differ"


def test_silences_and_alarms_are_rows_with_numbers() -> None:
    silence = {"stream": "mail-gateway", "after": 12, "since_ms": NOW_MS - 30 * HOUR_MS, "hours": 24}
    pairs = [
        {"at_ms": NOW_MS, "entry": f"mail-gateway/{n}", "earlier": "mail-gateway/1"} for n in range(9, 2, -1)
    ]
    found = completeness_of({"silences": [silence], "alarms": {"total": 30, "newest": pairs}}, NOW)
    _, silent, alarm = found.rows
    assert (silent.what, silent.state) == ("Mail through the gateway", "Silent")
    assert "since 3.00 am, 24 Nov, after mail-gateway/12" in silent.says
    assert alarm.state == "30 pairs"
    assert (
        "mail-gateway/9 and mail-gateway/1 (9.00 am today)" in alarm.says and "25 earlier pairs" in alarm.says
    )
    assert found.title == "Mail through the gateway is silent"
    two = completeness_of({"silences": [silence, silence | {"stream": "mail-journal", "after": 0}]}, NOW)
    assert two.title == "2 streams are silent"
    assert "has never had an entry" in two.rows[2].says
