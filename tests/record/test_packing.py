"""Packing gives every byte back, undoes base64, knows its lengths beforehand and bursts on nothing."""

from __future__ import annotations

import base64
import random
import re
import struct
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
import zstandard
from benchmarks import make_dictionary
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.policy.decision import Decision, Outcome
from muniment.policy.errors import BadInput, Tampered
from muniment.record import base64runs, dictionary, edits, packing
from muniment.record.packing import pack, pack_map, unpack, unpack_map

SHARED = Path(__file__).parents[3] / "shared" / "data"
LIMIT = 1 << 24
NOISE = random.Random(2026).randbytes(60_000)


def encoded(data: bytes, line: int = 76, ending: bytes = b"\r\n") -> bytes:
    text = base64.b64encode(data)
    return ending.join(text[at : at + line] for at in range(0, len(text), line))


ATTACHED = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee attached.\r\n"
    b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded(NOISE) + b"\r\n--b--\r\n"
)
FOOTER = b"-- \r\nExample Training Ltd, registered in England and Wales\r\n"

LINES = st.sampled_from(
    [
        b"\n",
        b"\r\n",
        b"\r",
        b"base64",
        b"A" * 40,
        b"A" * 76,
        b"QUJD" * 19 + b"\n",
        b"QQ==",
        b"QR==",
        b"=",
        b"x y",
    ]
)
TEXTS = st.one_of(st.binary(max_size=600), st.lists(LINES, max_size=40).map(b"".join).map(b"base64".__add__))


@given(TEXTS, st.none() | TEXTS, st.sampled_from([1, 3, 9, 19]))
@settings(deadline=None)
def test_every_pair_of_faces_comes_back(content, sent, level):
    assert unpack(pack(content, sent, level=level), LIMIT) == (content, sent)


@given(TEXTS, st.lists(st.tuples(st.integers(0, 600), st.integers(0, 90), TEXTS), max_size=6))
@settings(deadline=None)
def test_a_changed_face_comes_back(content, changes):
    sent = content
    for at, skip, insert in changes:
        sent = sent[:at] + insert + sent[at + skip :]
    assert unpack(pack(content, sent), LIMIT) == (content, sent)


def test_a_footer_costs_little_more_than_itself():
    body = ATTACHED.replace(b"See attached.\r\n", b"See attached.\r\n" + FOOTER)
    assert len(pack(ATTACHED, body)) < len(pack(ATTACHED, None)) + len(FOOTER) + 40


def test_more_changes_than_edits_are_kept_as_new_bytes():
    content = b"".join(b"line %d of a message, long enough to find the place again\n" % i for i in range(999))
    sent = content.replace(b"0 of a", b"zero of a")
    found, inserts = edits.find_edits(content, sent)
    assert len(found) == edits.MAX_EDITS + 1
    assert edits.apply_edits(content, found, b"".join(inserts)) == sent
    assert unpack(pack(content, sent), LIMIT) == (content, sent)


@pytest.mark.parametrize("line", [40, 60, 64, 73, 76, 1000, 90_000])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_base64_costs_no_more_than_what_it_stands_for(line, ending):
    content = b"Content-Transfer-Encoding: base64" + ending * 2 + encoded(NOISE, line, ending) + ending
    packed = pack(content, None)
    assert len(packed) < len(NOISE) + 100
    assert unpack(packed, LIMIT) == (content, None)


@pytest.mark.parametrize("spoiled", [b"=\r\n", b"\r\nAAA ", b"=A", b"==AAAA"])
def test_base64_that_is_not_canonical_stays_as_it_is(spoiled):
    content = b"base64\r\n" + encoded(NOISE[:900]) + spoiled + encoded(NOISE[900:1800]) + b"\r\n"
    assert unpack(pack(content, None), LIMIT) == (content, None)


def test_base64_with_stray_bits_stays_as_it_is():
    text = b"base64\n" + b"QUJD" * 19 + b"\nQR==\n"
    assert base64runs.undo(text) == (text, [])


def test_what_cannot_be_compressed_is_stored():
    assert len(pack(NOISE, None)) == len(NOISE) + packing._HEAD.size


