"""Any mail, in any encoding, with any bytes: what is laid out and packed comes back exactly. R-5.1-a."""

from __future__ import annotations

import base64
import quopri
import random
import uuid

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.policy.errors import Tampered
from muniment.record import packing
from muniment.record.attachments.laying import MOST_A_MESSAGE, lay_out, most_entries
from muniment.record.attachments.reference import LEAST_BYTES, Reference
from muniment.record.attachments.secret import MOST_NAMES, DaySecret, Stored
from muniment.record.entry import Capture, Direction, Entry, Kind, Stream
from tests.record.attachments.letters import REGISTER, TIMETABLE, encoded, inbound, letter, outbound
from tests.record.recording import contents, mail, make_home, recording

LIMIT = 1 << 26
FILES = [
    random.Random(seed).randbytes(size) for seed, size in enumerate((1, 60, 4095, 4096, 4097, 5000, 12_288))
]
FILES += [b"%PDF " * 2_000, bytes(6_000), b"base64\n" * 900, encoded(REGISTER)]
LINES, ENDINGS = (76, 60, 72, 4, 10_000), (b"\n", b"\r\n", b"\r")


def base64_of(data: bytes, line: int, ending: bytes, end: bytes) -> bytes:
    return b"Content-Transfer-Encoding: base64\n\n" + encoded(data, line, ending) + end


def damaged(data: bytes, at: int) -> bytes:
    text = bytearray(base64_of(data, 76, b"\r\n", b"\r\n"))
    text[at % len(text)] = ord("=")
    return bytes(text)


FILE = st.integers(0, len(FILES) - 1).map(lambda number: FILES[number]) | st.binary(min_size=1, max_size=300)
LEAF = st.one_of(
    st.binary(max_size=200),
    st.tuples(
        FILE, st.sampled_from(LINES), st.sampled_from(ENDINGS), st.sampled_from([b"\r\n", b"\n", b"", b"=="])
    ).map(lambda found: base64_of(*found)),
    st.tuples(FILE, st.integers(0, 20_000)).map(lambda found: damaged(*found)),
    FILE.map(lambda data: b"Content-Transfer-Encoding: quoted-printable\n\n" + quopri.encodestring(data)),
    FILE,
)
TREE = st.recursive(
    LEAF,
    lambda parts: st.one_of(
        st.lists(parts, max_size=4).map(
            lambda found: b"--b\r\n" + b"\r\n--b\r\n".join(found) + b"\r\n--b--\r\n"
        ),
        parts.map(lambda found: base64_of(found, 76, b"\r\n", b"\r\n") if found else found),
    ),
    max_leaves=8,
)
WAYS = st.sampled_from(
    [
        (Direction.OUTBOUND, Capture.WIRE),
        (Direction.INBOUND, Capture.WIRE),
        (Direction.INBOUND, Capture.IMPORT),
    ]
)


def way(entry: Entry, found: tuple[Direction, Capture]) -> Entry:
    return msgspec.structs.replace(entry, direction=found[0], capture=found[1])


def opened(laid: list, first: int, level: int = 3) -> list[tuple[bytes, bytes | None]]:
    """Return the faces of the messages of a layout, packed and unpacked; each attachment is known by its index."""
    held = {first + number: item for number, item in enumerate(laid)}

    def fetch(reference: Reference) -> bytes:
        item = held[reference.entry]
        assert item.sharing.key == reference.key
        return item.entry.content

    found = []
    for item in laid:
        if item.at is None:
            assert (item.entry.kind, item.entry.stream) == (Kind.BLOB, Stream.MAIL_ATTACHMENT)
            continue
        prepared = item.sharing.prepared or packing.prepare(item.entry.content, item.entry.sent)
        found.append(
            packing.unpack(packing.compress(prepared, item.sharing.names, level=level), LIMIT, fetch)
        )
    return found


@given(st.lists(st.tuples(TREE, st.none() | TREE, WAYS), min_size=1, max_size=4), st.integers(0, 1 << 40))
@settings(deadline=None, max_examples=150)
def test_any_mail_comes_back_exactly(messages, first):
    entries = [way(mail(content=content, sent=sent), found) for content, sent, found in messages]
    layout = lay_out(entries, (), DaySecret(1, 1), first, 7)
    assert len(layout.laid) <= most_entries(entries)
    assert [layout.laid[place].entry for place in layout.places] == entries
    assert opened(layout.laid, first) == [(content, sent) for content, sent, _ in messages]
    for number, item in enumerate(layout.laid):
        assert all(reference.entry < first + number for reference in item.sharing.names)


