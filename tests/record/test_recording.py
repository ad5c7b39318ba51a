"""What is recorded comes back byte for byte, to an officer and to nobody else. R-5.1-a, R-2.1-b."""

from __future__ import annotations

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muniment.policy.errors import Conflict, Missing, Tampered
from muniment.record.disk import Disk
from muniment.record.entry import Entry, Kind, Retention, Stream
from muniment.record.keeper import Keeper
from muniment.record.opening import create_record, open_record
from tests.organisation import policy_text
from tests.record.recording import (
    SECRET,
    START_MS,
    Clock,
    check_record,
    contents,
    mail,
    make_home,
    message,
    officer_view,
    recording,
)

FOOTER = b"--\r\nExample Training Ltd\r\n"


def test_a_message_comes_back_as_written_and_as_sent(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        [receipt] = record.append([mail(1, sent=message(1) + FOOTER)])
    with officer_view(home) as view:
        opened = view.open(receipt.index)
    assert opened.content == message(1)
    assert opened.sent == message(1) + FOOTER
    assert opened.meta == mail(1).meta
    assert opened.facts == mail(1).facts
    assert receipt.number == "mail-gateway/1"
    check_record(home)


@pytest.mark.parametrize("owner", ["managing-director", "office-manager", "chair", "recovery"])
def test_every_officer_and_the_recovery_key_open_it(tmp_path, owner):
    home = make_home(tmp_path)
    with recording(home) as record:
        [receipt] = record.append([mail(7)])
    assert contents(home, owner) == {receipt.index: message(7)}


def test_a_stranger_s_key_opens_nothing(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        [receipt] = record.append([mail(7)])
    with (
        officer_view(home, private=b"\x11" * 32) as view,
        pytest.raises(Missing, match="never sealed to this key"),
    ):
        view.open(receipt.index)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.binary(max_size=3000), st.none() | st.binary(max_size=3000)), min_size=1, max_size=6
    )
)
def test_any_bytes_come_back(tmp_path_factory, faces):
    home = make_home(tmp_path_factory.mktemp("any"))
    with recording(home) as record:
        receipts = record.append([mail(content=content, sent=sent) for content, sent in faces])
    with officer_view(home) as view:
        for receipt, (content, sent) in zip(receipts, faces, strict=True):
            opened = view.open(receipt.index)
            assert (opened.content, opened.sent) == (content, sent)
    check_record(home)


