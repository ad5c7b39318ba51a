"""A permit opens its entries and no neighbour, whoever holds everything the room holds. R-5.2-f."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.policy.errors import BadInput, Missing, Tampered
from muniment.record import chain, commitment, seal
from muniment.record.entry import Kind, Retention, Stream
from muniment.record.frame import parse_sections
from muniment.record.keytree import descend
from muniment.record.leaf import HEAD
from muniment.record.leaf import parse as parse_leaf
from muniment.record.opening import OpenRecord
from muniment.record.permit_selection import parse_selection
from muniment.record.reading import read_frame
from muniment.record.release_item import ITEM_BYTES, ReleaseItem, pack_items, unpack_items
from muniment.record.released import ReleasedView
from muniment.record.row import Row
from muniment.record.units import face_ends
from tests.record.asking import permitted, query, release, room
from tests.record.recording import Clock, check_record, mail, make_home, message, officer_view, recording


@pytest.fixture
def record(tmp_path) -> Iterator[OpenRecord]:
    """Tomás' mail, some twice, some changed on its way out, and others' mail between."""
    clock = Clock()
    home = make_home(tmp_path, clock)
    with recording(home, clock) as opened:
        opened.append([mail(1), mail(2, sent=message(2) + b"Example Training Ltd\r\n")])
        opened.append(
            [msgspec.structs.replace(mail(n), addresses=("stella@training.example",)) for n in (3, 1)]
        )
        opened.append([mail(3), mail(1), msgspec.structs.replace(mail(4), shielded="union")])
        yield opened
    check_record(home)


def within(view: ReleasedView) -> list[ReleaseItem]:
    return [item for item in view.items() if not item.is_bytes_only]


def test_the_room_reads_what_an_officer_reads(record: OpenRecord):
    view = room(record, permitted(record))
    with officer_view(record.home) as officer:
        for item in within(view):
            theirs, ours = officer.open(item.idx), view.open(item.idx)
            assert (ours.content, ours.sent, ours.meta) == (theirs.content, theirs.sent, theirs.meta)
            assert (ours.facts, ours.plain, ours.shielded) == (theirs.facts, theirs.plain, theirs.shielded)
            assert ours.row == theirs.row._replace(content_id=None)
            told = msgspec.structs.replace(theirs.told, tokens=b"", content_id=b"")
            assert ours.told == told
    assert [view.open_faces(item.idx)[0] for item in within(view)] == [message(n) for n in (1, 2, 3, 1)]
    both = [view.open_both(item.idx) for item in reversed(within(view))]
    assert both == [(b"\x81\xa4from\xa5tomas", message(n)) for n in (1, 3, 2, 1)]


def test_bytes_that_an_unasked_entry_holds_open_for_the_asked_one_alone(record: OpenRecord):
    view = room(record, permitted(record))
    [holder] = [item for item in view.items() if item.is_bytes_only]
    [copy] = [item for item in within(view) if item.about == holder.idx]
    assert copy.kind == Kind.OBSERVATION
    assert view.open_faces(copy.idx) == (message(3), None)
    for opening in (view.open, view.open_both, view.open_meta, view.open_facts, view.open_faces):
        with pytest.raises(Missing, match="holds the bytes of one that it does"):
            opening(holder.idx)


def test_an_envelope_opens_no_content(record: OpenRecord):
    view = room(record, permitted(record, query(depth="envelope")))
    first = within(view)[0].idx
    assert view.open_meta(first) == ("", b"\x81\xa4from\xa5tomas")
    assert view.open_facts(first) == b"\x81\xa7outcome\xa5allow"
    with pytest.raises(Missing, match="does not open the content"):
        view.open_faces(first)
    with pytest.raises(Missing, match="does not open the content"):
        view.content_seed(first)
    with pytest.raises(Missing, match="does not open the content"):
        view.open_both(first)


def test_what_is_not_released_is_missing(record: OpenRecord):
    view = room(record, permitted(record))
    for index in {row.idx for row in record.record.parts.catalogue.rows()} - {i.idx for i in view.items()}:
        assert index not in view
        for opening in (
            view.open,
            view.open_meta,
            view.open_faces,
            view.leaf,
            view.content_seed,
            view.own_faces,
        ):
            with pytest.raises(Missing, match="not one that this permit opens"):
                opening(index)
    for index in (-1, 10**9):
        with pytest.raises(Missing):
            view.open(index)


def test_a_long_message_opens_with_its_pieces(record: OpenRecord):
    long = mail(8, content=message(8) + bytes(range(256)) * 70_000, sent=None)
    blobs = tuple(record.append([piece])[0].index for piece in chain.pieces(long))
    [receipt] = record.append([chain.head(long, blobs)])
    view = room(record, permitted(record))
    assert view.bytes_of(receipt.index).blobs == blobs
    assert view.open_faces(receipt.index, is_verified=False) == (long.content, None)
    assert view.open_both(receipt.index) == (long.meta, long.content)
    assert all(view.item(blob).is_bytes_only for blob in blobs)


def test_what_a_pack_needs_proves_the_bytes_against_the_leaf(record: OpenRecord):
    view = room(record, permitted(record))
    item = within(view)[1]
    content, sent = view.open_faces(item.idx)
    assert sent is not None
    faces = [content, sent]
    shown = commitment.disclose(
        view.content_seed(item.idx),
        faces,
        face_ends(faces),
        [[True] * len(ends) for ends in face_ends(faces)],
    )
    commitment.verify(shown, parse_leaf(view.leaf(item.idx)).content_commitment)


def test_a_blade_or_a_node_of_another_entry_opens_nothing(record: OpenRecord):
    permit = permitted(record)
    first, second, *rest = release(record, permit)
    swapped = [first._replace(content=second.content, meta=second.meta), second, *rest]
    view = ReleasedView(record.home, permit.covers, swapped)
    with pytest.raises(Tampered, match="does not open"):
        view.open_meta(first.idx)
    with pytest.raises(Tampered, match="does not open"):
        view.open_faces(first.idx)
    assert view.open_faces(second.idx)[0] == message(2)


@pytest.mark.parametrize("change", [{"at": 64}, {"position": 9}, {"epoch": 1}, {"length": 20}, {"at": 2**31}])
def test_an_item_that_points_elsewhere_is_found_out(record: OpenRecord, change: dict[str, int]):
    permit = permitted(record)
    first, *rest = release(record, permit)
    view = ReleasedView(record.home, permit.covers, [first._replace(**change), *rest])
    with pytest.raises((Tampered, Missing)):
        view.open(first.idx)


def test_items_out_of_order_are_bad_input(record: OpenRecord):
    permit = permitted(record)
    first, second, *_ = release(record, permit)
    with pytest.raises(BadInput, match="order of the ledger"):
        ReleasedView(record.home, permit.covers, [second, first])


def test_many_segments_are_read_with_few_open_files(tmp_path):
    clock = Clock()
    home = make_home(tmp_path, clock)
    with recording(home, clock) as record:
        for number in range(20):
            record.append([mail(number)])
            record.record.end_epoch(Retention.MAIL)
        view = room(record, permitted(record))
        assert [view.open_faces(item.idx)[0] for item in within(view)] == [message(n) for n in range(20)]
        assert len(view._open) == 8
        view.close()
        assert view._open == {}
    check_record(home)


def test_items_travel_and_come_back_the_same(record: OpenRecord):
    items = list(release(record, permitted(record)))
    data = pack_items(items)
    assert len(data) == len(items) * ITEM_BYTES
    assert unpack_items(data) == items
    with pytest.raises(BadInput):
        unpack_items(data[:-1])


# --- the whole memory of the room in an attacker's hands


def memory_of(view: ReleasedView) -> list[bytes]:
    """Return every run of bytes that an attacker finds in the objects reachable from a view."""
    seen: set[int] = set()
    found: list[bytes] = []
    waiting: list[object] = [view]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type) or hasattr(thing, "__globals__"):
            continue
        seen.add(id(thing))
        if isinstance(thing, bytes | bytearray):
            found.append(bytes(thing))
        waiting.extend(gc.get_referents(thing))
    return found


def nodes_in(memory: list[bytes], position: int) -> set[bytes]:
    """Return every 32-byte object as a leaf's seed, and as a node some levels above the leaf of `position`."""
    held = [data for data in memory if len(data) == 32]
    return {descend(data, position & ((1 << up) - 1), up) for data in held for up in range(25)}


