"""Expiry forgets by destroying keys, and every other proof still holds; an officer is replaced. R-5.1-a."""

from __future__ import annotations

import json
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import Conflict, Missing, Tampered
from muniment.record.disk import Disk
from muniment.record.entry import Kind, Retention
from muniment.record.exporting import export_entry
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.rebuild import rebuild
from tests.organisation import policy_text, private_key_bytes, public_key_base64, signing_key_base64
from tests.record.recording import (
    SECRET,
    Clock,
    check_record,
    contents,
    expire,
    mail,
    make_home,
    message,
    officer_view,
    recording,
)

FIVE_YEARS = 5 * 365 + 1  # one leap day lies between


@pytest.fixture
def aged(tmp_path) -> tuple[Home, Clock]:
    """A record with mail of two days, the older of which has just come to the end of its five years."""
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        record.append([mail(n) for n in range(5)])
    clock.advance(days=1)
    with recording(home, clock) as record:
        record.append([mail(n) for n in range(5, 8)])
    clock.advance(days=FIVE_YEARS - 2)
    return home, clock


def test_nothing_expires_a_day_early(aged):
    home, clock = aged
    with recording(home, clock) as record:
        assert expire(record) == []
    assert len(contents(home)) == 8
    check_record(home)


def test_what_is_due_is_forgotten_and_all_else_stays_proved(aged, tmp_path):
    home, clock = aged
    old_ring = tmp_path / "old-keeper"
    shutil.copytree(home.keeper, old_ring)
    clock.advance(days=1)
    with recording(home, clock) as record:
        [tomb] = expire(record)
        assert (tomb.retention, tomb.entries) == ("mail", 6)  # five messages and the epoch's own entry
        assert expire(record) == []
        record.append([mail(100)])
    assert sorted(contents(home).values()) == sorted(message(n) for n in (5, 6, 7, 100))
    assert check_record(home).leaves > 12
    raw = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    assert message(1) not in raw
    with officer_view(home) as view:
        begun, row = view.catalogue.rows("kind = ?", (Kind.EXPIRY,))
        certificate = json.loads(view.open(row.idx).plain)
        assert certificate["begun"] == begun.idx
        assert certificate["not_covered"]
        assert certificate["ring_before"] != certificate["ring_after"]
        assert export_entry(home, row, is_example=True)["index"] == row.idx


def test_an_old_copy_of_the_ring_opens_nothing_after_expiry(aged):
    home, clock = aged
    ring = next(home.keeper.glob("ring.*"))
    kept = ring.read_bytes()
    clock.advance(days=1)
    with recording(home, clock) as record:
        expire(record)
    newest = next(home.keeper.glob("ring.*"))
    assert newest.name != ring.name
    newest.write_bytes(kept)
    with pytest.raises(Tampered, match="does not open with its wrapping key"):
        Keeper.load(home, SECRET, Disk())


def test_a_rebuild_after_expiry_keeps_numbers_going(aged):
    home, clock = aged
    clock.advance(days=1)
    with recording(home, clock) as record:
        expire(record)
    home.database.unlink()
    rebuild(home, "training.example/record", SECRET)
    with recording(home, clock) as record:
        [receipt] = record.append([mail(200)])
    assert receipt.sequence == 9
    check_record(home)


def test_refused_mail_lives_ninety_days(tmp_path):
    from msgspec.structs import replace

    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        record.append([replace(mail(1), retention=Retention.REFUSED), mail(2)])
    clock.advance(days=90)
    with recording(home, clock) as record:
        [tomb] = expire(record)
    assert tomb.retention == "refused"
    assert list(contents(home).values()) == [message(2)]
    check_record(home)


def test_one_entry_is_erased_by_order_and_its_neighbours_stay(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        receipts = record.append([mail(n) for n in range(4)])
        record.retention.erase([receipts[1].index], authority="order of the county court", clause="R-5.1-a")
    with officer_view(home) as view:
        with pytest.raises(Missing):
            view.open(receipts[1].index)
        assert [view.open(receipts[n].index).content for n in (0, 2, 3)] == [message(n) for n in (0, 2, 3)]
    check_record(home)


def test_an_entry_whose_bytes_others_rely_on_is_not_erased_alone(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        first, again = record.append([mail(1), mail(1)])
        with pytest.raises(Conflict, match=rf"entries \[{again.index}\] belong to the same messages"):
            record.retention.erase([first.index], authority="order", clause="R-5.1-a")
    check_record(home)


def test_a_new_officer_opens_old_and_new_entries_after_shares_are_sealed_again(tmp_path):
    from muniment.record.replacing import replace_officer

    home = make_home(tmp_path)
    with recording(home) as record:
        [before] = record.append([mail(1)])
    newcomer = X25519PrivateKey.from_private_bytes(private_key_bytes("new office manager"))
    home.policy_file.write_text(
        policy_text(
            officers__1__name="Nora New",
            officers__1__public_key=public_key_base64("new office manager"),
            officers__1__signing_key=signing_key_base64("new office manager"),
        )
    )
    replace_officer(
        home,
        SECRET,
        officer_key=X25519PrivateKey.from_private_bytes(private_key_bytes("managing-director")),
        clock=Clock(),
    )
    with recording(home) as record:
        [after] = record.append([mail(2)])
    with officer_view(home, private=newcomer.private_bytes_raw()) as view:
        assert view.open(before.index).content == message(1)
        assert view.open(after.index).content == message(2)
    with officer_view(home, owner="office-manager") as view:
        assert view.open(before.index).content == message(
            1
        )  # the trust page says so: shares given cannot be taken back
        with pytest.raises(Missing, match="never sealed to this key"):
            view.open(after.index)
    check_record(home)
