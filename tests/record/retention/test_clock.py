"""Attacks by the clock: set forward, nothing is forgotten early; set back, nothing is forgotten at all. R-5.1-a."""

from __future__ import annotations

import json

import pytest

from muniment.policy.errors import Conflict
from muniment.record.disk import Disk
from muniment.record.entry import Kind, Stream
from muniment.record.keeper import Keeper
from muniment.record.open_entries import read_open
from muniment.record.retention.book import DAY_MS
from muniment.record.retention.clock import TrustedClock
from tests.record.recording import SECRET, Clock, check_record, contents, expire, mail, make_home, recording
from tests.record.retention.aging import FIVE_YEARS, aged_home, certificates


def test_a_clock_set_forward_while_the_recorder_runs_forgets_nothing(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        record.append([mail(n) for n in range(3)])
        clock.advance(days=FIVE_YEARS)
        record.append([mail(9)])
        record.tick()
        record.tick()
        [problem] = record.status()["problems"]
        assert "days ahead" in problem
        assert "clock-is-right" in problem
        clock.advance(days=-FIVE_YEARS)
        record.tick()
        assert record.status()["problems"] == []
    assert len(contents(home)) == 4
    assert certificates(home) == []
    causes = [json.loads(e.plain).get("cause") for e in read_open(home, Stream.HEALTH) if e.kind == Kind.GAP]
    assert causes.count("the clock jumped forward") == 1
    check_record(home)


def test_one_entry_under_a_clock_set_forward_makes_nothing_due_once_it_is_back(tmp_path):
    """The record's time is lifted for good; expiry goes by the machine's clock."""
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        record.append([mail(1)])
        clock.advance(days=FIVE_YEARS)
        record.append([mail(2)])
        clock.advance(days=-FIVE_YEARS)
        assert record.record.now_ms() > clock.now_ms + DAY_MS
        assert expire(record) == []
    assert len(contents(home)) == 2
    check_record(home)


def test_a_clock_set_forward_before_a_start_forgets_nothing_until_a_person_confirms_it(tmp_path):
    home, clock = aged_home(tmp_path)
    with recording(home, clock) as record:
        assert record.status()["problems"] == []
        record.tick()
        assert len(record.status()["problems"]) == 1
        with pytest.raises(Conflict, match="clock-is-right"):
            record.retention.expire()
    with recording(home, clock) as record:
        record.tick()
        assert len(contents(home)) == 8
        record.retention.confirm_clock("managing-director")
        record.tick()
        assert len(contents(home)) == 3
    with recording(home, clock) as record:
        assert record.status()["problems"] == []
        assert record.retention.expire() == []
    [said] = [e for e in read_open(home, Stream.RETENTION) if e.kind == Kind.FACT]
    assert json.loads(said.plain)["by"] == "managing-director"
    check_record(home)


def test_a_clock_set_back_forgets_nothing(tmp_path):
    home, clock = aged_home(tmp_path)
    clock.advance(days=-FIVE_YEARS)
    with recording(home, clock) as record:
        assert record.retention.expire() == []
        assert record.status()["problems"] == []
    assert len(contents(home)) == 8
    check_record(home)


def test_each_day_of_a_recorder_that_runs_is_believed_and_expires_by_itself(tmp_path):
    home, clock = aged_home(tmp_path)
    clock.advance(days=-3)
    with recording(home, clock) as record:
        record.retention.confirm_clock("managing-director")
    for left in (8, 8, 3, 0):
        clock.advance(days=1)
        with recording(home, clock) as record:
            record.tick()
            record.tick()
        assert len(contents(home)) == left
    assert [c.said.groups[0].entries for c in certificates(home)] == [6, 4]
    check_record(home)


def test_small_steps_forward_add_up_while_the_recorder_runs():
    clock, elapsed = Clock(), Clock(0)
    trusted = TrustedClock(clock.now_ms, clock, elapsed)
    clock.advance(seconds=86_000)
    assert trusted.jump_ms() == 0
    clock.advance(seconds=86_000)
    assert trusted.jump_ms() > 0
    elapsed.advance(days=1)
    assert trusted.jump_ms() == 0


def test_a_clock_that_was_behind_and_is_set_right_is_believed():
    clock, elapsed = Clock(), Clock(0)
    trusted = TrustedClock(clock.now_ms, clock, elapsed)
    clock.advance(days=-100)
    elapsed.advance(days=40)
    assert trusted.now_ms() == clock.now_ms
    clock.advance(days=140)
    assert trusted.jump_ms() == 0


def test_keys_by_which_the_same_bytes_are_known_go_with_their_quarters(tmp_path):
    """They derive from nothing else, so no expiry of an hour takes them along."""
    home, clock = aged_home(tmp_path)
    with recording(home, clock) as record:
        keeper = record.record.parts.keeper
        assert keeper._duplicate_keys
        expire(record)
    reloaded = Keeper.load(home, SECRET, Disk())
    assert reloaded._duplicate_keys == {}
    with recording(home, clock) as record:
        assert expire(record) == []
    assert len(certificates(home)) == 1
