"""A message goes whole, and what is gone is never taken for the bytes of what comes later. R-5.1-a."""

from __future__ import annotations

import msgspec
import pytest

from muniment.policy.errors import BadInput, Missing
from muniment.record import chain
from muniment.record.disk import Disk
from muniment.record.entry import Kind
from muniment.record.keeper import Keeper
from muniment.record.rebuild import rebuild
from muniment.record.retention.erasure import whole_messages
from tests.record.recording import SECRET, check_record, contents, mail, make_home, message, recording
from tests.record.retention.aging import certificates

ORDER = {"authority": "order of the county court", "clause": "R-5.1-a"}


def test_every_piece_of_a_long_message_goes_with_it(tmp_path):
    home = make_home(tmp_path)
    long = mail(1, content=message(1, "x" * (17 << 20)))
    with recording(home) as record:
        blobs = tuple(record.append([piece])[0].index for piece in chain.pieces(long))
        [head, other] = record.append([chain.head(long, blobs), mail(2)])
        places = [record.record.parts.catalogue.row(index) for index in (*blobs, head.index)]
        with pytest.raises(BadInput, match="name the message"):
            record.retention.erase([blobs[0]], **ORDER)
        record.retention.erase(sorted(whole_messages(record, [head.index])), **ORDER)
    keeper = Keeper.load(home, SECRET, Disk())
    for row in places:
        assert row.position not in keeper.cover((row.retention, row.epoch))
    assert contents(home) == {other.index: message(2)}
    [certificate] = certificates(home)
    assert certificate.said.groups[0].entries == len(blobs) + 1
    check_record(home)


def test_the_same_bytes_arriving_after_an_erasure_are_kept_whole(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        [first] = record.append([mail(1)])
        record.retention.erase([first.index], **ORDER)
        [again, third] = record.append([mail(1), mail(1)])
        assert again.duplicate_of is None
        assert third.duplicate_of == again.index
    assert contents(home)[again.index] == message(1)
    check_record(home)


def test_observations_and_outcomes_go_with_the_message_they_are_about(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        first, again = record.append([mail(1), mail(1)])
        outcome = msgspec.structs.replace(mail(3), kind=Kind.OUTCOME, content=b"", about=again.index)
        [told] = record.append([outcome])
        named = whole_messages(record, [again.index])
        assert sorted(named) == [first.index, again.index, told.index]
        record.retention.erase(sorted(named), **ORDER)
        with pytest.raises(Missing, match="is erased"):
            record.retention.erase([first.index], **ORDER)
    assert contents(home) == {}
    check_record(home)


def test_a_catalogue_made_again_after_an_erasure_equals_the_one_that_was_lost(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        receipts = record.append([mail(n) for n in range(4)])
        record.retention.erase([receipts[3].index], **ORDER)
    with recording(home) as record:
        before = record.record.parts.catalogue.rows()
    home.database.unlink()
    rebuild(home, "training.example/record", SECRET)
    check_record(home)
    with recording(home) as record:
        after = record.record.parts.catalogue.rows()
        [receipt] = record.append([mail(9)])
    assert after[: len(before)] == before
    assert receipt.sequence == 5
    check_record(home)
