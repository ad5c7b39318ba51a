"""The shares of epochs come from the record alone: their first entries, and what was sealed again to a newcomer."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment.policy.errors import Missing, MunimentError, Tampered
from muniment.record import wraps
from muniment.record.entry import Entry, Kind, Retention, Stream
from muniment.record.frame import HEADER_BYTES
from muniment.record.home import Home
from muniment.record.inquiry.permit_acts import PermitActs
from muniment.record.open_entries import read_open
from muniment.record.replacing import replace_officer
from muniment.record.segment import SegmentId
from muniment.record.sharing import wraps_of
from tests.organisation import policy_text, public_key_base64, signing_key_base64
from tests.record.asking import act, private_key
from tests.record.recording import SECRET, Clock, check_record, mail, make_home, recording

ORIGIN = "training.example/record"
OWNERS = ["managing-director", "office-manager", "chair", "recovery"]


def key_id(owner: str) -> str:
    return wraps.key_id(private_key(owner).public_key().public_bytes_raw()).hex()


def mail_epochs(home: Home, clock: Clock, count: int = 3) -> list[tuple[int, int]]:
    with recording(home, clock) as record:
        for number in range(count):
            record.append([mail(number)])
            record.record.end_epoch(Retention.MAIL)
        segments = [row.segment for row in record.record.parts.catalogue.segments()]
    return [(s.retention, s.epoch) for s in segments if s.retention == Retention.MAIL]


def test_every_officer_and_the_recovery_key_find_their_share_of_each_epoch(tmp_path: Path):
    clock = Clock()
    home = make_home(tmp_path, clock)
    epochs = mail_epochs(home, clock)
    found = wraps_of(home, [*reversed(epochs), epochs[0]])
    assert [(share.class_id, share.epoch) for share in found] == epochs
    for share in found:
        assert [wrap.to for wrap in share.wraps] == [key_id(owner) for owner in OWNERS]
        place = (ORIGIN, share.class_id, share.epoch)
        pairs = zip(share.wraps, OWNERS, strict=True)
        opened = {wraps.open_share(wraps.from_written(w), private_key(owner), *place) for w, owner in pairs}
        assert len(opened) == 1
    check_record(home)


def test_what_was_sealed_again_to_a_newcomer_is_there_too(tmp_path: Path):
    clock = Clock()
    home = make_home(tmp_path, clock)
    epochs = mail_epochs(home, clock)
    changed = policy_text(
        officers__1__public_key=public_key_base64("successor"),
        officers__1__signing_key=signing_key_base64("successor"),
    )
    home.policy_file.write_text(changed)
    replace_officer(home, SECRET, officer_key=private_key("chair"), clock=clock)
    for share in wraps_of(home, epochs):
        assert share.wraps[-1].to == key_id("successor") and len(share.wraps) == 5
    check_record(home)


def test_an_epoch_that_is_not_there_is_missing(tmp_path: Path):
    home = make_home(tmp_path, Clock())
    with pytest.raises(Missing, match="has expired"):
        wraps_of(home, [(Retention.MAIL, 77)])


@pytest.mark.parametrize("at", [0, 30, 300, 1000])
def test_a_first_entry_with_a_byte_changed_is_tampered(tmp_path: Path, at: int):
    clock = Clock()
    home = make_home(tmp_path, clock)
    [epoch] = mail_epochs(home, clock, 1)
    path = SegmentId(*epoch, 0).path(home)
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + at] ^= 1
    path.write_bytes(data)
    with pytest.raises(Tampered, match="run muniment verify"):
        wraps_of(home, [epoch])


def test_an_open_entry_with_a_byte_changed_is_tampered_and_not_read(tmp_path: Path):
    clock = Clock()
    home = make_home(tmp_path, clock)
    with recording(home, clock) as record:
        [receipt] = record.append([act("ask", request="the request")])
        path = record.record.parts.catalogue.row(receipt.index).segment.path(home)
    data = bytearray(path.read_bytes())
    data[data.index(b"the request")] ^= 1
    path.write_bytes(data)
    with pytest.raises(Tampered, match="not what its leaf says"):
        list(read_open(home, Stream.PERMITS))


STRANGE = [
    b"[]",
    b"{",
    b"\xff",
    b'{"format":"muniment-permit-act/2","act":"ask","number":"1","revision":1}',
    b'{"format":"muniment-permit-act/1","act":"ask","number":1,"revision":1}',
    b"1" * 99,
]


def test_what_is_no_act_in_the_stream_of_permits_says_nothing(tmp_path: Path):
    clock = Clock()
    home = make_home(tmp_path, clock)
    with recording(home, clock) as record:
        entries = [Entry(stream=Stream.PERMITS, kind=Kind.APPROVAL, plain=plain) for plain in STRANGE]
        entries.append(Entry(stream=Stream.PERMITS, kind=Kind.FACT, plain=act("ask").plain))
        acts = PermitActs(home, record.record.parts.catalogue)
        record.append([*entries, act("ask", request="x")])
        assert [noted.act for noted in acts.of("2026-003")] == ["ask"]
        record.append([act("revoke", reason="y"), act("revoke", number="2026-009", reason="y")])
        assert [noted.act for noted in acts.of("2026-003")] == ["ask", "revoke"]
        assert acts.of("1") == ()
    check_record(home)


def test_a_stream_is_followed_by_its_cursor(tmp_path: Path):
    clock = Clock()
    home = make_home(tmp_path, clock)
    with recording(home, clock) as record:
        record.append([act("ask", request=f"{number}") for number in range(5)])
        first = list(read_open(home, Stream.PERMITS))
        assert list(read_open(home, Stream.PERMITS, after=first[-1].sequence)) == []
        record.append([mail(1), act("end")])
        [new] = read_open(home, Stream.PERMITS, after=first[-1].sequence)
    assert [entry.sequence for entry in (*first, new)] == [1, 2, 3, 4, 5, 6]
    assert new.plain == act("end").plain


def test_there_is_no_reading_where_there_is_no_record(tmp_path: Path):
    with pytest.raises(MunimentError):
        list(read_open(Home(tmp_path), Stream.PERMITS))