def test_the_same_bytes_again_are_an_observation_that_names_the_first(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        first, second = record.append([mail(1), mail(1)])
        [third] = record.append([mail(1)])
        stored = record.status()["stored_bytes"]
        record.append([mail(1)])
        added = record.status()["stored_bytes"] - stored
    assert first.duplicate_of is None
    assert second.duplicate_of == third.duplicate_of == first.index
    assert contents(home) == dict.fromkeys(contents(home), message(1))
    assert len(contents(home)) == 4
    assert added < 700
    with officer_view(home) as view:
        assert view.catalogue.row(second.index).kind == Kind.OBSERVATION
    check_record(home)


def test_a_duplicate_that_lives_longer_has_its_own_bytes(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        [first] = record.append([mail(1)])
        clock.advance(days=1)
        [second] = record.append([mail(1)])
    assert second.duplicate_of == first.index
    with officer_view(home) as view:
        row = view.catalogue.row(second.index)
        assert (row.kind, row.about) == (Kind.RECORD, first.index)
        assert view.open(second.index).content == message(1)
    check_record(home)


def test_numbers_of_a_stream_have_no_gaps_over_restarts(tmp_path):
    home = make_home(tmp_path)
    sequences = []
    for run in range(3):
        with recording(home) as record:
            sequences += [r.sequence for r in record.append([mail(10 * run + n) for n in range(4)])]
    assert sequences == list(range(1, 13))
    check_record(home)


def test_a_restart_and_a_full_hour_each_begin_an_epoch(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    epochs = []
    for _ in range(2):
        with recording(home, clock) as record:
            for _ in range(2):
                [receipt] = record.append([mail(len(epochs))])
                epochs.append(record.record.parts.catalogue.row(receipt.index).epoch)
                clock.advance(seconds=3600)
    assert len(set(epochs)) == 4
    check_record(home)


def test_a_clock_set_back_is_named_and_time_never_runs_backwards(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        [before] = record.append([mail(1)])
        clock.advance(days=-3)
        [after] = record.append([mail(2)])
        gaps = record.record.parts.catalogue.rows("kind = ?", (Kind.GAP,))
    assert after.captured_ms == before.captured_ms
    with officer_view(home) as view:
        plain = view.open(gaps[-1].idx).plain
    assert b"the clock was set back" in plain
    assert str(START_MS - 3 * 86_400_000).encode() in plain
    check_record(home)


def test_a_long_silence_leaves_a_gap_entry(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    clock.advance(seconds=7200)
    with recording(home, clock) as record:
        assert record.status()["gaps"] == 1
    check_record(home)


def test_a_batch_larger_than_a_segment_goes_to_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setattr("muniment.record.segment.MAX_BYTES", 20_000)
    home = make_home(tmp_path)
    with recording(home) as record:
        for at in range(0, 80, 8):
            record.append([mail(at + n) for n in range(8)])
        numbers = {row.segment.number for row in record.record.parts.catalogue.segments()}
    assert numbers >= {0, 1, 2}
    assert list(contents(home).values()) == [message(n) for n in range(80)]
    check_record(home)


def test_a_policy_file_changed_while_the_recorder_runs_is_followed(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        before = record.policy.digest
        home.policy_file.write_text(policy_text(policy__version="2026-12"))
        record.tick()
        assert record.policy.digest != before
        [*_, newest] = record.record.parts.catalogue.rows("stream = ?", (Stream.POLICY,))
        record.append([mail(1)])
        assert record.record.parts.policy.policy.version == "2026-12"
    assert newest.sequence == 2
    check_record(home)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("format = 2", "policy in force stays"),
        (policy_text(officers__2__public_key=base64.b64encode(b"7" * 32).decode()), "officers' keys"),
        (policy_text(organisation__domains=["other.example"]), "go on beginning with"),
    ],
)
def test_a_policy_file_that_cannot_be_taken_over_is_named_and_the_old_one_stays(tmp_path, text, named):
    home = make_home(tmp_path)
    good = home.policy_file.read_text()
    with recording(home) as record:
        before = record.policy
        home.policy_file.write_text(text)
        record.tick()
        assert record.policy is before
        assert any(named in problem for problem in record.status()["problems"])
        record.append([mail(1)])
        home.policy_file.write_text(good)
        record.tick()
        assert record.status()["problems"] == []
    check_record(home)


def test_a_changed_policy_file_becomes_an_entry_and_later_leaves_carry_it(tmp_path):
    home = make_home(tmp_path)
    home.policy_file.write_text(policy_text(policy__version="2026-12"))
    with recording(home) as record:
        rows = record.record.parts.catalogue.rows("stream = ?", (Stream.POLICY,))
        assert len(rows) == 2
        [receipt] = record.append([mail(1)])
        digest = record.policy.digest
    with officer_view(home) as view:
        from muniment.record.reading import read_frame

        assert read_frame(home, view.catalogue.row(receipt.index)).leaf[144:] == digest
    check_record(home)


def test_an_officer_added_in_the_file_alone_is_refused(tmp_path):
    home = make_home(tmp_path)
    stranger = "A" * 42 + "E="
    home.policy_file.write_text(policy_text(officers__2__public_key=stranger))
    with pytest.raises(Conflict):
        open_record(home, SECRET, clock=Clock())


def test_two_recorders_cannot_write_one_record(tmp_path):
    home = make_home(tmp_path)
    with recording(home), pytest.raises(Conflict, match="another recorder"):
        open_record(home, SECRET, clock=Clock())
    with pytest.raises(Conflict, match="holds a record already"):
        create_record(home, SECRET, Clock())
    check_record(home)


def test_another_machine_secret_opens_nothing(tmp_path):
    home = make_home(tmp_path)
    with pytest.raises(Tampered):
        Keeper.load(home, b"\x01" * 32, Disk())


def test_open_entries_are_readable_without_any_key(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([Entry(stream=Stream.PEOPLE, kind=Kind.FACT, plain=b'{"person":"added"}')])
    segments = b"".join(p.read_bytes() for p in home.segments.rglob("*.seg"))
    assert b'{"person":"added"}' in segments
    assert b"Register" not in segments
    assert Retention.JOURNAL == 1
    check_record(home)
