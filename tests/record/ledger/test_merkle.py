from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Tampered
from muniment.record.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    range_hash,
    root_from_leaves,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)

from .shared import HASHES, OWN, PUBLIC, bytes_of, root_of

# RFC 6962's own test leaves, as transparency-dev/merkle publishes them.
_HEX = "|00|10|2021|3031|40414243|5051525354555657|606162636465666768696a6b6c6d6e6f"
CANONICAL = [bytes.fromhex(text) for text in _HEX.split("|")]
CANONICAL_ROOTS = [
    "6e340b9c",
    "fac54203",
    "aeb6bcfe",
    "d37ee418",
    "4e3bbb1f",
    "76e67dad",
    "ddb89be4",
    "5dc9da79",
]
PROBES = sorted((PUBLIC / "rfc6962-merkle-probes").rglob("*.json"))
COMPLETE = {"inclusion": 98, "consistency": 98, "subtreeinclusion": 204, "subtreeconsistency": 118}


def naive_root(hashes: list[bytes]) -> bytes:
    """The definition of RFC 6962 section 2.1, word for word."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(naive_root(hashes[:split]), naive_root(hashes[split:]))


def reader(hashes: list[bytes]) -> Callable[[int, int], bytes]:
    def read(level: int, index: int) -> bytes:
        part = hashes[index << level : (index + 1) << level]
        assert len(part) == 1 << level, "only complete subtrees are stored"
        return naive_root(part)

    return read


def check(category: str, vector: dict[str, Any]) -> None:
    proof = [bytes_of(value) for value in vector["proof"] or []]
    calls: dict[str, Callable[[], None]] = {
        "inclusion": lambda: verify_inclusion(
            bytes_of(vector["leafHash"]),
            vector["leafIdx"],
            vector["treeSize"],
            proof,
            bytes_of(vector["root"]),
        ),
        "consistency": lambda: verify_consistency(
            vector["size1"], vector["size2"], bytes_of(vector["root1"]), bytes_of(vector["root2"]), proof
        ),
        "subtreeinclusion": lambda: verify_subtree_inclusion(
            bytes_of(vector["leafHash"]),
            vector["leafIdx"],
            vector["start"],
            vector["end"],
            proof,
            bytes_of(vector["root"]),
        ),
        "subtreeconsistency": lambda: verify_subtree_consistency(
            vector["start"],
            vector["end"],
            vector["size"],
            bytes_of(vector["root1"]),
            bytes_of(vector["root2"]),
            proof,
        ),
    }
    calls[category]()


def test_every_public_probe_is_judged_as_published() -> None:
    wrong, counts = [], Counter[str]()
    for path in PROBES:
        category = path.relative_to(PUBLIC).parts[1]
        vector = json.loads(path.read_text())
        counts[category] += 1
        try:
            check(category, vector)
            is_refused = False
        except Tampered:
            is_refused = True
        if is_refused != vector["wantErr"]:
            wrong.append(path.name)
    assert not wrong
    assert counts == COMPLETE or not PUBLIC.exists()


def test_the_canonical_leaves_give_the_published_roots() -> None:
    frontier = Frontier()
    for entry, expected in zip(CANONICAL, CANONICAL_ROOTS, strict=True):
        frontier.append(leaf_hash(entry))
        assert frontier.root().hex().startswith(expected)


def test_our_own_roots_hold_at_every_published_size() -> None:
    for size, expected in OWN["roots"].items():
        assert root_of(int(size)).hex() == expected
        frontier = Frontier()
        frontier.extend(HASHES[: int(size)])
        assert frontier.root().hex() == expected


def test_the_empty_tree_has_the_hash_of_nothing_and_no_leaf() -> None:
    assert Frontier().root() == root_from_leaves([]) == EMPTY_ROOT == bytes.fromhex(OWN["roots"]["0"])
    with pytest.raises(BadInput):
        inclusion_proof(reader([]), 0, 0)
    with pytest.raises(Tampered):
        verify_inclusion(EMPTY_ROOT, 0, 0, [], EMPTY_ROOT)


def test_a_proof_from_the_empty_tree_is_empty_and_proves_nothing() -> None:
    assert consistency_proof(reader(HASHES), 0, 300) == []
    with pytest.raises(Tampered):
        verify_consistency(0, 300, EMPTY_ROOT, root_of(300), [])
    with pytest.raises(Tampered):
        verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])


def test_hashes_of_another_length_are_refused() -> None:
    with pytest.raises(Tampered):
        verify_inclusion(b"", 0, 1, [], b"")
    with pytest.raises(Tampered):
        verify_inclusion(HASHES[0], 0, 2, [HASHES[1][:31]], root_of(2))


def test_our_own_consistency_proofs_come_out_as_published() -> None:
    for old in (201, 256):
        expected = [bytes_of(value) for value in OWN[f"consistency_{old}_300"]]
        assert consistency_proof(reader(HASHES), old, 300) == expected
        verify_consistency(old, 300, root_of(old), root_of(300), expected)


def test_every_proof_of_small_trees_holds_and_no_other_leaf_fits() -> None:
    for size in range(1, 20):
        root = root_of(size)
        for index in range(size):
            proof = inclusion_proof(reader(HASHES), index, size)
            verify_inclusion(HASHES[index], index, size, proof, root)
            for other in range(size):
                if other != index:
                    with pytest.raises(Tampered):
                        verify_inclusion(HASHES[index], other, size, proof, root)
        for old in range(1, size + 1):
            verify_consistency(old, size, root_of(old), root, consistency_proof(reader(HASHES), old, size))


sizes = st.integers(min_value=1, max_value=300)


@given(sizes, st.data())
def test_the_tree_agrees_with_the_definition(size: int, data: st.DataObject) -> None:
    hashes = HASHES[:size]
    cut = data.draw(st.integers(min_value=0, max_value=size))
    frontier = Frontier()
    frontier.extend(hashes[:cut])
    frontier = Frontier.from_state(frontier.state())
    frontier.extend(hashes[cut:])
    assert (
        frontier.root()
        == naive_root(hashes)
        == root_from_leaves(hashes)
        == range_hash(reader(hashes), 0, size)
    )
    assert Frontier.from_subtrees(size, reader(hashes)).state() == frontier.state()


@given(sizes, st.data())
def test_a_proof_with_one_flipped_bit_is_refused(size: int, data: st.DataObject) -> None:
    root = root_of(size)
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    old = data.draw(st.integers(min_value=1, max_value=size))
    inclusion = inclusion_proof(reader(HASHES), index, size)
    consistency = consistency_proof(reader(HASHES), old, size)
    verify_inclusion(HASHES[index], index, size, inclusion, root)
    verify_consistency(old, size, root_of(old), root, consistency)
    for proof, verify in (
        (inclusion, partial(verify_inclusion, HASHES[index], index, size, root=root)),
        (consistency, partial(verify_consistency, old, size, root_of(old), root)),
    ):
        if proof:
            place = data.draw(st.integers(min_value=0, max_value=len(proof) * 256 - 1))
            bad = bytearray(b"".join(proof))
            bad[place // 8] ^= 1 << place % 8
            with pytest.raises(Tampered):
                verify(proof=[bytes(bad[at : at + 32]) for at in range(0, len(bad), 32)])


@given(st.integers(), st.integers(), st.integers(), st.lists(st.binary(max_size=40), max_size=5))
def test_verification_lets_no_stray_error_out(index: int, start: int, size: int, proof: list[bytes]) -> None:
    for call in (
        lambda: verify_inclusion(HASHES[0], index, size, proof, HASHES[1]),
        lambda: verify_consistency(index, size, HASHES[0], HASHES[1], proof),
        lambda: verify_subtree_inclusion(HASHES[0], index, start, size, proof, HASHES[1]),
        lambda: verify_subtree_consistency(start, index, size, HASHES[0], HASHES[1], proof),
    ):
        try:
            call()
        except Tampered as refusal:
            assert str(refusal)


def test_a_frontier_with_the_wrong_number_of_hashes_is_refused() -> None:
    for state in ([3, HASHES[0]], [-1], ["3", HASHES[0]], [1, b"short"]):
        with pytest.raises(BadInput):
            Frontier.from_state(state)
