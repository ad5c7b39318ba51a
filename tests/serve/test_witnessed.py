"""A record and its real witnesses: confirmed each round, and last month's image put back is refused. R-2.1-b."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from muniment.policy.errors import Tampered
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.opening import VKEY_FILE, open_record
from muniment.record.witnessed.startup import ask_witnesses
from muniment.serve.clockwork_witness import WitnessRound
from tests.organisation import policy_text
from tests.record.recording import SECRET, check_record, mail, make_home, recording
from tests.record.test_server import serving

from .witnesses import RunningWitness, witness


def policy_of(*witnesses: RunningWitness, needed: int) -> str:
    named = [f"witness w{n} {w.keys['ed25519']} {w.url}\n" for n, w in enumerate(witnesses)]
    members = " ".join(f"w{n}" for n in range(len(witnesses)))
    return "".join([*named, f"group enough {needed} {members}\nquorum enough\n"])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


@pytest.fixture
def witnesses(home: Home, tmp_path: Path) -> Iterator[list[RunningWitness]]:
    key = (home.ledger / VKEY_FILE).read_text().strip()
    with (
        witness(tmp_path / "a", "union.example", [key]) as one,
        witness(tmp_path / "b", "chair.example", [key]) as two,
    ):
        home.policy_file.write_text(policy_text(witness={"policy": policy_of(one, two, needed=2)}))
        yield [one, two]


def add(home: Home, count: int) -> None:
    with recording(home) as record:
        record.append([mail(n) for n in range(count)])
        record.publish()


def test_a_round_has_the_record_witnessed_and_the_next_one_goes_on(
    home: Home, witnesses: list[RunningWitness]
) -> None:
    said: list[str] = []
    with serving(home), Recorder(home.socket) as recorder:
        rounds = WitnessRound(home, said.append)
        for number in range(3):
            recorder.append([mail(number)])
            size = int(recorder.publish().split("\n")[1])
            rounds.run()
            state = recorder.status()
            assert state["witnessed"] is True and state["witnesses"]["size"] >= size
        WitnessRound(home, said.append).run()  # one that remembers nothing asks the witness what it has seen
        witnesses[0].kill()
        recorder.append([mail(9)])
        recorder.publish()
        rounds.run()
        assert recorder.status()["witnessed"] is True  # by what both confirmed before
    assert len(said) == 1 and "w0 did not confirm" in said[0]
    check_record(home)


def test_last_months_image_put_back_is_refused_with_both_notes(
    home: Home, witnesses: list[RunningWitness], tmp_path: Path
) -> None:
    add(home, 2)
    image = tmp_path / "image"
    shutil.copytree(home.path, image, symlinks=True)
    add(home, 3)
    with serving(home):
        WitnessRound(home, pytest.fail).run()
    shutil.rmtree(home.path)
    shutil.copytree(image, home.path, symlinks=True)
    witnesses[1].kill()  # one that answers is enough to see it
    with pytest.raises(Tampered, match="an earlier copy of the record was put back") as caught:
        open_record(home, SECRET, ask_witnesses=ask_witnesses)
    assert "the witness w0" in str(caught.value)
    evidence = sorted(path.read_bytes() for path in (home.record / "evidence").iterdir())
    sizes = [int(note.split(b"\n")[1]) for note in evidence]
    assert len(evidence) == 2 and sizes[0] != sizes[1]
    check_record(home)


def test_an_image_that_grew_another_history_is_a_fork(
    home: Home, witnesses: list[RunningWitness], tmp_path: Path
) -> None:
    add(home, 2)
    image = tmp_path / "image"
    shutil.copytree(home.path, image, symlinks=True)
    add(home, 3)
    with serving(home):
        WitnessRound(home, pytest.fail).run()
    shutil.rmtree(home.path)
    shutil.copytree(image, home.path, symlinks=True)
    for witness_ in witnesses:
        witness_.stop()
    add(home, 40)  # while no witness could be asked
    with serving(home), Recorder(home.socket) as recorder:
        said: list[str] = []
        for witness_, port in zip(
            witnesses, [w.url.rstrip("/").rsplit(":", 1)[1] for w in witnesses], strict=True
        ):
            witness_.start(f"127.0.0.1:{port}")
        WitnessRound(home, said.append).run()
        assert len(said) == 2 and "does not accept that the record continues" in said[0]
        state = recorder.status()
        assert state["witnessed"] is False and len(state["problems"]) == 2
    assert b"without a proof" in witnesses[0].ask("GET", "/")[2]
    with pytest.raises(Tampered, match="the ledger was forked"):
        open_record(home, SECRET, ask_witnesses=ask_witnesses)


def test_a_witness_that_does_not_answer_stops_nothing_and_is_named(
    home: Home, witnesses: list[RunningWitness]
) -> None:
    witnesses[0].kill()
    with open_record(home, SECRET, ask_witnesses=ask_witnesses) as record:
        assert len(record.warnings) == 1 and "w0 could not be asked" in record.warnings[0]
        record.append([mail(1)])
    check_record(home)
