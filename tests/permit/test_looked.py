"""Who looked how often under a permit, counted from the looks in a real record."""

from __future__ import annotations

import json
from typing import Any

from muniment.permit.looked import readers_of
from muniment.record.entry import Entry, Kind, Stream
from tests.permit.desk import Desk


def look(
    desk: Desk, act: str, *entries: int, permit: str = "2026-001", by: str = "hana", **more: Any
) -> None:
    plain = {"format": "muniment-look/1", "permit": permit, "revision": 1, "by": by, "role": "hr", "act": act}
    text = json.dumps(plain | {"entries": entries} | more).encode()
    desk.office.recorder.append([Entry(stream=Stream.LOOKS, kind=Kind.LOOK, plain=text)])


def test_searches_are_counted_and_each_message_shown_once(desk: Desk) -> None:
    look(desk, "open-room")
    look(desk, "search", 4, 5, 6, found=3, rung="envelope")
    look(desk, "envelope", 4)
    look(desk, "content", 5)
    look(desk, "content", 5)
    look(desk, "attachment", 6)
    look(desk, "scan", found=2, by="ida")
    look(desk, "climb", rung="content")
    look(desk, "search", 7, rung="content")
    look(desk, "content", 9, permit="2026-002")
    hana, ida = readers_of(desk.office.home, "2026-001")
    assert (hana.person, hana.role, hana.searches, hana.shown) == ("hana", "hr", 2, {5, 6, 7})
    assert (ida.searches, ida.shown) == (1, set())
    assert hana.first_ms <= hana.last_ms
    assert readers_of(desk.office.home, "2026-003") == []
    look(desk, "content", 8)
    assert readers_of(desk.office.home, "2026-001")[0].shown == {5, 6, 7, 8}


def test_what_is_no_look_is_passed_over(desk: Desk) -> None:
    for plain in (
        b'{"permit": "2026-001"',
        b'["2026-001"]',
        b'{"format": "muniment-look/9", "permit": "2026-001"}',
    ):
        desk.office.recorder.append([Entry(stream=Stream.LOOKS, kind=Kind.LOOK, plain=plain)])
    look(desk, "content", 1, permit="see 2026-001")
    assert readers_of(desk.office.home, "2026-001") == []
