"""The key tree gives away or forgets any part of itself, and nothing more."""

from __future__ import annotations

import contextlib
import re
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Missing
from muniment.record.keytree import DEPTH, Cover, Forward, Punctured, SeedReader

ROOT = bytes(range(32))
SMALL = 6
INDEX = st.integers(0, (1 << SMALL) - 1)


def reference(root: bytes, index: int, depth: int) -> bytes:
    """The definition in docs/formats/keytree.md, written a second time and one step at a time."""
    for bit in f"{index:0{depth}b}":
        root = sha256(b"muniment/1 child " + bit.encode() + root).digest()
    return root


def held(cover: Cover) -> dict[int, bytes]:
    seeds = {}
    for index in range(1 << cover.depth):
        try:
            seeds[index] = cover.seed(index)
        except Punctured:
            assert index not in cover
        else:
            assert index in cover
    return seeds


@given(st.lists(st.integers(0, 1023), max_size=4), st.lists(st.integers(0, 1023), min_size=1, max_size=8))
def test_a_reader_gives_the_seeds_of_its_cover_and_no_other(gone: list[int], wanted: list[int]) -> None:
    cover = Cover.whole(ROOT, 10)
    for index in gone:
        cover.puncture(index)
    reader = SeedReader(cover)
    for index in wanted:
        if index in gone:
            with pytest.raises(Punctured):
                reader.seed(index)
        else:
            assert reader.seed(index) == cover.seed(index)


ALL = {index: reference(ROOT, index, SMALL) for index in range(1 << SMALL)}


def test_the_forward_walk_and_the_cover_agree_with_the_definition():
    forward, cover = Forward(ROOT), Cover.whole(ROOT)
    for index in range(100):
        assert forward.position == index
        assert forward.next() == cover.seed(index) == reference(ROOT, index, DEPTH)
    assert held(Cover.whole(ROOT, SMALL)) == ALL


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 9])
def test_the_forward_walk_ends_with_the_last_leaf(depth):
    forward = Forward(ROOT, depth)
    assert [forward.next() for _ in range(1 << depth)] == [
        reference(ROOT, i, depth) for i in range(1 << depth)
    ]
    with pytest.raises(Punctured):
        forward.next()


def test_the_forward_walk_holds_nothing_that_derives_the_past():
    forward = Forward(ROOT, SMALL)
    for position in range(1 << SMALL):
        forward.next()
        known = [seed for _, seed in forward._stack] + forward._ready
        covered = set()
        for level, seed in [*forward._stack, *((SMALL, leaf) for leaf in forward._ready)]:
            for path in range(1 << (SMALL - level)):
                leaf = seed
                for bit in f"{path:0{SMALL - level}b}" if level < SMALL else "":
                    leaf = sha256(b"muniment/1 child " + bit.encode() + leaf).digest()
                covered.add(leaf)
        assert ROOT not in known
        assert covered == {ALL[i] for i in range(position + 1, 1 << SMALL)}


@given(st.lists(INDEX, max_size=20))
def test_punctured_leaves_are_gone_and_all_others_stay(indices):
    cover = Cover.whole(ROOT, SMALL)
    for index in indices:
        cover.puncture(index)
    assert held(cover) == {i: s for i, s in ALL.items() if i not in indices}


@given(st.lists(st.tuples(INDEX, INDEX), max_size=6), INDEX)
def test_a_punctured_range_is_gone_and_all_others_stay(ranges, single):
    cover = Cover.whole(ROOT, SMALL)
    cover.puncture(single)
    for lo, hi in ranges:
        cover.puncture_range(lo, hi)
    gone = {single} | {i for lo, hi in ranges for i in range(lo, hi)}
    assert held(cover) == {i: s for i, s in ALL.items() if i not in gone}


@given(st.lists(INDEX, max_size=6), INDEX, INDEX)
def test_a_restricted_cover_holds_its_range_and_nothing_else(punctured, lo, hi):
    cover = Cover.whole(ROOT, SMALL)
    for index in punctured:
        cover.puncture(index)
    part = cover.restrict(lo, hi)
    expected = {i: ALL[i] for i in range(lo, hi) if i not in punctured}
    assert held(part) == expected
    assert dict(cover.walk(lo, hi)) == expected
    assert list(dict(cover.walk(lo, hi))) == sorted(expected)


@given(st.sets(INDEX, max_size=20))
def test_a_cover_restricted_to_leaves_holds_exactly_these(indices):
    assert held(Cover.whole(ROOT, SMALL).restrict_to(indices)) == {i: ALL[i] for i in indices}


def test_a_long_range_costs_few_seeds():
    cover = Cover.whole(ROOT, 20).restrict(1000, 777777)
    assert len(cover.nodes) <= 2 * 20
    assert cover.seed(1000) == reference(ROOT, 1000, 20)
    assert cover.seed(777776) == reference(ROOT, 777776, 20)
    for outside in (999, 777777, -1, 1 << 20):
        with pytest.raises(Missing):
            cover.seed(outside)


def test_what_is_gone_cannot_be_released():
    cover = Cover.whole(ROOT, SMALL)
    cover.puncture(5)
    with pytest.raises(Punctured):
        cover.restrict_to([4, 5])


def test_a_cover_without_leaves_is_empty():
    cover = Cover.whole(ROOT, SMALL)
    assert not cover.is_empty
    cover.puncture_range(0, 1 << SMALL)
    assert cover.is_empty


@given(st.lists(INDEX, max_size=8))
def test_a_cover_is_stored_and_read_back(indices):
    cover = Cover.whole(ROOT, SMALL)
    for index in indices:
        cover.puncture(index)
    again = Cover.from_bytes(cover.to_bytes())
    assert again.nodes == cover.nodes
    assert again.to_bytes() == cover.to_bytes()


@given(st.binary(max_size=64))
def test_foreign_bytes_are_bad_input(data):
    with pytest.raises(BadInput):
        Cover.from_bytes(b"\xc1" + data)
    with contextlib.suppress(BadInput):
        Cover.from_bytes(data)


@pytest.mark.parametrize(
    "stored",
    [
        (2, SMALL, []),
        (1, 0, []),
        (1, 33, []),
        (1, SMALL, [(0, 0, b"short")]),
        (1, SMALL, [(SMALL + 1, 0, ROOT)]),
        (1, SMALL, [(1, 2, ROOT)]),
        (1, SMALL, [(0, 0, ROOT), (SMALL, 3, ROOT)]),
        (1, SMALL, [(2, 1, ROOT), (2, 0, ROOT)]),
        (1, SMALL, [(-1, 0, ROOT)]),
    ],
)
def test_a_cover_that_cannot_be_is_refused(stored):
    with pytest.raises(BadInput):
        Cover.from_bytes(msgspec.msgpack.encode(stored))


def test_a_root_has_32_bytes():
    with pytest.raises(BadInput):
        Forward(b"short")
    with pytest.raises(BadInput):
        Cover.whole(b"short")


def test_the_vectors_of_the_format_document_hold():
    document = Path(__file__).parents[2] / "docs" / "formats" / "keytree.md"
    rows = re.findall(r"^\| (\d+) \| (\d+) \| `([0-9a-f]{64})` \|$", document.read_text(), re.MULTILINE)
    assert len(rows) == 7
    for depth, index, seed in rows:
        assert Cover.whole(ROOT, int(depth)).seed(int(index)).hex() == seed
