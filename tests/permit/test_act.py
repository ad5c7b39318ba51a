"""An act is read back as it was written, and whatever else lies in its stream is bad input."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.permit.act import Act, entry_of, parse_act
from muniment.permit.replay import read_history, replay
from muniment.permit.state import Doing
from muniment.policy.errors import BadInput
from muniment.record.entry import Kind, Retention, Stream
from muniment.record.open_entries import OpenEntry
from muniment.record.permit_text import ACT_FORMAT
from tests.permit import vectors
from tests.record.recording import check_record, make_home, recording

TEXT = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())
MEMBERS = {
    Doing.ASK: {"request": TEXT},
    Doing.NARROW: {"request": TEXT, "reason": TEXT},
    Doing.APPROVE: {"approval": TEXT, "signature": st.binary(min_size=64, max_size=64)},
    Doing.REFUSE: {"reason": TEXT},
    Doing.WITHDRAW: {"reason": TEXT},
    Doing.REVOKE: {"reason": TEXT},
    Doing.END: {},
    Doing.DELAY: {"reason": TEXT, "ground": TEXT, "until_ms": st.integers(1, 1 << 50)},
    Doing.END_DELAY: {"reason": TEXT, "ground": TEXT, "until_ms": st.integers(1, 1 << 50)},
    Doing.AWAY: {"officer": TEXT, "until_ms": st.integers(1, 1 << 50)},
}


def acts_of(doing: Doing) -> st.SearchStrategy[Act]:
    return st.builds(
        Act,
        format=st.just(ACT_FORMAT),
        act=st.just(doing),
        number=st.just("2026-001"),
        revision=st.integers(1, 3),
        by=TEXT,
        at_ms=st.integers(0, 1 << 50),
        **MEMBERS[doing],
    )


ACTS = st.sampled_from(Doing).flatmap(acts_of)


@given(ACTS)
def test_an_act_is_read_back_as_it_was_written(act: Act) -> None:
    entry = entry_of(act)
    assert (entry.stream, entry.kind, entry.retention) == (Stream.PERMITS, Kind.APPROVAL, Retention.JOURNAL)
    assert parse_act(entry.plain) == act


@given(st.one_of(st.binary(max_size=200), ACTS.map(lambda act: msgspec.json.encode(act)[:-1])))
def test_other_bytes_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_act(data)


@pytest.mark.parametrize(
    "change",
    [
        {"reason": ""},
        {"surplus": 1},
        {"request": "{}"},
        {"act": "allow"},
        {"revision": 0},
        {"format": "muniment-permit-act/2"},
    ],
)
def test_an_act_has_the_members_of_its_kind_and_no_others(change: dict[str, object]) -> None:
    values = {
        "format": ACT_FORMAT,
        "act": "refuse",
        "number": "2026-001",
        "revision": 1,
        "by": "x",
        "at_ms": 1,
    }
    parse_act(msgspec.json.encode(values | {"reason": "No."}))
    with pytest.raises(BadInput):
        parse_act(msgspec.json.encode(values | {"reason": "No."} | change))


@given(st.lists(st.one_of(ACTS, st.just(None)), max_size=8), st.binary(max_size=30))
def test_no_stream_of_acts_raises(acts: list[Act | None], junk: bytes) -> None:
    """Whatever somebody writes into the stream, the rest of it is still read."""
    entries = [_entry(at, msgspec.json.encode(act) if act else junk) for at, act in enumerate(acts, start=1)]
    history = replay(entries)
    absences = sum(act is not None and act.act is Doing.AWAY for act in acts)
    taken = sum(len(each.events) for each in history.permits.values())
    assert len(history.findings) + taken + absences == len(entries)


def test_a_request_in_the_stream_is_that_of_its_number() -> None:
    from muniment.record import permit_text

    text = permit_text.encode(vectors.request())
    act = Act(format=ACT_FORMAT, act=Doing.ASK, number="2026-001", revision=1, by="x", at_ms=1, request=text)
    history = replay([_entry(1, entry_of(act).plain)])
    assert history.permits == {} and "permit 2026-003, revision 2" in history.findings[0]


def _entry(sequence: int, plain: bytes) -> OpenEntry:
    return OpenEntry(index=sequence, sequence=sequence, captured_ms=sequence, kind=6, plain=plain)


def test_a_process_reads_each_act_once_and_a_home_in_anothers_place_anew(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    act = Act(format=ACT_FORMAT, act=Doing.END, number="2026-001", revision=1, by="muniment", at_ms=1)
    for expected in (1, 2):
        with recording(home) as record:
            record.append([entry_of(act)])
        assert len(read_history(home).findings) == expected
    read_history(home).findings.clear()
    assert len(read_history(home).findings) == 2  # what a caller does to its copy stays there
    home.path.rename(tmp_path / "old")
    other = make_home(tmp_path)
    assert other.path == home.path and read_history(other).findings == []
    check_record(other)
