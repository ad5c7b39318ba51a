"""The recorder keeps only cosignatures that fit, of a checkpoint its ledger continues. R-2.1-b."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

import muniment_verify
from muniment.policy.errors import BadInput, Missing, MunimentError, Tampered
from muniment.policy.policyfile import load
from muniment.record.backup.standing import OPERATIONS as BACKING_UP
from muniment.record.entry import Kind
from muniment.record.exporting import export_entry
from muniment.record.frame import parse_sections
from muniment.record.ledger.checkpoint import Checkpoint
from muniment.record.ledger.cosignature import Ed25519Cosigner
from muniment.record.ledger.note import parse_note
from muniment.record.opening import OpenRecord
from muniment.record.reading import read_frame
from muniment.record.witnessed.operations import OPERATIONS
from muniment.record.witnessed.words import ago, witnessed_words
from tests.record.recording import START_MS, Clock, check_record, mail, make_home, recording


def cosigner(name: str, seconds: int = START_MS // 1000) -> Ed25519Cosigner:
    return Ed25519Cosigner(f"{name}.example", sha256(name.encode()).digest(), lambda: seconds)


NAMES = ("chair", "union", "neighbour")
POLICY = "".join(
    [
        *(f"witness {n} {cosigner(n).key} http://{n}.example:8920/\n" for n in NAMES),
        "group two 2 chair union neighbour\nquorum two\n",
    ]
)


def lines(record: OpenRecord, *names: str) -> str:
    text = parse_note(record.checkpoint().encode()).text
    return "".join(cosigner(name).sign(text).line() for name in names)


def cosign(record: OpenRecord, *names: str, **more: object) -> bool:
    arguments = {"checkpoint": record.checkpoint(), "signatures": lines(record, *names), **more}
    return bool(OPERATIONS["cosign"](record, arguments)["is_enough"])


def events(record: OpenRecord) -> list[tuple[str, str]]:
    rows = record.record.parts.catalogue.rows("kind = ?", (Kind.ANCHOR,))
    found = [json.loads(parse_sections(read_frame(record.home, row).body).plain) for row in rows]
    return [(each["event"], each["day"]) for each in found]


def test_a_record_is_witnessed_when_enough_have_cosigned_and_once_a_day_says_so_itself(
    tmp_path: Path,
) -> None:
    home, clock = make_home(tmp_path, witness={"policy": POLICY}), Clock()
    with recording(home, clock) as record:
        record.append([mail(1)])
        record.publish()
        assert record.status()["witnessed"] is False
        assert not cosign(record, "chair", "stranger")
        state = record.status()
        assert state["witnessed"] is False and state["witnesses"]["confirmed"] == ["chair"]
        assert witnessed_words(state, clock()) == ""
        assert cosign(record, "union")
        state = record.status()
        assert witnessed_words(state, clock() + 40_000) == "witnessed by 2 of 3, 40 seconds ago"
        record.append([mail(2)])
        record.publish()
        assert not cosign(record, "neighbour")
        assert record.status()["witnesses"]["confirmed"] == ["chair", "union"]
        assert cosign(record, "chair", "neighbour")
        assert events(record) == [("witnessed", "2026-11-01")]
        clock.advance(days=1)
        record.append([mail(3)])
        record.publish()
        assert cosign(record, "chair", "union")
        assert events(record) == [("witnessed", "2026-11-01"), ("witnessed", "2026-11-02")]
    with recording(home, clock) as record:
        assert record.status()["witnessed"] is True
        assert record.status()["problems"] == []
        clock.advance(days=1)
        assert "too few witnesses" in record.status()["problems"][0]
    check_record(home)


def test_nothing_is_believed_that_does_not_fit(tmp_path: Path) -> None:
    home = make_home(tmp_path, witness={"policy": POLICY})
    with recording(home) as record:
        record.append([mail(1)])
        record.publish()
        good = {"checkpoint": record.checkpoint(), "signatures": lines(record, "chair", "union")}
        other = Checkpoint(record.origin, 2, bytes(32)).sign(record.signer).decode()
        larger = Checkpoint(record.origin, 1000, bytes(32)).sign(record.signer).decode()
        unsigned = record.checkpoint().split("\u2014")[0] + lines(record, "chair")
        false = cosigner("chair").sign(parse_note(other.encode()).text).line()
        bad: list[tuple[dict[str, object], type[MunimentError]]] = [
            ({"checkpoint": other}, Tampered),
            ({"checkpoint": larger}, Tampered),
            ({"checkpoint": unsigned}, Missing),
            ({"signatures": false}, Tampered),
            ({"signatures": "nonsense"}, BadInput),
            ({"checkpoint": ""}, BadInput),
            ({"more": 1}, BadInput),
        ]
        for change, kind in bad:
            with pytest.raises(kind):
                OPERATIONS["cosign"](record, good | change)
        assert record.status()["witnessed"] is False
        told = {"event": "witnessed", "day": "2026-11-01", "to": "", "checkpoint": record.checkpoint()}
        with pytest.raises(BadInput, match="nobody tells"):
            OPERATIONS["anchor"](record, told)
        assert OPERATIONS["anchor"](record, told | {"event": "mailed", "to": "chair"}) == {"recorded": True}
        assert OPERATIONS["anchor"](record, told | {"event": "mailed", "to": "chair"}) == {"recorded": False}
        assert [a["event"] for a in OPERATIONS["anchors"](record, {})["anchors"]] == ["mailed"]
    check_record(home)


def test_a_dispute_is_a_problem_until_it_ends_and_a_gap_on_record(tmp_path: Path) -> None:
    home = make_home(tmp_path, witness={"policy": POLICY})
    with recording(home) as record:
        cosign(record, "chair", "union", disputes={"union": "has confirmed 900 entries", "stranger": "x"})
        assert record.status()["problems"] == ["the witness union has confirmed 900 entries"]
        record.append([mail(1)])
        assert record.status()["gaps"] == 1
        cosign(record, "chair", "union")
        assert record.status()["problems"] == []
    check_record(home)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("quorum none\n", "nobody need witness"),
        (POLICY.replace("http://chair", "ftp://chair"), "no http or https"),
        (POLICY.replace("chair.example:8920", "chair.org:8920"), "out in the world"),
        (POLICY.replace(" http://chair.example:8920/", ""), "has no address"),
        (POLICY.replace("+", "-", 1), "line 1"),
        ("witness x\n", "names no quorum"),
        (f"log {Ed25519Cosigner('x', bytes(32), lambda: 1).key}\nquorum none\n", "that of a witness"),
    ],
)
def test_a_mistake_in_the_witness_policy_names_key_clause_and_mend(
    tmp_path: Path, policy: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        home = make_home(tmp_path, witness={"policy": policy})
        load(home.policy_file)
    assert "witness.policy" in str(caught.value) and "clause R-2.1-b" in str(caught.value)


def test_how_long_ago_is_said_in_its_largest_unit() -> None:
    spans = {0: "just now", 1_000: "1 second ago", 59_999: "59 seconds ago", 60_000: "1 minute ago"}
    spans |= {7_200_000: "2 hours ago", 90_000_000: "1 day ago", 200_000_000: "2 days ago", -5: "just now"}
    assert {span: ago(span) for span in spans} == spans


def test_an_exported_entry_carries_the_cosignatures_and_proves_itself_to_a_stranger(tmp_path: Path) -> None:
    home = make_home(tmp_path, witness={"policy": POLICY})
    with recording(home) as record:
        first = record.append([mail(1)])[0]
        record.publish()
        assert cosign(record, "chair", "union")
        newer = record.append([mail(2)])[0]
        record.publish()
        catalogue = record.record.parts.catalogue
        exported = export_entry(home, catalogue.row(first.index), is_example=True)
        later = export_entry(home, catalogue.row(newer.index), is_example=True)
    assert "chair.example" in exported["proof"] and "union.example" in exported["proof"]
    assert "chair.example" not in later["proof"]
    for each, others in ((exported, "2 more signature(s)"), (later, "No witness signed")):
        found = muniment_verify.verify(json.dumps(each).encode(), each["vkey"])
        assert others in found["not_proved"][-1]
    check_record(home)


def test_what_the_record_says_of_its_backups_is_no_anchor_and_stands_in_nobodys_way(tmp_path: Path) -> None:
    """Both are entries of one kind: the daily checkpoint is recorded, mailed and listed beside a backup's run."""
    home, clock = make_home(tmp_path, witness={"policy": POLICY}), Clock()
    run = {"where": "/b", "run": 1, "time_ms": START_MS, "size": 1, "generation": 1, "bytes": 0}
    with recording(home, clock) as record:
        BACKING_UP["backed-up"](record, {"act": "copied", **run})
        record.publish()
        assert cosign(record, "chair", "union")
        mailed = {"day": "2026-11-02", "to": "managing-director", "checkpoint": record.checkpoint()}
        assert OPERATIONS["anchor"](record, {"event": "mailed", **mailed})["recorded"]
        BACKING_UP["backed-up"](record, {"act": "checked", **run})
    with recording(home, clock) as record:
        listed = OPERATIONS["anchors"](record, {})["anchors"]
        assert [each["event"] for each in listed] == ["witnessed", "mailed"]
        assert record.status()["backup"]["copied"]["run"] == 1
    check_record(home)
