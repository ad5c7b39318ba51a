"""An exported entry, made by the ledger's own code, and every way it may be false."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import muniment_verify as verifier
from muniment.record.leaf import Leaf
from muniment.record.ledger.checkpoint import Checkpoint
from muniment.record.ledger.cosignature import Ed25519Cosigner
from muniment.record.ledger.growth import Edge
from muniment.record.ledger.merkle import Frontier, inclusion_proof, leaf_hash, root_from_leaves
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.ledger.proof import Proof

ORIGIN = "muniment.example/record"
BODY = b"sealed bytes" * 100
INDEX, SIZE = 123, 300
SIGNER = Ed25519Signer(ORIGIN, sha256(b"muniment test log key").digest())
VKEY = str(SIGNER.key)
FILE = Path(verifier.__file__)


def leaf(**changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "kind": 1,
        "channel": 1,
        "retention": 2,
        "epoch": 7,
        "position": 9,
        "captured_ms": 1767225600123,
        "expiry_day": 22280,
        "stream": 16,
        "capture": 1,
        "seals": 7,
        "sequence": 42,
        "body_bytes": len(BODY),
        "body_sha256": sha256(BODY).digest(),
        "content_commitment": b"\x01" * 32,
        "meta_commitment": b"\x02" * 32,
        "policy_digest": b"\x03" * 32,
    }
    return Leaf(**{**fields, **changes}).pack()


def exported(entry: bytes | None = None, **changes: Any) -> dict[str, Any]:
    entry = leaf() if entry is None else entry
    hashes = [leaf_hash(b"%d" % number) for number in range(SIZE)]
    hashes[INDEX] = leaf_hash(entry)

    def read(level: int, index: int) -> bytes:
        return root_from_leaves(hashes[index << level : (index + 1) << level])

    note = Checkpoint(ORIGIN, SIZE, root_from_leaves(hashes)).sign(SIGNER)
    value = {
        "format": "muniment-entry/1",
        "origin": ORIGIN,
        "vkey": VKEY,
        "number": "mail-gateway/42",
        "index": INDEX,
        "leaf": b64encode(entry).decode(),
        "frame_body": b64encode(BODY).decode(),
        "proof": Proof(INDEX, tuple(inclusion_proof(read, INDEX, SIZE)), note).to_text(),
        "example": True,
    }
    return {**value, **changes}


def check(value: dict[str, Any], vkey: str | None = VKEY) -> dict[str, Any]:
    return verifier.verify(json.dumps(value).encode(), vkey)


def test_a_true_entry_is_proved() -> None:
    result = check(exported())
    assert len(result["proved"]) == 3
    assert result["entry"]["number"] == "mail-gateway/42"
    assert result["entry"]["captured"] == "2026-01-01 00:00:00.123 UTC"
    assert result["entry"]["not_disposed_of_before"] == "2031-01-01"
    assert result["entry"]["parts"] == ["content (sealed)", "meta (sealed)", "facts (kept)"]
    assert result["key_given"] is True
    assert not [gap for gap in result["not_proved"] if "Whose log" in gap]


def test_a_key_from_the_file_itself_is_said_to_prove_agreement_only() -> None:
    result = check(exported(), None)
    assert result["key_given"] is False
    assert "anyone could have made it" in result["not_proved"][0]


def test_without_the_sealed_bytes_the_leaf_alone_is_proved() -> None:
    value = exported()
    del value["frame_body"]
    result = check(value)
    assert len(result["proved"]) == 2
    assert "they are not in this file" in result["not_proved"][0]


def test_signatures_of_others_are_counted_and_not_believed() -> None:
    witness = Ed25519Cosigner("witness.example/w1", bytes(32), lambda: 1767225600)
    value = exported()
    value["proof"] += witness.sign("anything\n").line()
    assert "1 more signature(s)" in check(value)["not_proved"][-1]


def test_extra_data_in_a_proof_is_passed_over() -> None:
    value = exported()
    value["proof"] = value["proof"].replace("index 123", "extra AAAA\nindex 123")
    assert len(check(value)["proved"]) == 3


OTHER = Ed25519Signer(ORIGIN, bytes(range(32)))
FALSE = {
    "another body": {"frame_body": b64encode(BODY[:-1] + b"x").decode()},
    "a longer body": {"frame_body": b64encode(BODY + b"\0").decode()},
    "another leaf": {"leaf": b64encode(leaf(captured_ms=1)).decode()},
    "another index": {"index": 122},
    "another number": {"number": "mail-gateway/43"},
    "another stream": {"number": "mail-journal/42"},
    "another log": {"origin": "muniment.example/other"},
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_entry_is_not_proved(name: str) -> None:
    with pytest.raises(verifier.NotProved):
        check(exported(**FALSE[name]))


def test_the_key_of_the_caller_decides() -> None:
    for vkey in (str(OTHER.key), str(Ed25519Signer("other.example", bytes(32)).key)):
        with pytest.raises(verifier.NotProved):
            check(exported(), vkey)
    with pytest.raises(verifier.NotProved):
        check(exported(vkey=str(OTHER.key)), None)


def test_a_false_signature_beside_a_true_one_condemns_the_checkpoint() -> None:
    value = exported()
    line = value["proof"].splitlines(keepends=True)[-1]
    raw = bytearray(b64decode(line.split(" ")[2]))
    raw[-1] ^= 1
    value["proof"] += line.replace(line.split(" ")[2], b64encode(raw).decode() + "\n")
    with pytest.raises(verifier.NotProved):
        check(value)


def test_a_checkpoint_of_another_log_under_the_same_key_is_not_proved() -> None:
    value = exported()
    foreign = Checkpoint("muniment.example/other", 1, leaf_hash(leaf())).sign(SIGNER)
    value["proof"] = Proof(INDEX, (), foreign).to_text()
    with pytest.raises(verifier.NotProved):
        check(value)


def test_every_bit_of_leaf_and_body_matters() -> None:
    value = exported()
    for field, step in (("leaf", 1), ("frame_body", 97)):
        data = b64decode(value[field])
        for place in range(0, len(data), step):
            bad = bytearray(data)
            bad[place] ^= 1 << place % 8
            with pytest.raises((verifier.NotProved, verifier.Unreadable)):
                check({**value, field: b64encode(bad).decode()})


def test_every_character_of_the_proof_matters() -> None:
    value = exported()
    for place in range(len(value["proof"])):
        bad = value["proof"][:place] + chr(ord(value["proof"][place]) ^ 1) + value["proof"][place + 1 :]
        with pytest.raises((verifier.NotProved, verifier.Unreadable)):
            check({**value, "proof": bad})


UNREADABLE: dict[str, Any] = {
    "no such format": {"format": "muniment-entry/2"},
    "an unknown field": {"surplus": 1},
    "an index that is text": {"index": "123"},
    "an index that is true": {"index": True},
    "an example that is 1": {"example": 1},
    "a short leaf": {"leaf": b64encode(bytes(175)).decode()},
    "a leaf of another version": {"leaf": b64encode(b"MUN2" + leaf()[4:]).decode()},
    "base64 with spare bits": {"leaf": b64encode(leaf()).decode()[:-1] + "x"},
    "base64 with spaces": {"leaf": " " + b64encode(leaf()).decode()},
    "letters outside ASCII": {"leaf": "\u00e9"},
    "half a letter": {"origin": "\ud800"},
    "no proof": {"proof": ""},
    "no checkpoint": {"proof": "c2sp.org/tlog-proof@v1\nindex 123\n\n"},
    "no index": {"proof": "c2sp.org/tlog-proof@v1\n\n"},
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_exported_entry_is_not_readable(name: str) -> None:
    with pytest.raises(verifier.Unreadable):
        check(exported(**UNREADABLE[name]))


@pytest.mark.parametrize("field", sorted(set(exported()) - {"frame_body"}))
def test_a_missing_field_is_not_readable(field: str) -> None:
    value = exported()
    del value[field]
    with pytest.raises(verifier.Unreadable):
        check(value)


def test_doubled_fields_are_not_readable() -> None:
    text = json.dumps(exported())
    with pytest.raises(verifier.Unreadable):
        verifier.verify(text.replace('"index": 123', '"index": 122, "index": 123').encode(), VKEY)


def test_a_bad_key_is_not_readable() -> None:
    weak = bytes([1]) + (1).to_bytes(32, "little")
    weak_id = sha256(ORIGIN.encode() + b"\n" + weak).hexdigest()[:8]
    for vkey in (
        "",
        "+",
        ORIGIN,
        VKEY[:-4],
        VKEY.replace("87512685", "87512686"),
        f"{ORIGIN}+{weak_id}+{b64encode(weak).decode()}",
        VKEY.replace("AS", "BO"),
        "\u009b" + VKEY,
    ):
        with pytest.raises(verifier.Unreadable):
            check(exported(), vkey)


@given(st.binary(max_size=200))
def test_no_stray_error_comes_out_of_noise(data: bytes) -> None:
    with pytest.raises(verifier.Unreadable):
        verifier.verify(data)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(exported())),
    st.one_of(st.text(max_size=30), st.integers(), st.none(), st.lists(st.text())),
)
def test_no_stray_error_comes_out_of_a_field(field: str, content: Any) -> None:
    value = exported()
    if value[field] != content:
        try:
            verifier.verify(json.dumps({**value, field: content}).encode())
        except (verifier.Unreadable, verifier.NotProved) as refusal:
            assert str(refusal)
        else:
            raise AssertionError(f"{field} may be {content!r}")


@given(st.binary(min_size=172, max_size=172))
def test_any_leaf_in_the_log_is_described(rest: bytes) -> None:
    facts = verifier.read_leaf(b"MUN1" + rest)
    assert all(isinstance(value, (str, int, list)) for value in facts.values())


def test_inclusion_agrees_with_the_ledger_in_small_trees() -> None:
    hashes = [leaf_hash(b"%d" % number) for number in range(40)]

    def read(level: int, index: int) -> bytes:
        return root_from_leaves(hashes[index << level : (index + 1) << level])

    for size in range(1, 40):
        frontier = Frontier()
        frontier.extend(hashes[:size])
        for index in range(size):
            proof = inclusion_proof(read, index, size)
            verifier.check_inclusion(b"%d" % index, index, size, proof, frontier.root())
            with pytest.raises(verifier.NotProved):
                verifier.check_inclusion(b"%d" % index, index, size, [*proof, bytes(32)], frontier.root())


def test_the_first_leaf_of_a_log_of_one_is_proved() -> None:
    entry = leaf()
    root = Edge().grow([entry], [leaf_hash(entry)])[0].root()
    proof = Proof(0, (), Checkpoint(ORIGIN, 1, root).sign(SIGNER)).to_text()
    assert "over 1 entries" in check(exported(index=0, proof=proof))["proved"][0]


def run(*arguments: str, alone: bool = False) -> subprocess.CompletedProcess[str]:
    """Run the file by itself; `alone` hides every installed package."""
    hidden = ["-I", "-S"] if alone else []
    command = [sys.executable, *hidden, str(FILE), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("alone", [False, True], ids=["among packages", "alone"])
def test_the_file_runs_by_itself(tmp_path: Path, alone: bool) -> None:
    path = tmp_path / "entry.json"
    path.write_text(json.dumps(exported()))
    result = run(str(path), "--vkey", VKEY, "--json", alone=alone)
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["verified"] is True

    path.write_text(json.dumps(exported(index=122)))
    result = run(str(path), "--vkey", VKEY, alone=alone)
    assert (result.returncode, result.stderr) == (6, "")
    assert result.stdout.startswith("NOT PROVED: ")

    path.write_text("no entry")
    result = run(str(path), alone=alone)
    assert (result.returncode, result.stderr) == (2, "")
    assert run(str(tmp_path / "missing.json"), alone=alone).returncode == 2


def test_the_page_for_people_is_the_promised_one(tmp_path: Path) -> None:
    path = tmp_path / "entry.json"
    path.write_text(json.dumps(exported()))
    result = run(str(path), alone=True)
    assert result.returncode == 0
    assert result.stdout == (Path(__file__).parent / "golden_page.txt").read_text()


def test_the_module_runs_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "entry.json"
    path.write_text(json.dumps(exported()))
    command = [sys.executable, "-m", "muniment_verify", str(path)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def test_the_file_is_one_that_a_stranger_can_read() -> None:
    """Of bounded length, in the grammar of Python 3.8, and importing the standard library only."""
    source = FILE.read_text()
    assert source.count("\n") < 620
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    packages = {name.split(".")[0] for name in imported}
    assert packages <= set(sys.stdlib_module_names)
    assert not re.search(r"removeprefix|removesuffix|\bmatch\b.*:$|strict=", source, re.MULTILINE)
