from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, MunimentError, Tampered
from muniment.record.ledger.proof import Proof, parse_proof
from muniment.record.ledger.vkey import parse_vkey

from .shared import ENTRIES, ORIGIN, OWN, root_of

TEXT = str(OWN["tlog_proof_123"])
KEYS = [parse_vkey(OWN["log_vkey"]), parse_vkey(OWN["witness_vkey"])]


def test_our_own_proof_holds_and_comes_out_as_published() -> None:
    proof = parse_proof(TEXT.encode())
    assert proof.to_text() == TEXT
    checkpoint = proof.verify(ENTRIES[123], ORIGIN, KEYS)
    assert (checkpoint.size, checkpoint.root) == (300, root_of(300))


def test_another_leaf_or_index_is_refused() -> None:
    proof = parse_proof(TEXT.encode())
    with pytest.raises(Tampered):
        proof.verify(ENTRIES[124], ORIGIN, KEYS)
    with pytest.raises(Tampered):
        Proof(122, proof.hashes, proof.checkpoint).verify(ENTRIES[123], ORIGIN, KEYS)


def test_extra_data_is_carried_and_not_signed() -> None:
    proof = parse_proof(TEXT.encode())
    with_extra = Proof(proof.index, proof.hashes, proof.checkpoint, b"anything")
    assert parse_proof(with_extra.to_text().encode()) == with_extra
    with_extra.verify(ENTRIES[123], ORIGIN, KEYS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("index 123", "index 0123"),
        TEXT.replace("index 123", "index -1"),
        TEXT.replace("index 123\n", ""),
        TEXT.replace("index 123\n", "index 123\nAAAA\n"),
        TEXT.replace("index 123\n", "index 123\n" + "63Kdxy/1GN7zDj0KU1n46FN5lp2I7iNy+McLgTT0OVc=\n" * 60),
        TEXT.replace("index 123\n", "index 123\n\u00e9\n"),
        TEXT.replace("index 123", "extra !\nindex 123"),
        TEXT.split("\n\n")[0],
        "x" * 2_000_001,
    ],
)
def test_a_malformed_proof_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_proof(text.encode())


def test_every_byte_of_a_proof_matters() -> None:
    data = TEXT.encode()
    witness_line = data.index("\u2014 witness".encode())
    for place in range(witness_line):
        bad = bytearray(data)
        bad[place] ^= 1
        with pytest.raises(MunimentError):
            parse_proof(bytes(bad)).verify(ENTRIES[123], ORIGIN, KEYS)


@given(st.binary(max_size=400))
def test_the_parser_lets_no_stray_error_out(data: bytes) -> None:
    for candidate in (data, TEXT[:60].encode() + data):
        try:
            proof = parse_proof(candidate)
        except BadInput as refusal:
            assert str(refusal)
        else:
            assert parse_proof(proof.to_text().encode()) == proof
