"""Holds keep what they name, orders take the right signatures, quarantine releases nothing. R-5.1-a, R-5.2-g."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import BadInput, Conflict, Missing, Refused
from muniment.record.home import Home
from muniment.record.keyfile import signing_key_of
from muniment.record.opening import OpenRecord
from muniment.record.retention.operations import OPERATIONS
from muniment.record.retention.orders import (
    EndQuarantine,
    Erase,
    Order,
    Quarantine,
    ReleaseHold,
    Shorten,
    encode,
    sign_order,
)
from muniment.record.retention.quarantine import quarantined
from tests.organisation import private_key_bytes
from tests.record.asking import permitted, release
from tests.record.recording import (
    Clock,
    check_record,
    contents,
    expire,
    mail,
    make_home,
    message,
    recording,
)
from tests.record.retention.aging import aged_home, certificates

ORIGIN = "training.example/record"


def ask(record: OpenRecord, operation: str, **arguments: Any) -> dict[str, Any]:
    return OPERATIONS[operation](record, arguments)


def order(record: OpenRecord, told: Order, signer: str = "") -> dict[str, Any]:
    key = signing_key_of(X25519PrivateKey.from_private_bytes(private_key_bytes(signer or told.officer)))
    signed = sign_order(encode(told), key)
    return ask(record, "order", order=signed.order, signature=signed.signature)


def said(clock: Clock, officer: str) -> dict[str, Any]:
    return {"origin": ORIGIN, "officer": officer, "decided_ms": clock()}


def release_of(record: OpenRecord, clock: Clock, hold: str, officer: str) -> ReleaseHold:
    told = ask(record, "dying", hold=hold)
    return ReleaseHold(
        **said(clock, officer),
        hold=hold,
        size=told["size"],
        entries=len(told["indexes"]),
        due=told["due"],
        list_sha256=told["list_sha256"],
    )


def litigation(record: OpenRecord, **named: Any) -> str:
    told = ask(record, "hold", kind="litigation", case="claim 7", reason="a claim", by="olive", **named)
    return str(told["number"])


def bring_to(clock: Clock, home: Home, days: int) -> None:
    """Let days go by, on each of which the recorder was seen alive."""
    for _ in range(days):
        clock.advance(days=1)
        with recording(home, clock):
            pass


def test_a_held_entry_outlives_its_term_and_its_neighbours_do_not(tmp_path):
    home, clock = aged_home(tmp_path)
    with recording(home, clock) as record:
        litigation(record, addresses=[("someone1@outside.example", "", "")])
        expire(record)
        assert expire(record) == []
    assert sorted(contents(home).values()) == sorted(message(n) for n in (1, 5, 6, 7))
    [certificate] = certificates(home)
    assert certificate.said.groups[0].entries == 4
    check_record(home)


def test_an_automatic_hold_ends_by_itself_and_what_it_kept_goes(tmp_path):
    home, clock = aged_home(tmp_path)
    with recording(home, clock) as record:
        record.retention.confirm_clock("managing-director")
        ends = "2031-11-03"
        named = [("someone1@outside.example", "", "")]
        ask(record, "hold", kind="automatic", case="r 1", reason="x", by="o", addresses=named, ends=ends)
        record.tick()
        told = ask(record, "forecast", days=31)
        assert [(line["day"], line["entries"]) for line in told["lines"]] == [("2031-11-02", 2), (ends, 4)]
    assert message(1) in contents(home).values()
    bring_to(clock, home, 2)
    with recording(home, clock) as record:
        record.tick()
        record.tick()
    assert message(1) not in contents(home).values()
    assert not list(home.segments.glob("mail/00000002-*.seg"))
    check_record(home)


def test_a_litigation_hold_takes_two_officers_a_week_apart_and_the_same_list(tmp_path):
    home, clock = aged_home(tmp_path)
    with recording(home, clock) as record:
        record.retention.confirm_clock("managing-director")
        number = litigation(record, addresses=[("someone1@outside.example", "", "")])
        first = release_of(record, clock, number, "managing-director")
        assert (first.entries, first.due) == (2, 1)
        with pytest.raises(Conflict, match="not those that the order lists"):
            order(record, ReleaseHold(**{**_members(first), "list_sha256": "0" * 64}))
        with pytest.raises(Refused, match="signature"):
            order(record, first, signer="office-manager")
        order(record, first)
        with pytest.raises(Conflict, match="taken already"):
            order(record, first)
        second = release_of(record, clock, number, "office-manager")
        with pytest.raises(Conflict, match="seven days"):
            order(record, second)
        record.tick()
    bring_to(clock, home, 7)
    with recording(home, clock) as record:
        assert message(1) in contents(home).values()
        told = ReleaseHold(**{**_members(first), "decided_ms": clock()})
        with pytest.raises(Refused, match="another officer must"):
            order(record, told)
        order(record, ReleaseHold(**{**_members(first), "decided_ms": clock(), "officer": "office-manager"}))
        expire(record)
    assert contents(home) == {}
    check_record(home)


def _members(told: ReleaseHold) -> dict[str, Any]:
    return {name: getattr(told, name) for name in told.__struct_fields__}


def test_a_message_is_erased_by_a_signed_order_and_not_while_it_is_held(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        first, second = record.append([mail(1), mail(2)])
        litigation(record, entries=[second.index])
        told = said(clock, "office-manager")
        order(record, Erase(**told, entries=(first.index,), authority="a court", clause="R-5.1-a"))
        with pytest.raises(Conflict, match="held"):
            order(record, Erase(**told, entries=(second.index,), authority="a court", clause="R-5.1-a"))
        with pytest.raises(Missing):
            order(record, Erase(**told, entries=(first.index,), authority="court", clause="R-5.1-a"))
    assert list(contents(home).values()) == [message(2)]
    check_record(home)


def test_only_the_managing_director_shortens_a_term_thirty_days_ahead_and_holds_win(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    told = {
        "retention": "mail",
        "days": 10,
        "effective": "2026-12-01",
        "adviser": "Dana",
        "advised": "2026-10-30",
        "advice": "nobody needs it",
    }
    with recording(home, clock) as record:
        first, _ = record.append([mail(1), mail(2)])
        litigation(record, entries=[first.index])
        with pytest.raises(Refused, match="Managing Director"):
            order(record, Shorten(**said(clock, "office-manager"), **told))
        with pytest.raises(Conflict, match="30 days"):
            order(record, Shorten(**said(clock, "managing-director"), **{**told, "effective": "2026-11-30"}))
        order(record, Shorten(**said(clock, "managing-director"), **told))
    bring_to(clock, home, 29)
    with recording(home, clock) as record:
        assert record.retention.expire() == []
        lines = ask(record, "forecast", days=5)["lines"]
        assert [(line["day"], line["entries"], line["shortening"] > 0) for line in lines] == [
            ("2026-12-01", 1, True)
        ]
    bring_to(clock, home, 1)
    with recording(home, clock) as record:
        record.retention.expire()
    assert list(contents(home).values()) == [message(1)]
    [certificate] = certificates(home)
    assert certificate.said.groups[0].shortening > 0
    check_record(home)


def test_an_approved_permit_over_a_quarantined_entry_releases_nothing_of_it(tmp_path):
    home, clock = make_home(tmp_path), Clock()
    with recording(home, clock) as record:
        first, again, other = record.append([mail(1), mail(1), mail(6)])
        permit = permitted(record)
        found = {item.idx for item in release(record, permit)}
        assert {first.index, again.index, other.index} <= found
        reference = {"entries": (again.index,), "reference": "CR/1"}
        order(record, Quarantine(**said(clock, "office-manager"), **reference))
        assert quarantined(home) == {first.index, again.index}
        assert {i.idx for i in release(record, permit)} == found - {first.index, again.index}
        order(record, EndQuarantine(**said(clock, "office-manager"), **reference, outcome="erase"))
        assert quarantined(home) == frozenset()
        assert {i.idx for i in release(record, permit)} == found - {first.index, again.index}
    assert list(contents(home).values()) == [message(6)]
    check_record(home)


def test_a_hold_that_keeps_nothing_or_never_ends_by_itself_is_refused(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        told = {"kind": "automatic", "case": "1", "reason": "x", "by": "o", "entries": [1]}
        for ends in ("", "2026-11-01", "2030-01-01", "2026-13-01"):
            with pytest.raises(BadInput):
                ask(record, "hold", **told, ends=ends)
        with pytest.raises(BadInput, match="keep nothing"):
            litigation(record)
    check_record(home)