@given(st.lists(st.tuples(TREE, WAYS), min_size=1, max_size=3))
@settings(deadline=None, max_examples=10)
def test_any_mail_comes_back_from_a_record(tmp_path_factory, messages):
    home = make_home(tmp_path_factory.mktemp(uuid.uuid4().hex))
    with recording(home) as record:
        receipts = record.append([way(mail(content=content), found) for content, found in messages])
    found = contents(home)
    assert [found[receipt.index] for receipt in receipts] == [content for content, _ in messages]


def test_an_attachment_below_the_least_size_stays_where_it_is():
    [laid] = lay_out([outbound(1, REGISTER[: LEAST_BYTES - 1])], (), DaySecret(1, 1), 0, 1).laid
    assert laid.sharing.names == ()
    assert len(lay_out([outbound(1, REGISTER[:LEAST_BYTES])], (), DaySecret(1, 1), 0, 1).laid) == 2


def test_a_message_of_very_many_parts_lays_no_more_than_a_hundred():
    parts = [random.Random(n).randbytes(LEAST_BYTES) for n in range(MOST_A_MESSAGE + 5)]
    entry = outbound(1, *parts)
    layout = lay_out([entry], (), DaySecret(1, 1), 0, 1)
    assert len(layout.laid) == MOST_A_MESSAGE + 1 <= most_entries([entry])
    assert opened(layout.laid, 0) == [(letter(1, *parts), None)]


def test_what_holds_no_bytes_itself_is_not_looked_at():
    layout = lay_out([outbound(1, REGISTER), outbound(2, REGISTER)], {1}, DaySecret(1, 1), 0, 1)
    assert [len(item.sharing.names) for item in layout.laid] == [0, 1, 0]
    assert layout.places == [1, 2]


def test_a_secret_knows_what_was_noted_and_another_knows_nothing():
    secret, other = DaySecret(9, 5), DaySecret(9, 5)
    named = secret.name(REGISTER)
    assert secret.find(named.name) is None
    secret.note({named.name: Stored(4, 2)})
    secret.note({named.name: Stored(8, 3)})
    assert secret.find(secret.name(REGISTER).name) == Stored(4, 2)
    assert named != other.name(REGISTER)
    assert named.name != named.key
    assert not secret.is_over(9, 5)
    assert secret.is_over(10, 5)
    assert secret.is_over(9, 6)
    secret.note({number.to_bytes(4, "big"): Stored(number, 1) for number in range(MOST_NAMES)})
    assert secret.is_over(9, 5)


def test_an_inbound_letter_names_its_own_attachment_twice_when_it_has_it_twice():
    layout = lay_out([inbound(1, REGISTER, TIMETABLE, REGISTER)], (), DaySecret(1, 1), 0, 1)
    assert [reference.entry for reference in layout.laid[-1].sharing.names] == [0, 1, 0]


def packed_letter() -> bytes:
    layout = lay_out([outbound(1, REGISTER)], (), DaySecret(1, 1), 0, 1)
    [_, item] = layout.laid
    return packing.compress(item.sharing.prepared, item.sharing.names, level=3)


def test_a_reference_is_refused_where_there_can_be_none_and_when_it_gives_other_bytes():
    packed = packed_letter()
    assert packing.unpack(packed, LIMIT, lambda _: REGISTER) == (letter(1, REGISTER), None)
    with pytest.raises(Tampered, match="where there can be none"):
        packing.unpack(packed, LIMIT)
    with pytest.raises(Tampered, match="is not the attachment"):
        packing.unpack(packed, LIMIT, lambda _: REGISTER[1:])


@given(
    st.lists(st.tuples(*[st.integers(-2, 3)] * 3, st.binary(max_size=33)), max_size=3), st.binary(max_size=40)
)
def test_a_plan_that_lies_about_attachments_is_refused_and_never_raises_otherwise(attachments, body):
    plan = msgspec.msgpack.encode((None, [(1, 6, 8, 1)], attachments))
    packed = bytes((1, 1, 7)) + (9).to_bytes(4, "big") + len(plan).to_bytes(4, "big") + plan + body
    try:
        content, _ = packing.unpack(packed, LIMIT, lambda _: b"sixsix")
    except Tampered:
        return
    assert len(content) == 9


def test_base64_of_a_reference_is_as_documented():
    packed = packed_letter()
    assert packed[2] & 5 == 5
    length = int.from_bytes(packed[7:11], "big")
    edits, runs, attachments = msgspec.msgpack.decode(packed[11 : 11 + length])
    assert (edits, [run[1] for run in runs]) == (None, [len(REGISTER)])
    [[run, entry, epoch, key]] = attachments
    assert (run, entry, epoch, len(key)) == (0, 0, 1, 32)
    assert base64.b64encode(REGISTER)[:40] not in packed
