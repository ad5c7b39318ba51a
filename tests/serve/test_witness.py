"""The witness a third party runs, as a process: the protocol, races, a power cut, hostile bytes, a fork. R-2.1-b."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muniment.cli.main import main
from muniment.policy.errors import BadInput, Conflict
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.policy import parse_policy
from muniment.record.ledger.publisher import Publisher
from muniment.record.ledger.tiles import TileReader
from muniment.record.ledger.vkey import parse_vkey
from muniment.record.ledger.witness import judge
from muniment.record.ledger.witnessing import (
    MAX_SUBMISSION_BYTES,
    Cosigned,
    OtherSize,
    Submission,
    add_cosignatures,
    make_submission,
    origin_hash,
    parse_answer,
    standing_of,
)
from muniment.serve.witness_book import Book
from muniment.serve.witness_key import load_keys
from tests.record.ledger.shared import ENTRIES, HASHES, ORIGIN, OWN, Lock, log_signer, root_of

from .witnesses import RunningWitness, make_witness, witness

VKEY = str(OWN["log_vkey"])
OTHER = sha256(b"another history").digest()


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    log = Publisher(folder, log_signer(), Lock())
    log.recover()
    log.publish(256, root_of(256), ENTRIES[:256], HASHES[:256])
    for size in range(257, 301):  # so that the tree of each of these sizes can be read
        log.publish(size, root_of(size), ENTRIES[size - 1 : size], HASHES[size - 1 : size])
    return folder


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningWitness]:
    with witness(tmp_path / "witness", "union.example", [VKEY]) as found:
        yield found


def signed(size: int, root: bytes | None = None) -> bytes:
    return Checkpoint(ORIGIN, size, root_of(size) if root is None else root).sign(log_signer())


def submission(tiles: Path, old: int, size: int) -> bytes:
    return make_submission(TileReader(tiles, size), old, signed(size)).to_bytes()


def policy_of(running: RunningWitness) -> str:
    return f"witness a {running.keys['ed25519']}\nwitness b {running.keys['ml-dsa-44']}\ngroup g all a b\nquorum g\n"


def test_a_witness_cosigns_with_both_keys_and_serves_what_it_cosigned(
    running: RunningWitness, tiles: Path
) -> None:
    policy = parse_policy(policy_of(running).encode())
    for old, size in ((0, 1), (1, 201), (201, 300), (300, 300)):
        answer = parse_answer(*running.submit(submission(tiles, old, size)))
        assert isinstance(answer, Cosigned) and len(answer.signatures) == 2
        standing = standing_of(add_cosignatures(signed(size), answer.signatures, policy), policy)
        assert standing.is_enough and min(standing.cosigned.values()) > 1_700_000_000
        status, kind, note = running.ask("GET", f"/{origin_hash(ORIGIN)}/checkpoint")
        assert status == 200 and kind.startswith("text/plain")
        assert standing_of(note, policy).is_enough
        assert open_checkpoint(note, ORIGIN, [parse_vkey(VKEY)]).size == size


def test_every_refusal_has_the_status_of_the_protocol(running: RunningWitness, tiles: Path) -> None:
    assert running.ask("GET", f"/{origin_hash(ORIGIN)}/checkpoint")[0] == 404
    assert running.submit(submission(tiles, 0, 201))[0] == 200
    stranger = signed(201).replace(ORIGIN.encode(), b"stranger.example")
    cases = [
        (b"", 400),
        (b"old 0\n\n" + stranger, 404),
        (b"old 0\n\n" + signed(201).replace(b"\n201\n", b"\n202\n"), 403),
        (Submission(301, (), signed(300)).to_bytes(), 400),
        (submission(tiles, 200, 300), 409),
        (Submission(201, (), signed(300)).to_bytes(), 422),
        (Submission(201, (), signed(201, OTHER)).to_bytes(), 422),
        (b"x" * (MAX_SUBMISSION_BYTES + 1), 413),
    ]
    for body, status in cases:
        assert running.submit(body)[0] == status, body[:80]
    assert running.submit(submission(tiles, 0, 300)) == (409, "text/x.tlog.size", b"201\n")
    assert running.ask("GET", "/add-checkpoint")[0] == 405
    assert running.ask("DELETE", "/")[0] == 405
    for path in ("/nothing", f"/{'0' * 64}/checkpoint", "/refused/999", "/../witness.key"):
        assert running.ask("GET", path)[0] == 404
    assert parse_answer(*running.submit(submission(tiles, 201, 300))) != OtherSize(201)


def test_a_power_cut_loses_nothing_that_was_cosigned(running: RunningWitness, tiles: Path) -> None:
    seen = 0
    for size in (5, 100, 256, 257, 300):
        assert running.submit(submission(tiles, seen, size))[0] == 200
        running.kill()
        running.start()
        assert running.submit(Submission(size - 2, (), signed(size)).to_bytes()) == (
            409,
            "text/x.tlog.size",
            f"{size}\n".encode(),
        )
        seen = size


def test_two_submitters_at_once_never_roll_it_back(running: RunningWitness, tiles: Path) -> None:
    accepted: list[int] = []

    def submit(first: int) -> None:
        known = 0
        for size in range(first, 300, 7):
            answer = parse_answer(*running.submit(submission(tiles, known, size)))
            while isinstance(answer, OtherSize) and answer.size <= size:
                answer = parse_answer(*running.submit(submission(tiles, answer.size, size)))
            if isinstance(answer, Cosigned):
                known = size
                accepted.append(size)

    threads = [threading.Thread(target=submit, args=(first,)) for first in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert max(accepted) == int(running.ask("GET", f"/{origin_hash(ORIGIN)}/checkpoint")[2].split(b"\n")[1])
    assert b"A record was altered" not in running.ask("GET", "/")[2]


def test_of_two_that_were_judged_by_the_same_state_one_is_stored(tmp_path: Path, tiles: Path) -> None:
    """The race of the specification: both are consistent with what was seen, and only one may take its place."""
    make_witness(tmp_path / "w", "union.example", [VKEY])
    one, two = Book(tmp_path / "w"), Book(tmp_path / "w")
    for old, sizes in ((0, (10, 20)), (20, (256, 300))):
        judged = [
            judge(submission(tiles, old, size), book.keys(), book.last(ORIGIN))
            for size, book in zip(sizes, (one, two), strict=True)
        ]
        two.replace(judged[1], judged[1].note, 1)
        with pytest.raises(Conflict):
            one.replace(judged[0], judged[0].note, 1)
        last = one.last(ORIGIN)
        assert last is not None and last.checkpoint.size == sizes[1]
    one.close()
    two.close()


def test_a_fork_is_never_cosigned_and_both_notes_are_kept_through_a_power_cut(
    running: RunningWitness, tiles: Path
) -> None:
    assert running.submit(submission(tiles, 0, 201))[0] == 200
    fork = signed(201, OTHER)
    assert running.submit(Submission(201, (), fork).to_bytes())[0] == 422
    running.kill()
    running.start()
    page = running.ask("GET", "/")[2].decode()
    assert "A record was altered" in page and "two histories" in page
    kept = running.ask("GET", "/refused/1")[2]
    assert fork in kept and signed(201).rstrip() in kept
    assert running.submit(Submission(0, (), fork).to_bytes())[0] == 409
    assert running.submit(submission(tiles, 201, 300))[0] == 200
    assert "A record was altered" in running.ask("GET", "/")[2].decode()
    assert main(["witness", "show", "--folder", str(running.folder)]) == 6


def test_a_rollback_and_a_false_proof_are_shown_and_a_later_proof_settles_the_latter(
    running: RunningWitness, tiles: Path
) -> None:
    assert running.submit(submission(tiles, 0, 201))[0] == 200
    assert running.submit(submission(tiles, 0, 100))[0] == 409
    assert running.submit(Submission(201, (), signed(300)).to_bytes())[0] == 422
    page = running.ask("GET", "/")[2].decode()
    assert "Something was refused" in page and "A record was altered" not in page
    assert "shorter state" in page and "without a proof" in page
    assert running.submit(submission(tiles, 201, 300))[0] == 200
    page = running.ask("GET", "/")[2].decode()
    assert "shorter state" in page and "without a proof" not in page


def test_a_slow_or_broken_client_holds_up_nobody(running: RunningWitness, tiles: Path) -> None:
    place = urlsplit(running.url)
    assert place.hostname is not None
    begun = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 500\r\n\r\nold 0"
    slow = [socket.create_connection((place.hostname, place.port)) for _ in range(20)]
    for number, client in enumerate(slow):
        client.sendall(begun[: 30 + 5 * number])
    assert running.submit(submission(tiles, 0, 300))[0] == 200
    for client in slow:
        client.close()
    assert running.ask("GET", "/")[0] == 200


def test_any_bytes_are_answered_and_change_nothing(running: RunningWitness, tiles: Path) -> None:
    assert running.submit(submission(tiles, 0, 201))[0] == 200
    whole = submission(tiles, 201, 300)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.binary(max_size=300)
        | st.tuples(st.integers(0, len(whole) - 1), st.binary(min_size=1, max_size=4)).map(
            lambda cut: whole[: cut[0]] + cut[1] + whole[cut[0] + len(cut[1]) + 1 :]
        )
    )
    def send(data: bytes) -> None:
        status, _, _ = running.submit(data)
        assert status in {400, 403, 404, 409, 422}
        assert b"\n201\n" in running.ask("GET", f"/{origin_hash(ORIGIN)}/checkpoint")[2]

    send()


def test_a_key_that_others_can_read_is_refused_and_no_key_is_made_twice(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    make_witness(folder, "union.example", [])
    assert (folder / "witness.key").stat().st_mode & 0o777 == 0o600
    assert main(["witness", "init", "--folder", str(folder), "--name", "other.example"]) == 5
    (folder / "witness.key").chmod(0o644)
    with pytest.raises(BadInput, match="chmod 600"):
        load_keys(folder, lambda: 1)
    (folder / "witness.key").chmod(0o600)
    text = (folder / "witness.key").read_text()
    for damaged in ("", text.replace("union", "onion"), text[:-5] + "\n", "nonsense\n"):
        (folder / "witness.key").write_text(damaged)
        if damaged:
            with pytest.raises(BadInput):
                load_keys(folder, lambda: 1)
    assert main(["witness", "trust", "--folder", str(tmp_path / "none"), VKEY]) == 4
    assert main(["witness", "init", "--folder", str(tmp_path / "x"), "--name", "a name"]) == 2


def test_a_witness_key_is_not_taken_for_a_record_key(tmp_path: Path) -> None:
    keys = make_witness(tmp_path / "w", "union.example", [])
    assert main(["witness", "trust", "--folder", str(tmp_path / "w"), keys["ed25519"]]) == 2
