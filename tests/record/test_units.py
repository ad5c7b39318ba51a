"""Any bytes are cut into units that add up to them, and mail is cut where a reader would expect it."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.record.units import BLOCK_BYTES, MAX_UNITS, TAIL_BYTES, face_ends, unit_ends
from tests.serve.letters import letters


def units(data: bytes) -> list[bytes]:
    ends = unit_ends(data)
    assert ends == sorted(set(ends))
    assert not ends or ends[0] > 0
    assert (ends[-1] if ends else 0) == len(data)
    cut = [data[start:end] for start, end in pairwise([0, *ends])]
    assert b"".join(cut) == data
    assert len(cut) <= MAX_UNITS
    return cut


PLAIN = (
    b"Received: from a.training.example\r\n\tby b.training.example; Mon, 2 Nov 2026 09:00:00 +0000\r\n"
    b"Received: from c.training.example by a.training.example\r\n"
    b"From: Ann <ann@training.example>\r\nReply-To: office@training.example\r\n"
    b"To: bob@client.example,\r\n carol@client.example\r\nCc: dave@client.example\r\n"
    b"Subject: The timetable\r\n for November\r\nMessage-ID: <1@training.example>\r\n"
    b"Date: Mon, 2 Nov 2026 09:00:00 +0000\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
    b"Dear Bob,\r\nhere it is.\r\n"
)


def test_header_fields_of_one_group_are_one_unit():
    assert [unit.split(b":")[0].split(b"\r\n")[0] for unit in units(PLAIN)] == [
        b"Received",
        b"From",
        b"To",
        b"Subject",
        b"Message-ID",
        b"MIME-Version",
        b"Dear Bob,",
    ]
    assert (
        units(PLAIN)[2] == b"To: bob@client.example,\r\n carol@client.example\r\nCc: dave@client.example\r\n"
    )
    assert units(PLAIN)[5].endswith(b"\r\n\r\n")


def test_line_endings_make_no_difference():
    bare = PLAIN.replace(b"\r\n", b"\n")
    assert [unit.replace(b"\r\n", b"\n") for unit in units(PLAIN)] == units(bare)


def test_a_long_body_is_cut_at_line_ends():
    body = b"".join(b"line %d of the minutes of the meeting\n" % number for number in range(400))
    cut = units(b"Subject: minutes\n\n" + body)[1:]
    assert all(block.endswith(b"\n") and len(block) <= BLOCK_BYTES + TAIL_BYTES for block in cut)
    assert all(len(block) > BLOCK_BYTES - 60 for block in cut[:-1])


def test_a_body_without_line_ends_is_cut_at_the_block_length():
    cut = units(b"Subject: x\n\n" + b"y" * 5000)[1:]
    assert [len(block) for block in cut] == [1024, 1024, 1024, 1024, 904]


MULTIPART = b"""Subject: two parts
Content-Type: multipart/mixed; BOUNDARY="outer b"

preamble
--outer b
Content-Type: multipart/alternative;
 boundary = inner

--inner
Content-Type: text/plain

plain text
--inner not a delimiter
--inner
Content-Type: text/html

<p>html</p>
--inner--
--outer b
Content-Type: message/rfc822

From: someone@client.example
Subject: attached
Content-Type: multipart/mixed; boundary=third

--third
Content-Type: image/png

picture
--third--
--outer b--
epilogue
"""


def test_parts_headers_and_bodies_are_units_of_their_own():
    assert [unit.split(b"\n")[0] for unit in units(MULTIPART)] == [
        b"Subject: two parts",
        b'Content-Type: multipart/mixed; BOUNDARY="outer b"',
        b"preamble",
        b"--outer b",
        b"--inner",
        b"plain text",
        b"--inner",
        b"<p>html</p>",
        b"--inner--",
        b"--outer b",
        b"From: someone@client.example",
        b"Subject: attached",
        b"Content-Type: multipart/mixed; boundary=third",
        b"--third",
        b"picture",
        b"--third--",
        b"--outer b--",
    ]


def test_parts_are_found_with_either_line_ending():
    assert [u.replace(b"\r\n", b"\n") for u in units(MULTIPART.replace(b"\n", b"\r\n"))] == units(MULTIPART)


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"", 0),
        (b"\n", 1),
        (b"\r\n", 1),
        (b"no header and no line end", 1),
        (b"\n\n", 2),
        (b"\r\nbody without a header", 2),
        (b"From: a\nTo: b\n", 2),
        (b"Content-Type: multipart/mixed; boundary=x\n\n--x", 2),
        (b"Content-Type: multipart/mixed; boundary=x\n\n--x--\n--x--\n", 3),
        (b"Content-Type: message/rfc822\n\n", 1),
    ],
)
def test_odd_messages_are_cut_too(data, count):
    assert len(units(data)) == count


FRAGMENTS = st.sampled_from(
    [b"\n", b"\r\n", b"\r", b"--b", b"--b--", b"--", b"boundary=b", b'Boundary="b"', b"boundary=", b"From: x",
     b"To:", b"Content-Type: message/rfc822", b" folded", b"\x00", b"\xff", b"text " * 50, b"x" * 3000]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=4000), st.lists(FRAGMENTS, max_size=60).map(b"".join)))
def test_hostile_bytes_are_cut_without_an_error(data):
    units(data)


HOSTILE = {
    "delimiter-like lines": b"boundary=x\n\n" + b"\n--" * 1_000_000,
    "nothing but delimiters": b"boundary=x\n\n" + b"--x\n" * 1_000_000,
    "parts without a blank line": b"boundary=x\n\n" + b"--x\nno: blank\n" * 300_000,
    "attached messages nested without end": b"content-type: message/rfc822\n\n" * 150_000,
    "attached messages with many fields": b"boundary=x\n\n"
    + (b"--x\nmessage/rfc822\n\n" + b"a:\nto:\n" * 90) * 6000,
    "fields of changing groups": b"to:\nfrom:\n" * 500_000,
    "boundaries without end": b"boundary=" * 400_000,
    "blank-less boundary parameter": b"boundary" + b" " * 4_000_000,
    "no line end": b"x" * 4_000_000,
    "crumbs": (b"\n" + b"x" * 1300) * 3000,
    "one long delimiter": b"boundary=x\n\n--" + b"x" * 4_000_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_megabytes_cost_linear_time_and_bounded_units(data):
    before = time.process_time()
    assert len(units(data)) <= MAX_UNITS
    assert time.process_time() - before < 5


@given(
    st.lists(
        st.sampled_from([b"A: b\n", b"C: d\r\n", b"\n", b"\r\n", b"\r", b"text", b" ", b""]), max_size=12
    )
)
def test_faces_that_share_a_header_are_cut_as_each_alone(pieces):
    for at in range(len(pieces) + 1):
        first, second = b"".join(pieces), b"".join([*pieces[:at], b"footer\r\n", *pieces[at:]])
        assert face_ends([first, second]) == [unit_ends(first), unit_ends(second)]
        assert face_ends([second, first]) == [unit_ends(second), unit_ends(first)]


def test_every_message_is_cut_into_units_that_add_up():
    for letter in letters():
        units(letter)
