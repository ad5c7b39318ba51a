"""An attachment that comes again the same day is stored once, and lives as long as a message that names it. R-5.1-a."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.policy.errors import BadInput, Missing, Unavailable
from muniment.record import chain, seal
from muniment.record import leaf as leaves
from muniment.record.attachments.naming import named_by
from muniment.record.entry import Kind, Retention, Stream
from muniment.record.frame import parse_sections
from muniment.record.home import Home
from muniment.record.keytree import DEPTH, descend
from muniment.record.reading import read_frame
from muniment.record.rebuild import rebuild
from muniment.record.retention.statements import Placed, entry_of
from muniment.record.row import Row
from tests.record.asking import permitted, query, room
from tests.record.attachments.letters import REGISTER, TIMETABLE, imported, inbound, letter, outbound
from tests.record.faulty import FaultyDisk
from tests.record.recording import Clock, check_record, contents, expire, make_home, officer_view, recording

FIVE_YEARS = 5 * 365 + 1


def attachments(home: Home) -> list[Row]:
    with officer_view(home) as view:
        return view.catalogue.rows("stream = ?", (Stream.MAIL_ATTACHMENT,))


def erase(record, *receipts) -> None:
    indexes = [receipt.index for receipt in receipts]
    record.retention.erase(indexes, authority="order of the county court", clause="R-5.1-a")


def test_it_is_stored_once_in_a_batch_and_across_batches_and_every_letter_comes_back(tmp_path):
    home = make_home(tmp_path)
    sent = letter(3, REGISTER).replace(b"promised.", b"promised.\r\nExample Training Ltd")
    with recording(home) as record:
        receipts = record.append(
            [outbound(1, REGISTER, TIMETABLE), outbound(2, TIMETABLE, REGISTER, TIMETABLE)]
        )
        receipts += record.append([outbound(3, REGISTER, sent=sent), outbound(4)])
    assert [receipt.sequence for receipt in receipts] == [1, 2, 3, 4]
    assert [row.length > 5_000 for row in attachments(home)] == [True, True]
    with officer_view(home) as view:
        for receipt, content in zip(
            receipts,
            [
                letter(1, REGISTER, TIMETABLE),
                letter(2, TIMETABLE, REGISTER, TIMETABLE),
                letter(3, REGISTER),
                letter(4),
            ],
            strict=True,
        ):
            opened = view.open(receipt.index)
            assert opened.content == content
            assert opened.row.length < 3_000
        assert view.open(receipts[2].index).sent == sent
    check_record(home)


def test_a_letter_erased_takes_nothing_from_another_and_the_last_takes_all(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        first, second = record.append([outbound(1, REGISTER), outbound(2, REGISTER)])
        erase(record, first)
        with officer_view(home) as view:
            assert view.open(second.index).content == letter(2, REGISTER)
        erase(record, second)
    with officer_view(home) as view:
        for receipt in (first, second):
            with pytest.raises(Missing):
                view.open(receipt.index)
    check_record(home)


def test_without_a_letter_neither_officer_nor_keeper_opens_an_attachment(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([outbound(1, REGISTER)])
    [row] = attachments(home)
    with officer_view(home) as view:
        with pytest.raises(Missing, match="opened through a message"):
            view.open(row.idx)
        frame = read_frame(home, row)
        sections = parse_sections(frame.body)
        place = (row.retention, row.epoch)
        for root in view.roots(place):
            officers = descend(root, row.position, DEPTH)
            blade = seal.blade(view.keeper.cover(place).seed(row.position), seal.CONTENT)
            for found in (
                seal.section_key(officers, blade, sections.salt),
                seal.section_key(blade, b"", sections.salt),
            ):
                with pytest.raises(InvalidTag):
                    AESGCM(found.key).decrypt(
                        bytes(12), sections.content, frame.leaf[: leaves.HEAD] + seal.CONTENT
                    )
    raw = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    assert REGISTER[:64] not in raw


def test_an_attachment_is_not_erased_by_its_own_number(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([outbound(1, REGISTER)])
        [row] = attachments(home)
        with pytest.raises(BadInput, match="name the message"):
            record.retention.erase([row.idx], authority="order", clause="R-5.1-a")
    check_record(home)


def test_what_strangers_send_is_never_compared_but_may_be_shared_later(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([outbound(1, REGISTER)])
        record.append([inbound(2, REGISTER), inbound(3, REGISTER)])
        assert len(attachments(home)) == 3
        record.append([inbound(4, TIMETABLE)])
        record.append([outbound(5, TIMETABLE), imported(6, TIMETABLE), imported(7, REGISTER)])
    assert len(attachments(home)) == 4
    assert len(set(contents(home).values())) == 7
    check_record(home)


def test_nothing_is_shared_across_days_restarts_and_classes(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    refused = msgspec.structs.replace(outbound(9, REGISTER), retention=Retention.REFUSED)
    with recording(home, clock) as record:
        record.append([outbound(1, REGISTER)])
        clock.advance(seconds=7_200)  # another epoch of the same day
        record.append([outbound(2, REGISTER)])
        assert len(attachments(home)) == 1
        record.append([refused])
        assert len(attachments(home)) == 2
        clock.advance(days=1)
        record.append([outbound(3, REGISTER)])
        assert len(attachments(home)) == 3
    with recording(home, clock) as record:
        record.append([outbound(4, REGISTER)])
    assert len(attachments(home)) == 4
    assert sorted(contents(home).values()) == sorted(letter(n, REGISTER) for n in (1, 2, 3, 4, 9))
    check_record(home)


def test_it_expires_with_its_letters_and_no_day_before(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        record.append([outbound(1, REGISTER)])
        clock.advance(seconds=7_200)
        record.append([outbound(2, REGISTER)])
        clock.advance(days=1)
        record.append([outbound(3, REGISTER)])
        clock.advance(days=FIVE_YEARS - 2)
        expire(record)
        assert sorted(contents(home).values()) == [letter(n, REGISTER) for n in (1, 2, 3)]
        clock.advance(days=1)
        assert "mail" in {tomb.retention for tomb in expire(record)}
    assert list(contents(home).values()) == [letter(3, REGISTER)]
    assert len(attachments(home)) == 1
    check_record(home)


def test_a_held_letter_keeps_its_attachment_that_lies_in_an_hour_of_its_own(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        record.append([outbound(1, REGISTER), outbound(4, TIMETABLE)])
        clock.advance(seconds=7_200)
        [held] = record.append([outbound(2, REGISTER)])
        placed = Placed(
            number="hold-1",
            kind="litigation",
            case="C-1",
            reason="a claim",
            by="hannah-hr",
            entries=(held.index,),
        )
        record.append([entry_of(placed, Kind.HOLD)])
        clock.advance(days=FIVE_YEARS)
        expire(record)
    assert contents(home) == {held.index: letter(2, REGISTER)}
    [row] = attachments(home)
    assert row.idx < held.index
    check_record(home)


def test_a_letter_that_comes_twice_is_an_observation_and_opens(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        before = record.append([outbound(1, REGISTER), outbound(2, TIMETABLE), outbound(1, REGISTER)])
        [again] = record.append([outbound(2, TIMETABLE)])
    assert before[2].duplicate_of == before[0].index
    assert again.duplicate_of == before[1].index
    with officer_view(home) as view:
        assert [view.open(r.index).row.kind for r in (before[2], again)] == [Kind.OBSERVATION] * 2
        assert view.open(before[2].index).content == letter(1, REGISTER)
        assert view.open(again.index).content == letter(2, TIMETABLE)
    assert len(attachments(home)) == 2
    check_record(home)


def test_a_permit_over_one_letter_opens_its_attachment_and_not_the_other_letter(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    stella = msgspec.structs.replace(outbound(1, REGISTER, TIMETABLE), addresses=("stella@training.example",))
    with recording(home, clock) as record:
        [hers] = record.append([stella])
        clock.advance(seconds=7_200)
        [his] = record.append([outbound(2, REGISTER)])
        record.publish()
        permit = permitted(record)
        view = room(record, permit)
        assert [item.idx for item in view.items()] == [his.index]
        assert view.open(his.index).content == letter(2, REGISTER)
        assert view.open_both(his.index)[1] == letter(2, REGISTER)
        assert hers.index not in view
        envelope = room(record, permitted(record, query(depth="envelope")))
        with pytest.raises(Missing):
            envelope.open_faces(his.index)
        view.close()
        envelope.close()
    check_record(home)


def test_the_keeper_tells_which_attachments_a_letter_names_so_that_a_hold_keeps_them(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        receipts = record.append([outbound(1, REGISTER), outbound(2, TIMETABLE, REGISTER), outbound(3)])
        receipts += record.append([outbound(1, REGISTER)])
        catalogue, keeper = record.record.parts.catalogue, record.record.parts.keeper
        rows = [catalogue.row(receipt.index) for receipt in receipts]
        [register, timetable] = catalogue.rows("stream = ?", (Stream.MAIL_ATTACHMENT,))
        named = [named_by(home, catalogue, keeper, [row]) for row in rows]
        assert named == [{register.idx}, {timetable.idx, register.idx}, set(), set()]
        assert named_by(home, catalogue, keeper, rows) == {register.idx, timetable.idx}
        assert not any(chain.is_chain(row.size) for row in rows)
        assert [register.size, register.content_id, timetable.size] == [0, None, 0]
        erase(record, receipts[1])
        assert named_by(home, catalogue, keeper, rows[1:]) == set()
    check_record(home)


def test_a_rebuilt_catalogue_is_the_same_and_everything_opens(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        record.append([outbound(n, REGISTER, TIMETABLE) for n in range(4)])
    with officer_view(home) as view:
        before = view.catalogue.rows()
    home.database.unlink()
    rebuild(home, "training.example/record", bytes(range(32)))
    with officer_view(home) as view:
        assert view.catalogue.rows() == before
    assert sorted(contents(home).values()) == [letter(n, REGISTER, TIMETABLE) for n in range(4)]
    check_record(home)


@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
def test_a_flush_that_fails_leaves_no_name_of_what_it_did_not_store(tmp_path, stored):
    home, disk = make_home(tmp_path), FaultyDisk("flush", stored=stored)
    with recording(home, disk=disk) as record:
        record.append([outbound(1)])
        disk.at = disk.calls["flush"] + 1
        with pytest.raises(Unavailable):
            record.append([outbound(2, REGISTER)])
        record.append([outbound(2, REGISTER)])
        record.append([outbound(3, REGISTER)])
    assert len(attachments(home)) == 1
    assert sorted(contents(home).values()) == [letter(1), letter(2, REGISTER), letter(3, REGISTER)]
    check_record(home)


def test_a_killed_recorder_loses_no_attachment_of_what_it_acknowledged(tmp_path):
    home = make_home(tmp_path)
    acknowledged = -1
    for _ in range(2):
        command = [sys.executable, "-m", "tests.record.attachments.letters", str(home.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begin\n"
            deadline = time.monotonic() + 60
            for line in process.stdout:
                acknowledged = max(acknowledged, int(line))
                if int(line) >= 12 or time.monotonic() > deadline:
                    process.send_signal(signal.SIGKILL)
                    break
    with recording(home):
        pass
    found = set(contents(home).values())
    assert acknowledged >= 12
    assert {letter(n, REGISTER, TIMETABLE) for n in range(acknowledged + 1)} <= found
    check_record(home)


def test_a_missing_segment_is_named_and_the_letter_says_so(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        record.append([outbound(1, REGISTER)])
        clock.advance(seconds=7_200)
        [second] = record.append([outbound(2, REGISTER)])
    [row] = attachments(home)
    with officer_view(home) as view:
        assert view.open(second.index).content == letter(2, REGISTER)
        shutil.move(row.segment.path(home), tmp_path / "away")
        with pytest.raises(Missing, match=f"entry {row.idx}, an attachment"):
            view.open(second.index)