@pytest.mark.parametrize("content", [b"", b"x", b"\x00" * LIMIT, b"base64\n" + b"A" * 1_000_000], ids=len)
def test_odd_contents_come_back(content):
    assert unpack(pack(content, None), len(content)) == (content, None)
    assert unpack(pack(content, b""), len(content)) == (content, b"")
    assert unpack(pack(content, content), 2 * len(content)) == (content, content)


HOSTILE = {
    "one line of a million letters": b"base64\n" + b"A" * 1_000_003,
    "a million lines": b"base64" + b"\nA" * 1_000_000,
    "a hundred thousand first lines": b"base64\n" + (b"A" * 41 + b"\n-\n") * 100_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_base64_comes_back(content):
    assert unpack(pack(content, None), len(content)) == (content, None)


def test_a_bomb_is_refused_before_it_is_decoded():
    packed = pack(b"\x00" * LIMIT, None)
    assert len(packed) < 4000
    with pytest.raises(Tampered, match="above the limit"):
        unpack(packed, LIMIT - 1)
    with pytest.raises(Tampered, match="above the limit"):
        unpack(pack(b"\x00" * 1000, b"\x00" * 1000), 1999)


def test_a_head_that_lies_about_the_length_is_refused():
    packed = pack(b"\x00" * 100_000, None)
    for length in (0, 99_999, 100_001):
        with pytest.raises(Tampered):
            unpack(packed[:3] + struct.pack(">I", length) + packed[7:], LIMIT)
    stored = pack(NOISE[:100], None)
    with pytest.raises(Tampered):
        unpack(stored[:-1], LIMIT)
    with pytest.raises(Tampered):
        unpack(packed + b"x", LIMIT)


def planned(plan: object, content_bytes: int, body: bytes) -> bytes:
    encoded_plan = msgspec.msgpack.encode(plan)
    head = struct.pack(">BBBI", packing.VERSION, dictionary.NONE, 3, content_bytes)
    return head + struct.pack(">I", len(encoded_plan)) + encoded_plan + body


def test_a_plan_is_read_as_documented():
    assert unpack(planned([[[1, 1, 2], [1, 0, 0]], [[1, 3, 4, 1]]], 5, b"abcXYZ"), 99) == (b"aWFla", b"abcF")


@pytest.mark.parametrize(
    "plan",
    [
        [None, [[0, 1 << 60, 76, 2]]],
        [None, [[0, 3, 0, 1]]],
        [None, [[0, 3, 4, 3]]],
        [None, [[-1, 3, 4, 1]]],
        [None, [[9, 3, 4, 1]]],
        [[[9, 0, 0]], []],
        [[[-1, 1, 0]], []],
        [[[1, 0, 1 << 62]], []],
        [[[1, 0, 0]] * 50, []],
        [None],
        [None, [], 1],
        [None, None],
        "plan",
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan):
    with pytest.raises(Tampered):
        unpack(planned(plan, 5, b"abcde"), 99)


@given(st.binary(max_size=80))
@settings(deadline=None)
def test_foreign_bytes_are_refused(data):
    for head in (b"", b"\x01", b"\x01\x00\x01", b"\x01\x00\x03\x00\x00\x00\x05"):
        try:
            content, sent = unpack(head + data, 1000)
        except Tampered:
            continue
        assert len(content) + len(sent or b"") <= 1000


@given(st.integers(0, 400), st.integers(1, 255))
@settings(deadline=None)
def test_a_flipped_byte_gives_other_bytes_or_a_refusal(at, flip):
    packed = bytearray(pack(ATTACHED[:3000], ATTACHED[:3000] + FOOTER))
    packed[at % len(packed)] ^= flip
    try:
        content, sent = unpack(bytes(packed), LIMIT)
    except Tampered:
        return
    assert len(content) + len(sent or b"") <= LIMIT


def test_a_face_of_four_gigabytes_is_bad_input(monkeypatch):
    monkeypatch.setattr(packing, "MAX_FACE_BYTES", 10)
    with pytest.raises(BadInput):
        pack(b"x" * 11, None)


def test_the_compressed_part_is_plain_zstandard():
    packed = pack(b"a line of text\n" * 99, None)
    frame = b"\x28\xb5\x2f\xfd" + packed[packing._HEAD.size :]
    reader = zstandard.ZstdDecompressor(dict_data=dictionary.dictionary(dictionary.CURRENT))
    assert reader.decompress(frame, max_output_size=2000) == b"a line of text\n" * 99


LETTER = (
    b"From: Morgan Example <morgan@training.example>\nTo: all@training.example\nSubject: Fire drill on Thursday\n"
    b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    b"Dear colleagues,\n\nthe meeting has been moved to Thursday. Please let me know if you are not able to attend.\n"
)


@pytest.mark.parametrize("number", dictionary.DIGESTS)
def test_the_shipped_dictionary_is_made_of_our_own_texts(number):
    shipped = (Path(dictionary.__file__).parent / "dictionaries" / f"{number}.zdict").read_bytes()
    assert make_dictionary.made(number) == shipped
    assert sha256(shipped).hexdigest() == dictionary.DIGESTS[number]


PROVIDERS = {b"googlemail.com", b"gmail.com", b"outlook.com", b"hotmail.com", b"yahoo.com", b"mail.gmail.com"}
PROVIDERS |= {b"eu-west-1.amazonses.com", b"example.org", b"example.com"}


@pytest.mark.parametrize("number", dictionary.DIGESTS)
def test_the_dictionary_names_nobody(number):
    named = set(re.findall(rb"[\w.+-]+@([\w.-]+\.[a-z]{2,})", make_dictionary.made(number)))
    assert named <= PROVIDERS


FACTS = Decision(
    outcome=Outcome.ALTER,
    rule="mail.footer",
    rule_version=1,
    clause="R-2.2-b",
    reason="The company's particulars were added, as clause 2.2 asks.",
    snapshot=sha256(b"a snapshot").hexdigest(),
    changes=("footer added to text/plain part 1 (utf-8, 8bit)",),
).to_facts()


def test_a_decision_takes_a_third_of_its_length():
    packed = pack_map(FACTS)
    assert packed[1] == dictionary.MAPS
    assert unpack_map(packed, LIMIT) == FACTS
    assert len(packed) < 0.36 * len(FACTS)


@given(st.binary(max_size=300), st.sampled_from([1, 3, 12]))
@settings(deadline=None)
def test_every_map_comes_back(data, level):
    assert unpack_map(pack_map(data, level=level), LIMIT) == data


def test_facts_of_an_older_record_are_read_as_they_stand():
    assert unpack_map(FACTS, LIMIT) == FACTS
    assert unpack_map(b"", LIMIT) == b""


def test_the_dictionary_makes_a_short_letter_much_smaller(monkeypatch):
    with_it = pack(LETTER, None)
    monkeypatch.setattr(dictionary, "CURRENT", dictionary.NONE)
    monkeypatch.setattr(packing, "_codecs", packing._Codecs())
    without = pack(LETTER, None)
    assert len(with_it) < 0.65 * len(without)
    assert unpack(with_it, LIMIT) == unpack(without, LIMIT) == (LETTER, None)


def test_a_changed_dictionary_is_refused(monkeypatch):
    packed = pack(LETTER, None)
    monkeypatch.setattr(packing, "_codecs", packing._Codecs())
    monkeypatch.setitem(dictionary.DIGESTS, 1, "0" * 64)
    dictionary.dictionary.cache_clear()
    with pytest.raises(Tampered, match="install this version"):
        unpack(packed, LIMIT)


def test_a_dictionary_that_is_not_known_is_refused():
    packed = pack(LETTER, None)
    with pytest.raises(Tampered, match="dictionary 3"):
        unpack(packed[:1] + b"\x03" + packed[2:], LIMIT)


@pytest.mark.parametrize(
    "path", sorted(SHARED.glob("mail/*")) or [make_dictionary.TEXTS], ids=lambda path: path.name
)
def test_every_real_message_comes_back(path):
    raw = packed = 0
    for file in [file for file in path.rglob("*") if file.is_file()]:
        data = file.read_bytes()
        sent = data[: len(data) // 2] + FOOTER + data[len(data) // 2 :]
        made = pack(data, None)
        assert unpack(made, len(data)) == (data, None)
        assert unpack(pack(data, sent), 2 * len(sent)) == (data, sent)
        raw, packed = raw + len(data), packed + len(made)
    assert 0 < packed < raw / 2
