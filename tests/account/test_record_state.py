"""What the page of the record's state says of what the recorder answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from muniment.account.record_state import StreamRow, describe, in_bytes, when
from muniment.record.entry import Stream

NOW = datetime(2026, 11, 25, 9, 20, tzinfo=UTC)


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


def status(**changes: Any) -> dict[str, Any]:
    return {
        "origin": "training.example/record",
        "size": 1_234,
        "root": "abc=",
        "published": 1_200,
        "checkpoint_time_ms": ms(2026, 11, 25, 9, 0),
        "witnessed": False,
        "streams": [{"name": "mail-gateway", "sequence": 12, "last_ms": ms(2026, 11, 24, 16, 5)}],
        "gaps": 0,
        "epochs": 3,
        "stored_bytes": 1_900_000,
        "example": True,
        "problems": [],
    } | changes


def test_the_page_says_what_the_recorder_answered() -> None:
    state = describe(status(), NOW)
    assert (state.title, state.entries, state.published, state.size) == (
        "The record has no gap",
        1_234,
        1_200,
        "1.9 MB",
    )
    assert (state.origin, state.root, state.signed) == ("training.example/record", "abc=", "9.00 am today")
    assert state.streams == (StreamRow("Mail through the gateway", "mail", 12, "4.05 pm, 24 Nov"),)
    assert state.is_witnessed is False
    witnesses = {"confirmed": ["chair", "union"], "of": 3, "at_ms": ms(2026, 11, 25, 9, 19), "size": 1_200}
    state = describe(status(witnessed=True, witnesses=witnesses), NOW)
    assert state.is_witnessed and state.witnessed == "witnessed by 2 of 3, 1 minute ago"
    assert (state.witnesses, state.confirmed) == (3, ("chair", "union"))


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"gaps": 1}, "The record has one gap"),
        ({"gaps": 2_000}, "The record has 2,000 gaps"),
        ({"problems": ["disk full"]}, "The record needs you"),
        ({"problems": ["disk full", "clock"], "gaps": 3}, "The record needs you in 2 things"),
    ],
)
def test_the_title_is_the_finding(changes: dict[str, Any], title: str) -> None:
    assert describe(status(**changes), NOW).title == title


def test_every_stream_there_is_has_a_name_for_people() -> None:
    names = [stream.name.lower().replace("_", "-") for stream in Stream]
    rows = [{"name": name, "sequence": 1, "last_ms": 1} for name in names]
    assert [row.label for row in describe(status(streams=rows), NOW).streams] == [
        "Keys and officers",
        "Heartbeats",
        "Retention and holds",
        "Policy",
        "People",
        "Permits",
        "Looks",
        "Packs handed out",
        "Notices, marks, disputes",
        "Mail through the gateway",
        "Mail journal",
        "Mail imported",
        "Mail refused",
        "What became of mail",
        "Attachments stored once",
    ]
    unknown = describe(status(streams=[{"name": "door-log", "sequence": 1, "last_ms": 1}]), NOW).streams
    assert unknown[0].label == "Door log"


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 KB"), (14_400, "14 KB"), (1_940_000, "1.9 MB"),
     (999_000_000_000, "999 GB"), (5_000_000_000_000, "5.0 TB"), (1_234 * 10**12, "1,234 TB")],
)  # fmt: skip
def test_sizes_are_in_the_unit_a_person_would_choose(count: int, said: str) -> None:
    assert in_bytes(count) == said


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (0, "not yet"),
        (ms(2026, 11, 25, 0, 0), "12.00 am today"),
        (ms(2026, 11, 25, 12, 5), "12.05 pm today"),
        (ms(2026, 11, 24, 23, 59), "11.59 pm, 24 Nov"),
        (ms(2026, 7, 1, 23, 30), "12.30 am, 2 Jul"),
        (ms(2025, 11, 25, 9, 0), "9.00 am, 25 Nov 2025"),
    ],
)
def test_moments_are_in_the_time_of_london(moment: int, said: str) -> None:
    assert when(moment, NOW) == said
