"""What is said in the stream of notices has one strict form each."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.account.notice_text import Answer, Dispute, Mailed, Mark, Notice, Saying, entry_of, parse
from muniment.policy.errors import BadInput
from muniment.record.entry import Kind, Stream

NOTICE = Notice(
    person="p",
    permit="2026-001",
    revision=1,
    officer="office-manager",
    roles=("hr",),
    purpose="conduct",
    entries=3,
    first_ms=1,
    last_ms=2,
    looks_below=9,
    delayed_until_ms=0,
    at_ms=3,
)
SAYINGS: list[Saying] = [
    NOTICE,
    Mailed(notice=4, at_ms=5),
    Mark(entry=6, by="p", mark="private"),
    Mark(entry=6, by="p", mark=""),
    Dispute(by="p", entry=None, permit="2026-001", ground="look", text="Why?"),
    Answer(dispute=7, by="d", text="Because."),
]


@pytest.mark.parametrize("saying", SAYINGS)
def test_what_is_written_is_read_back(saying: Saying) -> None:
    entry = entry_of(saying)
    assert (entry.stream, entry.kind) == (Stream.NOTICES, Kind.FACT)
    assert parse(entry.plain) == saying


def test_a_notice_has_no_room_for_who_asked_the_case_the_words_or_others() -> None:
    table = json.loads(entry_of(NOTICE).plain)
    for name in ("requester", "by", "case", "words", "reason", "subjects"):
        with pytest.raises(BadInput):
            parse(json.dumps(table | {name: "x"}).encode())


def test_a_mark_is_written_as_the_room_reads_it() -> None:
    assert json.loads(entry_of(SAYINGS[2]).plain) == {
        "format": "muniment-mark/1",
        "entry": 6,
        "by": "p",
        "mark": "private",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"entry": -1},
        {"entry": 2**63},
        {"mark": "public"},
        {"by": ""},
        {"entry": "6"},
        {"format": "muniment-mark/2"},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        parse(json.dumps(json.loads(entry_of(SAYINGS[2]).plain) | changes).encode())


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode) | st.just(b"[" * 60_000))
def test_nothing_but_bad_input_is_ever_raised(data: bytes) -> None:
    with suppress(BadInput):
        parse(data)
