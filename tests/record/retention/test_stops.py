"""Forgetting is taken up from wherever it stopped: a failing disk, a killed process, at every step. R-5.1-a."""

from __future__ import annotations

import pytest

from muniment.policy.errors import MunimentError, Unavailable
from muniment.record.opening import OpenRecord
from tests.record.faulty import FaultyDisk
from tests.record.recording import check_record, contents, expire, mail, message, prove, recording
from tests.record.retention.aging import aged_home, certificates, copy_of, killed_at

AFTER_EXPIRY = {message(n) for n in (5, 6, 7)}


def test_an_expiry_killed_at_any_call_of_the_disk_is_finished_at_the_next_start(tmp_path):
    made, clock = aged_home(tmp_path)
    for at in range(1, 200):
        home = copy_of(made, tmp_path / f"{at}")
        was_killed = killed_at(home, clock, at, expire)
        with recording(home, clock) as record:
            expire(record)
        [certificate] = certificates(home)
        [group] = certificate.said.groups
        assert (group.retention, group.entries) == ("mail", 6), f"call {at}"
        assert set(contents(home).values()) == AFTER_EXPIRY, f"call {at}"
        assert len(list(home.segments.glob("mail/*.seg"))) == 1, f"call {at}"
        assert len(list(home.keeper.glob("ring.*"))) == 1, f"call {at}"
        check_record(home)
        if not was_killed:
            break
    assert 15 < at < 199


@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
def test_an_expiry_whose_disk_fails_at_any_call_is_done_by_the_next_try(tmp_path, stored):
    made, clock = aged_home(tmp_path)
    for at in range(1, 200):
        home = copy_of(made, tmp_path / f"{at}")
        disk = FaultyDisk(at=at, stored=stored)
        try:
            with recording(home, clock, disk) as record:
                try:
                    expire(record)
                except Unavailable:
                    record.append([mail(9)])
                    expire(record)
        except MunimentError:
            pass
        with recording(home, clock) as record:
            expire(record)
        found = set(contents(home).values())
        assert found - {message(9)} == AFTER_EXPIRY, f"call {at}: {disk.log[at - 1]}"
        [certificate] = certificates(home)
        assert [group.entries for group in certificate.said.groups] == [6], f"call {at}"
        check_record(home)
        if disk.calls["any"] < at:
            break
    assert 15 < at < 199


def test_an_erasure_killed_at_any_call_of_the_disk_is_finished_at_the_next_start(tmp_path):
    made, clock = aged_home(tmp_path)
    with recording(made, clock) as record:
        first = min(row.idx for row in record.record.parts.catalogue.rows("kind = 1"))

    def erase(record: OpenRecord) -> None:
        record.retention.erase([first], authority="a court", clause="R-5.1-a")

    for at in range(1, 200):
        home = copy_of(made, tmp_path / f"{at}")
        was_killed = killed_at(home, clock, at, erase)
        with recording(home, clock) as record:
            if not certificates(home):
                erase(record)
        [certificate] = certificates(home)
        assert certificate.said.what == "erasure"
        assert message(0) not in contents(home).values()
        check_record(home)
        if not was_killed:
            break
    assert 15 < at < 199


def test_a_record_in_the_middle_of_an_expiry_is_told_from_one_that_lost_a_segment(tmp_path):
    """What verify finds between a kill and the next start names no loss."""
    made, clock = aged_home(tmp_path)
    for at in range(1, 200):
        home = copy_of(made, tmp_path / f"{at}")
        if not killed_at(home, clock, at, expire):
            break
        kinds = {finding.kind for finding in prove(home).findings} - {"catalogue", "checkpoint"}
        assert kinds == set(), f"call {at}"
