"""Input at and beyond every limit: recorded, or refused without harm to what comes beside it. R-5.1-a."""

from __future__ import annotations

import time

import msgspec
import pytest

from muniment.policy.errors import BadInput
from muniment.record.ledger.tiles import MAX_ENTRY_BYTES, make_bundle, parse_bundle
from muniment.record.rebuild import rebuild
from tests.record.fault_stages import ORIGIN
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

YEAR_DAYS = 365


def test_a_leaf_has_65_535_bytes_and_not_one_more():
    largest = bytes(MAX_ENTRY_BYTES)
    assert MAX_ENTRY_BYTES == 65_535
    assert parse_bundle(make_bundle([largest, b"", b"next"])) == [largest, b"", b"next"]
    with pytest.raises(BadInput):
        make_bundle([largest + b"\0"])


def test_an_empty_batch_records_nothing(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        size = record.record.size
        assert record.append([]) == []
        assert record.record.size == size
    check_record(home)


def test_a_thousand_recipients_are_each_found(tmp_path):
    home = make_home(tmp_path)
    addresses = tuple(f"person{n}@outside.example" for n in range(1_000))
    with recording(home) as record:
        [receipt] = record.append([msgspec.structs.replace(mail(1), addresses=addresses)])
        tokens = record.record.parts.catalogue.tokens_of(receipt.index)
        assert len(tokens) == 1_000
        assert all(record.record.parts.catalogue.indexes_of(token) == [receipt.index] for token in tokens)
    rebuild(home, ORIGIN, SECRET)
    check_record(home)


def test_ten_thousand_observations_of_one_content_are_right_and_small(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        [first] = record.append([mail(1)])
        stored = record.status()["stored_bytes"]
        used = time.process_time()
        for _ in range(40):
            receipts = record.append([mail(1)] * 250)
            assert {receipt.duplicate_of for receipt in receipts} == {first.index}
        used = time.process_time() - used
        record.publish()
        assert record.status()["stored_bytes"] - stored < 10_000 * 700
    print(f"10,000 observations in {used:.1f} s of processor time")
    with officer_view(home) as view:
        rows = view.catalogue.rows("stream = 16")
        assert [row.sequence for row in rows] == list(range(1, 10_002))
        assert view.open(rows[-1].idx).content == message(1)
    check_record(home)


@pytest.mark.parametrize("days", [-50 * YEAR_DAYS, -1, 1, 30 * YEAR_DAYS])
def test_a_clock_that_jumps_and_comes_back_leaves_order_and_numbers(tmp_path, days):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        record.append([mail(1)])
        clock.advance(days=days)
        record.append([mail(2)])
        clock.now_ms = START_MS
        [receipt] = record.append([mail(3)])
        assert receipt.captured_ms >= START_MS
    with recording(home, clock) as record:
        record.append([mail(4)])
    assert list(contents(home).values()) == [message(n) for n in range(1, 5)]
    check_record(home)