def blades_in(memory: list[bytes]) -> set[bytes]:
    """Return every 32 bytes anywhere as a blade."""
    return {data[at : at + 32] for data in memory for at in range(len(data) - 31)}


def decrypts(key: bytes, name: bytes, head: bytes, sealed: bytes) -> bool:
    try:
        AESGCM(key).decrypt(bytes(12), sealed, head + name)
    except InvalidTag:
        return False
    return True


def sections_that_open(record: OpenRecord, memory: list[bytes], row: Row) -> set[bytes]:
    """Return which sections of an entry open with anything that stands in a memory; the disk and formats are known."""
    frame = read_frame(record.home, row)
    sections, head = parse_sections(frame.body), frame.leaf[:HEAD]
    nodes, blades = nodes_in(memory, row.position), blades_in(memory)
    opened = set()
    for name, sealed in ((seal.META, sections.meta), (seal.CONTENT, sections.content)):
        tried = (seal.sealed_keys(node, blade, sections.salt)[0] for blade in blades for node in nodes)
        if sealed and any(decrypts(key, name, head, sealed) for key in tried):
            opened.add(name)
    for name, sealed in ((seal.FACTS, sections.facts), (seal.LINE, sections.line)):
        if any(decrypts(seal.kept_key(blade, sections.salt), name, head, sealed) for blade in blades):
            opened.add(name)
    return opened


def test_the_neighbours_stay_closed_to_whoever_holds_the_rooms_whole_memory(record: OpenRecord):
    """Everything the room holds is tried as every kind of key; the released entry opens so, its neighbours do not."""
    few = query(until_ms=record.record.now_ms() + 1, streams=("mail-gateway",))
    permit = permitted(record, few)
    first, *_ = release(record, permit)
    view = ReleasedView(record.home, permit.covers, [first])
    view.open(first.idx)
    memory = memory_of(view)
    neighbours = record.record.parts.catalogue.rows("stream = ? AND shielded", (Stream.MAIL_GATEWAY,))
    neighbours += record.record.parts.catalogue.rows("stream = ? AND NOT shielded", (Stream.MAIL_GATEWAY,))[
        1:4
    ]
    assert sections_that_open(record, memory, first.row) == {seal.META, seal.CONTENT, seal.FACTS}
    assert [sections_that_open(record, memory, row) for row in neighbours] == [set()] * 4


def test_released_nodes_lie_above_released_positions_only(record: OpenRecord):
    """The complete form of the same claim: no position beside the selection derives from what is held."""
    permit = permitted(record)
    selected: dict[tuple[int, int, str], set[int]] = {}
    for item in parse_selection(permit.selection):
        for section, bit in (("meta", 1), ("content", 2)):
            if item.sections & bit:
                selected.setdefault((item.class_id, item.epoch, section), set()).add(item.position)
    for place, cover in permit.covers.items():
        assert {at for at, _ in cover.walk(0, 1 << 12)} == selected[place]
        assert sum(1 << (cover.depth - level) for level, _ in cover.nodes) == len(selected[place])
