"""What log and witness say to each other, against the published vectors and every refusal of the protocol."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Tampered
from muniment.record.ledger.checkpoint import Checkpoint
from muniment.record.ledger.cosignature import Ed25519Cosigner, Mldsa44Cosigner
from muniment.record.ledger.note import Ed25519Signer, parse_note
from muniment.record.ledger.policy import parse_policy
from muniment.record.ledger.publisher import Publisher
from muniment.record.ledger.tiles import TileReader
from muniment.record.ledger.vkey import parse_vkey
from muniment.record.ledger.witness import Accepted, Doubt, Refusal, Seen, judge, origin_in
from muniment.record.ledger.witnessing import (
    MAX_SUBMISSION_BYTES,
    Cosigned,
    OtherSize,
    Rejected,
    Submission,
    add_cosignatures,
    make_submission,
    origin_hash,
    parse_answer,
    parse_submission,
    standing_of,
)

from .shared import ENTRIES, HASHES, ORIGIN, OWN, Lock, log_signer, root_of

BODY = str(OWN["add_checkpoint_request"]).encode()
LOGS = {ORIGIN: [log_signer().key]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("log")
    log = Publisher(made, log_signer(), Lock())
    log.recover()
    log.publish(300, root_of(300), ENTRIES, HASHES)
    return made


def signed(size: int, root: bytes | None = None) -> bytes:
    return Checkpoint(ORIGIN, size, root_of(size) if root is None else root).sign(log_signer())


def seen(size: int) -> Seen:
    return Seen(Checkpoint(ORIGIN, size, root_of(size)), signed(size))


def body(old: int, size: int, proof: tuple[bytes, ...] = (), root: bytes | None = None) -> bytes:
    return Submission(old, proof, signed(size, root)).to_bytes()


def refused(data: bytes, last: Seen | None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        judge(data, LOGS, last)
    return caught.value


def test_the_submission_made_from_the_tiles_is_the_published_one(folder: Path) -> None:
    assert make_submission(TileReader(folder, 300), 201, signed(300)).to_bytes() == BODY
    assert parse_submission(BODY).to_bytes() == BODY
    assert origin_hash(ORIGIN) == OWN["origin_hash"]


@pytest.mark.parametrize("old", [0, 1, 128, 201, 256, 299, 300])
def test_a_witness_accepts_what_continues(folder: Path, old: int) -> None:
    data = make_submission(TileReader(folder, 300), old, signed(300)).to_bytes()
    found = judge(data, LOGS, seen(old) if old else None)
    assert isinstance(found, Accepted) and found.checkpoint.root == root_of(300)
    assert parse_note(found.note).signatures == parse_note(signed(300)).signatures


def test_a_log_shorter_than_what_was_seen_has_nothing_to_submit(folder: Path) -> None:
    with pytest.raises(BadInput, match="has seen 301"):
        make_submission(TileReader(folder, 300), 301, signed(300))


def test_each_refusal_has_its_status_and_its_doubt(folder: Path) -> None:
    good = tuple(TileReader(folder, 300).consistency(201))
    other = sha256(b"another history").digest()
    stranger = Checkpoint(ORIGIN, 3, other).sign(Ed25519Signer(ORIGIN, bytes(32)))
    cases = [
        (body(0, 300).replace(ORIGIN.encode(), b"stranger.example"), None, 404, None),
        (
            Submission(0, (), stranger).to_bytes(),
            None,
            403,
            None,
        ),
        (body(0, 300).replace(b"\n300\n", b"\n299\n"), None, 403, None),
        (body(301, 300), seen(201), 400, None),
        (body(0, 300), seen(201), 409, None),
        (body(100, 100), seen(201), 409, Doubt.OLDER),
        (body(0, 300, good), None, 422, None),
        (body(201, 300, good, other), seen(201), 422, Doubt.UNPROVED),
        (body(201, 300, good[:-1]), seen(201), 422, Doubt.UNPROVED),
        (body(201, 300), seen(201), 422, Doubt.UNPROVED),
        (body(201, 201, root=other), seen(201), 422, Doubt.FORK),
        (body(7, 201, root=other), seen(201), 409, Doubt.FORK),
        (body(201, 201, good), seen(201), 422, None),
        (b"old 0\n\n" + log_note(f"{ORIGIN}\n0\n{'A' * 43}=\n"), None, 422, None),
        (b"old 0\n\n" + log_note(f"{ORIGIN}\n1\n{'A' * 43}=\nextension\n"), None, 400, None),
        (b"old -1\n\n" + signed(3), None, 400, None),
        (b"new 1\n\n" + signed(3), None, 400, None),
        (b"x" * (MAX_SUBMISSION_BYTES + 1), None, 400, None),
    ]
    for data, last, status, doubt in cases:
        refusal = refused(data, last)
        assert (refusal.status, refusal.doubt) == (status, doubt), data
        assert (
            (refusal.body, refusal.kind) == ("201\n", "text/x.tlog.size") if status == 409 else refusal.body
        )


def log_note(text: str) -> bytes:
    signer = log_signer()
    return type(parse_note(signed(1)))(text, (signer.sign(text),)).to_bytes()


@given(st.binary(max_size=400) | st.tuples(st.integers(0, len(BODY) - 1), st.binary(max_size=3)))
def test_any_bytes_are_refused_or_are_the_log_own_words(data: bytes | tuple[int, bytes]) -> None:
    if isinstance(data, tuple):
        at, put = data
        data = BODY[:at] + put + BODY[at + len(put) :]
    try:
        found = judge(data, LOGS, seen(201))
    except Refusal as refusal:
        assert refusal.status in {400, 403, 404, 409, 422}
        return
    assert found.checkpoint == Checkpoint(ORIGIN, 300, root_of(300))
    assert origin_in(data) == ORIGIN


@given(st.integers(100, 599), st.text(max_size=30), st.binary(max_size=200))
def test_any_answer_of_a_witness_is_one_of_the_protocol_or_a_bad_input(
    status: int, kind: str, data: bytes
) -> None:
    try:
        answer = parse_answer(status, kind, data)
    except BadInput:
        return
    assert isinstance(answer, Cosigned | OtherSize | Rejected)
    if isinstance(answer, Rejected):
        assert answer.reason.isprintable() and answer.status == status


def test_the_size_in_a_conflict_is_read_and_nothing_else_is() -> None:
    assert parse_answer(409, "text/x.tlog.size", b"201\n") == OtherSize(201)
    assert parse_answer(409, "text/plain", b"201\n") == Rejected(409, "201")
    with pytest.raises(BadInput):
        parse_answer(409, "text/x.tlog.size", b"0201\n")


def cosigner(name: str, seconds: int = 1_767_225_600) -> Ed25519Cosigner:
    return Ed25519Cosigner(f"{name}.example", sha256(name.encode()).digest(), lambda: seconds)


POLICY = parse_policy(
    "".join(
        [
            *(f"witness {name} {cosigner(name).key}\n" for name in ("chair", "union", "neighbour")),
            "group two 2 chair union neighbour\nquorum two\n",
        ]
    ).encode()
)


def test_a_quorum_is_met_by_cosignatures_that_fit_and_by_no_others() -> None:
    note, text = signed(300), parse_note(signed(300)).text
    assert standing_of(note, POLICY).is_enough is False
    one = add_cosignatures(note, [cosigner("chair").sign(text), cosigner("stranger").sign(text)], POLICY)
    assert standing_of(one, POLICY).cosigned == {"chair": 1_767_225_600}
    assert b"stranger" not in one
    newer = add_cosignatures(one, [cosigner("chair", 1_767_225_700).sign(text)], POLICY)
    assert standing_of(newer, POLICY).cosigned == {"chair": 1_767_225_700}
    assert add_cosignatures(newer, [cosigner("chair").sign(text)], POLICY) == newer
    two = add_cosignatures(newer, [cosigner("union").sign(text)], POLICY)
    assert standing_of(two, POLICY).is_enough
    assert two.startswith(note)
    with pytest.raises(Tampered, match="chair"):
        add_cosignatures(note, [cosigner("chair").sign(parse_note(signed(299)).text)], POLICY)
    forged = two.replace(b"\n300\n", b"\n299\n")
    assert standing_of(forged, POLICY).cosigned == {}


def test_a_post_quantum_cosignature_counts_too() -> None:
    signer = Mldsa44Cosigner("pq.example", bytes(32), lambda: 5)
    policy = parse_policy(f"witness pq {signer.key}\nquorum pq\n".encode())
    note = signed(12)
    answer = parse_answer(200, "text/plain", signer.sign(parse_note(note).text).line().encode())
    assert isinstance(answer, Cosigned)
    assert standing_of(add_cosignatures(note, answer.signatures, policy), policy).is_enough


def test_the_published_cosigned_checkpoint_is_witnessed() -> None:
    policy = parse_policy(f"witness w1 {OWN['witness_vkey']}\nquorum w1\n".encode())
    standing = standing_of(str(OWN["checkpoint_300"]).encode(), policy)
    assert standing.is_enough and standing.cosigned == {"w1": 1_767_225_600}
    assert parse_vkey(OWN["witness_vkey"]) == policy.witness("w1").key
