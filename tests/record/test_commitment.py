"""A commitment lets parts of a record be shown, holds them to the record, and gives nothing else away."""

from __future__ import annotations

import json
import random
import re
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Tampered
from muniment.record import commitment
from muniment.record.commitment import Disclosure, commit, commit_bytes, disclose, verify, verify_bytes
from muniment.record.units import unit_ends

SEED = bytes(range(32))
WRITTEN = b"From: ann@training.example\nTo: bob@client.example\nSubject: pay\n\n" + b"a line of text\n" * 300
SENT = WRITTEN + b"-- \nExample Training Ltd\n"
FACES = [WRITTEN, SENT]
ENDS = [unit_ends(face) for face in FACES]
ROOT = commit(SEED, FACES, ENDS)


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1, as it is written there, over leaves that are hashed already."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def cut(lengths: list[int]) -> tuple[bytes, list[int]]:
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
    return random.Random(sum(lengths)).randbytes(sum(lengths)), ends


def redacted(*withheld: tuple[int, int]) -> Disclosure:
    keep = [[(face, unit) not in withheld for unit in range(len(ends))] for face, ends in enumerate(ENDS)]
    return disclose(SEED, FACES, ENDS, keep)


LENGTHS = st.lists(st.integers(1, 9), max_size=40)


@given(LENGTHS, LENGTHS)
def test_the_root_is_the_rfc_6962_root_over_the_salted_units(first, second):
    (a, a_ends), (b, b_ends) = cut(first), cut(second)
    leaves = commitment._leaves([a, b], [a_ends, b_ends])
    salts = commitment._salts(SEED, len(leaves))
    assert len(set(salts)) == len(leaves)
    hashed = [sha256(b"\x00" + salt + leaf).digest() for salt, leaf in zip(salts, leaves, strict=True)]
    assert commit(SEED, [a, b], [a_ends, b_ends]) == mth(hashed)


@given(LENGTHS, LENGTHS, st.randoms(use_true_random=False))
def test_any_choice_of_units_verifies_and_withheld_salts_are_underivable(first, second, rng):
    faces, ends = zip(cut(first), cut(second), strict=True)
    keep = [[rng.random() < 0.6 for _ in cuts] for cuts in ends]
    made = disclose(SEED, faces, ends, keep)
    again = Disclosure.from_json(made.to_json())
    assert again == made
    verify(again, commit(SEED, faces, ends))
    flags = [True, *keep[0], *keep[1]]
    derivable = commitment._derive(made.salts, len(flags))
    assert [leaf in derivable for leaf in range(len(flags))] == flags
    for number, cuts in enumerate(ends):
        pieces = made.face(number)
        assert [piece is not None for piece in pieces] == keep[number]
        start = 0
        for end, piece in zip(cuts, pieces, strict=True):
            assert piece in (None, faces[number][start:end])
            start = end


def test_withholding_units_costs_few_hashes():
    copy = redacted((0, 1), (1, 1))
    verify(copy, ROOT)
    assert len(copy.hashes) == 2
    assert len(copy.salts) <= 14
    assert b"bob@client.example" not in copy.to_json()


def test_a_whole_record_can_be_shown_and_a_whole_record_withheld():
    verify(redacted(), ROOT)
    everything = [(face, unit) for face, ends in enumerate(ENDS) for unit in range(len(ends))]
    closed = redacted(*everything)
    verify(closed, ROOT)
    assert closed.units == ()


def replace(copy: Disclosure, **changes: object) -> Disclosure:
    return msgspec.structs.replace(copy, **changes)


COPY = redacted((0, 1), (1, 2))


def forged() -> Disclosure:
    (leaf, data), *rest = COPY.units
    return replace(COPY, units=((leaf, data.replace(b"ann", b"eve")), *rest))


def moved() -> Disclosure:
    (a, first), (b, second), *rest = COPY.units
    return replace(COPY, units=((a, second), (b, first), *rest))


