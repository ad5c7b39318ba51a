"""Witness policies of the C2SP form: the cases of transparency-dev/formats, a round trip, hostile bytes."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput
from muniment.record.ledger.cosignature import Ed25519Cosigner, Mldsa44Cosigner
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.ledger.policy import parse_policy


def cosigner(name: str) -> Ed25519Cosigner:
    return Ed25519Cosigner(name, sha256(name.encode()).digest(), lambda: 1)


LOG = str(Ed25519Signer("example.com/log", bytes(32)).key)
KEYS = [str(cosigner(f"witness.example/{n}").key) for n in range(6)]
TWO_LEVELS = "\n".join(
    [
        f"log {LOG} https://log.example/",
        *(f"witness X{n} {KEYS[n]}" for n in range(3)),
        "group X-witnesses 2 X0 X1 X2",
        *(f"witness Y{n} {KEYS[3 + n]} https://y{n}.example/" for n in range(3)),
        "group Y-witnesses any Y0 Y1 Y2",
        "group X-and-Y all X-witnesses Y-witnesses",
        "quorum X-and-Y\n",
    ]
)


def test_the_example_of_the_specification_needs_two_of_one_group_and_one_of_the_other() -> None:
    policy = parse_policy(TWO_LEVELS.encode())
    assert policy.is_met({"X0", "X2", "Y1"}) and policy.is_met({"X0", "X1", "X2", "Y0", "Y1", "Y2"})
    for names in (set(), {"X0", "Y0"}, {"X0", "X1", "X2"}, {"Y0", "Y1", "Y2", "X1"}, {"X-witnesses", "Y0"}):
        assert not policy.is_met(names)
    assert [log.url for log in policy.logs] == ["https://log.example/"]
    assert parse_policy(policy.to_text().encode()) == policy


@pytest.mark.parametrize(
    ("text", "met_by"),
    [
        (b"quorum none\n", set()),
        (
            f"\n# comment\n\t # another\n\twitness \t w1  {KEYS[0]}   https://w1.example/  \n\n  quorum\tw1".encode(),
            {"w1"},
        ),
        (
            f"witness all {KEYS[0]}\nwitness any {KEYS[1]}\ngroup group 2 all any\nquorum group".encode(),
            {"all", "any"},
        ),
    ],
)
def test_a_policy_may_be_short_spaced_out_or_named_like_keywords(text: bytes, met_by: set[str]) -> None:
    assert parse_policy(text).is_met(met_by)


def test_names_are_opaque_bytes() -> None:
    text = b"witness K\xe2\x84\xaalvin-w\x80 " + KEYS[0].encode() + b"\nquorum K\xe2\x84\xaalvin-w\x80\n"
    policy = parse_policy(text)
    assert policy.is_met({policy.witnesses[0].name}) and not policy.is_met({"Klvin-w"})
    with pytest.raises(BadInput, match="not defined"):
        parse_policy(text.replace(b"quorum K\xe2\x84\xaa", b"quorum K"))


def test_a_witness_may_have_a_post_quantum_key() -> None:
    key = Mldsa44Cosigner("witness.example/pq", bytes(32), lambda: 1).key
    policy = parse_policy(f"witness pq {key}\nquorum pq\n".encode())
    assert policy.witness("pq").key == key


W = f"witness w1 {KEYS[0]}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("quorum none\n\x01", "control character"),
        ("quorum none\r\n", "control character"),
        ("quibble w1\nquorum none\n", "expected log, witness"),
        (f"witness w1 {KEYS[0]} https://w1.example/ # comment\nquorum w1\n", "a witness is written"),
        ("log\nquorum none\n", "a log is written"),
        ("log garbage\nquorum none\n", "verifier key"),
        (f"log {KEYS[0]}\nquorum none\n", "that of a witness"),
        (f"log {LOG}\nlog {LOG} https://log.example/\nquorum none\n", "twice"),
        ("witness w1\nquorum w1\n", "a witness is written"),
        (f"witness w1 {LOG}\nquorum w1\n", "that of a log"),
        (f"witness none {KEYS[0]}\nquorum none\n", "taken"),
        (W + f"witness w1 {KEYS[1]}\nquorum w1\n", "taken"),
        (W + "group w1 any w1\nquorum w1\n", "taken"),
        (W + "group g1 1\nquorum w1\n", "a group is written"),
        (W + "group none any w1\nquorum none\n", "taken"),
        (W + "group g1 0 w1\nquorum g1\n", "cannot be"),
        (W + "group g1 -1 w1\nquorum g1\n", "cannot be"),
        (W + "group g1 01 w1\nquorum g1\n", "cannot be"),
        (W + "group g1 2 w1\nquorum g1\n", "cannot be"),
        (W + "group g1 any w2\nquorum g1\n", "not defined above"),
        ("group g1 any w1\n" + W + "quorum g1\n", "not defined above"),
        (W + "group g1 any none w1\nquorum g1\n", "not defined above"),
        (W + "group g1 all w1 w1\nquorum g1\n", "more than once"),
        (W + f"witness w2 {KEYS[1]}\ngroup g1 any w1 w2\ngroup g2 any w1\nquorum g1\n", "more than once"),
        (W, "quorum"),
        (W + "quorum w1\nquorum w1\n", "exactly one"),
        ("quorum unknown\n", "not defined above"),
        ("quorum w1\n" + W, "not defined above"),
        ("quorum\n", "exactly one"),
        ("#" * (257 << 10), "at most"),
    ],
)
def test_a_policy_with_a_mistake_is_refused_and_says_why(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse_policy(text.encode())


def test_the_same_public_key_under_another_name_is_no_second_witness() -> None:
    public = cosigner("witness.example/0").key.public
    impostor = type(cosigner("x").key)("impostor.example", public)
    with pytest.raises(BadInput, match="twice"):
        parse_policy((W + f"witness w2 {impostor}\nquorum w1\n").encode())


@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(st.sampled_from(TWO_LEVELS.split("\n"))).map("\n".join).map(str.encode),
    )
)
def test_any_bytes_give_a_policy_or_a_bad_input(data: bytes) -> None:
    try:
        policy = parse_policy(data)
    except BadInput:
        return
    assert parse_policy(policy.to_text().encode("utf-8", "surrogateescape")) == policy
