"""Header facts are found in good headers and cost nothing in bad ones."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.observe.headers import MAX_ADDRESSES, direction_of, facts_of
from muniment.policy.shield import Shielding
from muniment.record.entry import Direction

MESSAGE = (
    b"Return-Path: <ann@training.example>\r\nFrom: =?utf-8?q?Ann?= <Ann@Training.Example>\r\n"
    b'To: "Bob" <bob@client.example>,\r\n\tcarol@client.example\r\nCc: team: dave@client.example;\r\n'
    b"Subject: The\r\n timetable\r\nMessage-ID: <1@training.example>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n"
    b"Sensitivity: Private\r\n\r\nTo: nobody@client.example\r\n"
)


def test_senders_recipients_and_kept_fields_are_found():
    facts = facts_of(MESSAGE)
    assert facts.senders == ("ann@training.example",)
    assert facts.recipients == ("bob@client.example", "carol@client.example", "dave@client.example")
    assert facts.addresses == facts.senders + facts.recipients
    assert facts.values["subject"] == b"The timetable"
    assert facts.values["message-id"] == b"<1@training.example>"
    assert facts.shielded(Shielding()) == "private"
    assert facts.shielded(Shielding([("client.example", "legal")])) == "legal"


@pytest.mark.parametrize(
    ("sender", "recipients", "expected"),
    [
        (b"a@training.example", b"b@training.example", Direction.INTERNAL),
        (b"a@training.example", b"b@training.example, c@client.example", Direction.OUTBOUND),
        (b"c@client.example", b"a@training.example", Direction.INBOUND),
        (b"nobody", b"a@training.example", Direction.NONE),
        (b"a@training.example", b"undisclosed-recipients:;", Direction.NONE),
    ],
)
def test_the_direction_is_what_the_header_claims(sender, recipients, expected):
    facts = facts_of(b"From: " + sender + b"\nTo: " + recipients + b"\n\n")
    assert direction_of(facts, {"training.example"}) is expected


@given(st.binary(max_size=400) | st.lists(st.sampled_from(MESSAGE.split(b" ")), max_size=30).map(b" ".join))
def test_any_bytes_give_facts(data):
    facts = facts_of(data)
    assert all(len(value) <= 2048 for value in facts.values.values())
    assert all(address.encode() for address in facts.addresses)


@pytest.mark.parametrize(
    "data",
    [b"To:" + b"a" * 70_000, b"x" * 70_000, b"a\n" * 40_000, b"To:" + b"a@b,\n " * 20_000, b":" * 70_000],
)
def test_hostile_headers_cost_little(data):
    before = time.process_time()
    assert len(facts_of(data).recipients) <= MAX_ADDRESSES
    assert time.process_time() - before < 1