FORGERIES = {
    "a unit forged": forged(),
    "two units moved": moved(),
    "a unit dropped": replace(COPY, units=COPY.units[1:]),
    "the last unit dropped": replace(COPY, units=COPY.units[:-1]),
    "a unit extended": replace(COPY, units=((COPY.units[0][0], COPY.units[0][1] + b"x"), *COPY.units[1:])),
    "a unit added": replace(COPY, units=(*COPY.units, (99, b"more"))),
    "a unit for a withheld one": replace(COPY, units=tuple(sorted([*COPY.units, (2, b"To: eve\n")]))),
    "a unit twice": replace(COPY, units=(COPY.units[0], *COPY.units)),
    "the header replaced": replace(COPY, units=((0, b""), *COPY.units)),
    "another length": replace(COPY, faces=((len(WRITTEN) + 1, len(ENDS[0])), COPY.faces[1])),
    "a unit moved to the other face": replace(
        COPY, faces=((len(WRITTEN), len(ENDS[0]) + 1), (len(SENT), len(ENDS[1]) - 1))
    ),
    "fewer units": replace(COPY, faces=COPY.faces[:1]),
    "a hash dropped": replace(COPY, hashes=COPY.hashes[1:]),
    "a hash added": replace(COPY, hashes=(*COPY.hashes, (0, 1, bytes(32)))),
    "a hash changed": replace(COPY, hashes=((*COPY.hashes[0][:2], bytes(32)), *COPY.hashes[1:])),
    "a salt dropped": replace(COPY, salts=COPY.salts[1:]),
    "a salt changed": replace(COPY, salts=((*COPY.salts[0][:2], bytes(16)), *COPY.salts[1:])),
    "a salt of another length": replace(COPY, salts=((*COPY.salts[0][:2], bytes(15)), *COPY.salts[1:])),
    "salts out of order": replace(COPY, salts=COPY.salts[::-1]),
    "a salt above the tree": replace(COPY, salts=((-1, 0, bytes(16)),)),
    "a salt beyond the units": replace(COPY, salts=(*COPY.salts, (1, 5, bytes(16)))),
    "too many units": replace(COPY, faces=((5, 1 << 19), (5, 1 << 19))),
    "too many faces": replace(COPY, faces=((0, 0),) * 9),
    "a negative length": replace(COPY, faces=((-1, 0),)),
}


@pytest.mark.parametrize("copy", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_changed_copy_is_refused(copy):
    verify(COPY, ROOT)
    with pytest.raises(Tampered):
        verify(copy, ROOT)


def test_a_subtree_cannot_pass_for_a_single_withheld_unit():
    data, ends = cut([4] * 7)
    root = commit(SEED, [data], [ends])
    copy = disclose(SEED, [data], [ends], [[True, True, True, False, False, False, False]])
    assert [(lo, hi) for lo, hi, _ in copy.hashes] == [(4, 8)]
    with pytest.raises(Tampered):
        verify(replace(copy, faces=((28, 4),), hashes=((4, 5, copy.hashes[0][2]),)), root)


def test_one_record_does_not_verify_against_another():
    with pytest.raises(Tampered):
        verify(COPY, commit(bytes(32), FACES, ENDS))
    with pytest.raises(Tampered):
        verify(COPY, commit(SEED, FACES[::-1], ENDS[::-1]))


def test_empty_content_has_a_commitment_of_its_own():
    roots = {commit(SEED, [], []), commit(SEED, [b""], [[]]), commit(SEED, [b"", b""], [[], []])}
    assert len(roots) == 3
    verify(disclose(SEED, [b""], [[]], [[]]), commit(SEED, [b""], [[]]))


def test_metadata_is_committed_to_as_one_unit():
    root = commit_bytes(SEED, b"meta")
    verify_bytes(SEED, b"meta", root)
    for seed, data in [(SEED, b"Meta"), (bytes(32), b"meta")]:
        with pytest.raises(Tampered):
            verify_bytes(seed, data, root)
    assert len(commit_bytes(SEED, b"")) == 32


def test_cuts_that_miss_the_end_are_bad_input():
    with pytest.raises(BadInput):
        commit(SEED, [b"abc"], [[2]])
    with pytest.raises(BadInput):
        commit(SEED, [b"abc"], [[]])


def test_another_version_is_bad_input():
    with pytest.raises(BadInput):
        verify(replace(COPY, version=2), ROOT)


@given(st.binary(max_size=60))
def test_foreign_bytes_are_bad_input(data):
    with pytest.raises(BadInput):
        Disclosure.from_json(b"{" + data)
    with pytest.raises(BadInput):
        Disclosure.from_json(COPY.to_json()[:-1] + b',"more":1}')


def test_the_vectors_of_the_format_document_hold():
    document = (Path(__file__).parents[2] / "docs" / "formats" / "redaction.md").read_text()
    rows = re.findall(r"^\| (.+) \| (\[.*\]) \| `([0-9a-f]{64})` \|$", document, re.MULTILINE)
    assert len(rows) == 4
    for names, cuts, expected in rows:
        faces = [name.encode() for name in re.findall("`([a-z]+)`", names)] or [b""]
        assert commit(SEED, faces, [json.loads(ends) for ends in cuts.split("; ")]).hex() == expected
    assert f"`{commit_bytes(SEED, b'meta').hex()}`" in document
