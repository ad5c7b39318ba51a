"""`muniment init` makes a whole home or none, asks nothing for an example, and hands secrets to nobody's disk."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from muniment.cli import founding
from muniment.cli.main import main
from muniment.policy.errors import Unavailable
from muniment.policy.policyfile import load
from muniment.record import keyfile, machine, words, wraps
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.ledger.vkey import parse_vkey
from muniment.record.officers import OfficerSet
from muniment.record.opening import open_record
from tests.cli.answers import answers_file

OFFICERS = ["managing-director", "office-manager", "alternate"]


def run(*arguments: str | Path, output: int | None = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal."""
    program = "import sys; from muniment.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, "init", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def example(tmp_path: Path) -> Home:
    assert main(["init", str(tmp_path / "home"), "--example"]) == 0
    return Home(tmp_path / "home")


def six_words(sheet: str) -> str:
    lines = sheet.split("YOUR SIX WORDS\n", 1)[1].split("\n")[1:3]
    return " ".join(lines)


def twenty_four_words(sheet: str, title: str) -> str:
    """Return the words of a table as a reader takes them: down the columns, after their numbers."""
    rows = sheet.split(title + "\n", 1)[1].split("\n")[1:7]
    cells = [row.split() for row in rows]
    return " ".join(cells[row][2 * column + 1] for column in range(4) for row in range(6))


def test_an_example_asks_nothing_and_says_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init", str(tmp_path / "home"), "--example"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("EXAMPLE. ")
    assert f"muniment up --home {tmp_path / 'home'}" in shown


def test_an_example_stamps_everything_it_writes(example: Home):
    policy = load(example.policy_file)
    assert policy.example
    assert policy.organisation.domains == ("training.example",)
    assert "EXAMPLE" in example.policy_file.read_text()
    assert "EXAMPLE" in machine.example_file(example).read_text()
    sheets = sorted((example.path / "sheets").iterdir())
    assert [path.stem for path in sheets] == sorted([*OFFICERS, "safe", "EXAMPLE-sign-in"])
    assert all(path.read_text().count("EXAMPLE   EXAMPLE") >= 2 for path in sheets)
    for owner in OFFICERS:
        assert keyfile.parse_key_file((example.path / "officer-keys" / f"{owner}.json").read_bytes()).example


def test_the_sheets_open_what_they_say(example: Home):
    policy = load(example.policy_file)
    for officer in policy.officers:
        sheet = (example.path / "sheets" / f"{officer.id}.txt").read_text()
        file = keyfile.parse_key_file((example.path / "officer-keys" / f"{officer.id}.json").read_bytes())
        private_key = keyfile.open_key(file, six_words(sheet))
        assert private_key.public_key().public_bytes_raw() == officer.key_bytes
        assert file.key_id.hex() in sheet.replace(" ", "")
        assert officer.name in sheet and officer.address in sheet
    safe = (example.path / "sheets" / "safe.txt").read_text()
    recovery = words.from_words(twenty_four_words(safe, "PART ONE: THE RECOVERY KEY"))
    assert wraps.key_id(policy.recovery.key_bytes).hex() in safe.replace(" ", "")
    assert public_of(recovery) == policy.recovery.key_bytes
    secret = words.from_words(twenty_four_words(safe, "PART TWO: THE MACHINE SECRET"))
    assert secret == machine.find(example, {}, None)
    assert (example.ledger / "vkey").read_text().strip() in safe.replace("\n", "").replace(" ", "")


def public_of(private: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def test_the_record_states_the_officers_from_its_first_entries(example: Home):
    with open_record(example, machine.find(example, {}, None)) as record:
        OfficerSet.from_policy(load(example.policy_file)).require_same(record.stated_officers())
        assert record.stated_officers()


def test_every_file_and_folder_is_its_owners_alone(example: Home):
    for path in [example.path, *example.path.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode in ((0o700,) if path.is_dir() else (0o600, 0o400)), path


def test_json_tells_the_home_and_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init", str(tmp_path / "home"), "--example", "--json"]) == 0
    shown = capsys.readouterr().out
    told = json.loads(shown)
    assert told["home"] == str(tmp_path / "home")
    assert sorted(told["officers"]) == sorted(OFFICERS)
    parse_vkey(told["vkey"])
    sheet = (tmp_path / "home" / "sheets" / "alternate.txt").read_text()
    assert not any(f"{word} {following}" in shown for word, following in pairwise(six_words(sheet).split()))


def test_sheets_of_an_example_go_where_they_are_wanted(tmp_path: Path):
    assert main(["init", str(tmp_path / "home"), "--example", "--sheets", str(tmp_path / "sheets")]) == 0
    assert sorted(path.stem for path in (tmp_path / "sheets").iterdir()) == sorted([*OFFICERS, "safe"])
    assert [path.stem for path in (tmp_path / "home" / "sheets").iterdir()] == ["EXAMPLE-sign-in"]


def test_a_real_organisation_prints_its_sheets_one_a_page(tmp_path: Path):
    done = run(tmp_path / "home", "--answers", answers_file(tmp_path))
    assert done.returncode == 0, done.stderr
    *sheets, rest = done.stdout.split("\f")
    assert len(sheets) == 4
    assert "is ready for" in rest
    assert "EXAMPLE" not in done.stdout
    assert not (tmp_path / "home" / "sheets").exists()
    assert not machine.example_file(Home(tmp_path / "home")).exists()


def test_json_of_a_real_organisation_keeps_the_sheets_off_stdout(tmp_path: Path):
    done = run(tmp_path / "home", "--answers", answers_file(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["example"] is False
    assert done.stderr.count("\f") == 4
    assert " ".join(six_words(done.stderr).split()[:2]) not in done.stdout


def test_sheets_are_not_printed_into_a_file(tmp_path: Path):
    with (tmp_path / "out.txt").open("w") as output:
        done = run(tmp_path / "home", "--answers", answers_file(tmp_path), output=output.fileno())
    assert done.returncode == 2
    assert "goes to a file" in done.stderr
    assert not (tmp_path / "home").exists()


def test_when_the_printer_fails_nothing_was_made(tmp_path: Path):
    reading, writing = os.pipe()
    os.close(reading)
    done = run(tmp_path / "home", "--answers", answers_file(tmp_path), output=writing)
    os.close(writing)
    assert done.returncode == 7
    assert "could not be printed" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["answers.toml"]


REFUSED: list[tuple[list[str], int, str]] = [
    (["--sheets", "sheets"], 2, "goes with --example only"),
    ([], 2, "nobody to ask"),
    (["--answers", "none.toml"], 4, "none.toml cannot be read"),
]


@pytest.mark.parametrize(("arguments", "code", "told"), REFUSED)
def test_what_cannot_be_done_says_so_and_makes_nothing(
    tmp_path: Path, arguments: list[str], code: int, told: str
):
    done = run(tmp_path / "home", *arguments)
    assert done.returncode == code
    assert told in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_example_refuses_a_real_domain(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    answers = answers_file(tmp_path, domains="real.home.arpa")
    assert main(["init", str(tmp_path / "home"), "--example", "--answers", str(answers)]) == 2
    assert "without --example" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_a_home_is_never_made_over_another(example: Home, capsys: pytest.CaptureFixture[str]):
    before = {path: path.read_bytes() for path in example.path.rglob("*") if path.is_file()}
    assert main(["init", str(example.path), "--example"]) == 5
    assert "holds a home already" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in example.path.rglob("*") if path.is_file()}


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "photo.jpg").write_bytes(b"mine")
    assert main(["init", str(tmp_path / "home"), "--example"]) == 5
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["photo.jpg"]


def test_an_empty_folder_becomes_the_home(tmp_path: Path):
    (tmp_path / "home").mkdir(mode=0o755)
    assert main(["init", str(tmp_path / "home"), "--example"]) == 0
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_home_may_be_given_as_an_option_too(tmp_path: Path):
    assert main(["init", "--home", str(tmp_path / "home"), "--example"]) == 0
    assert (tmp_path / "home" / "muniment.toml").exists()


def test_a_failure_anywhere_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Every durable write of an init fails once, before and after the bytes are on the disk."""
    anchor = tmp_path / "anchor"
    answers = answers_file(tmp_path, anchor_dir=str(anchor))
    arguments = ["init", str(tmp_path / "home"), "--example", "--answers", str(answers)]
    for fails_after in (False, True):
        count = 0
        while True:
            with monkeypatch.context() as patch:
                failing = break_write(patch, count, fails_after=fails_after)
                code = main(arguments)
            if not failing:
                break
            count += 1
            if code == 0:  # only the first checkpoint is late: the next start signs it
                assert failing[0].name not in ("muniment.toml", "vkey", "log.sealed", "wrapping.sealed")
                finish_and_remove(tmp_path / "home", anchor)
                continue
            assert code == 7, capsys.readouterr().err
            assert sorted(path.name for path in tmp_path.iterdir() if path != anchor) == ["answers.toml"]
            assert not (anchor / "checkpoint").exists()
        assert code == 0
        assert count > 8
        finish_and_remove(tmp_path / "home", anchor)


def break_write(patch: pytest.MonkeyPatch, number: int, *, fails_after: bool) -> list[Path]:
    """Let the write of that number fail; the list returned then names its file."""
    real = Disk.write_durable
    failing: list[Path] = []
    calls: list[Path] = []

    def write(self: Disk, path: Path, data: bytes, mode: int = 0o644) -> None:
        calls.append(path)
        if len(calls) - 1 != number:
            real(self, path, data, mode)
            return
        if fails_after:
            real(self, path, data, mode)
        failing.append(path)
        raise Unavailable(f"could not write {path}: No space left on device")

    patch.setattr(Disk, "write_durable", write)
    return failing


def finish_and_remove(path: Path, anchor: Path) -> None:
    """Start the record once, which must then be whole, and take everything away."""
    home = Home(path)
    with open_record(home, machine.find(home, {}, None)) as record:
        assert record.stated_officers()
    assert (home.ledger / "checkpoint").exists()
    shutil.rmtree(path)
    (anchor / "checkpoint").unlink()


def test_a_folder_that_cannot_be_written_to_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file" / "home"), "--example"]) == 7
    assert "name a folder below" in capsys.readouterr().err


def test_a_copy_of_another_records_proof_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "anchor").mkdir()
    (tmp_path / "anchor" / "checkpoint").write_text("another record's")
    answers = answers_file(tmp_path, anchor_dir=str(tmp_path / "anchor"))
    assert main(["init", str(tmp_path / "home"), "--example", "--answers", str(answers)]) == 5
    assert "proof of another record" in capsys.readouterr().err
    assert (tmp_path / "anchor" / "checkpoint").read_text() == "another record's"


def test_the_copies_of_proofs_lie_outside_the_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    answers = answers_file(tmp_path, anchor_dir=str(tmp_path / "home" / "anchor"))
    assert main(["init", str(tmp_path / "home"), "--example", "--answers", str(answers)]) == 5
    assert "name a folder elsewhere" in capsys.readouterr().err


def test_the_console_is_prepared_before_the_home_is_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[Home, bool]] = []
    monkeypatch.setattr(
        founding,
        "prepare_console",
        lambda home, *, example: seen.append((home, (tmp_path / "home").exists())),
    )
    assert main(["init", str(tmp_path / "home"), "--example"]) == 0
    assert seen == [(Home(tmp_path / ".home.half-made"), False)]


def test_the_mask_for_new_files_is_what_it_was(tmp_path: Path):
    before = os.umask(0o022)
    try:
        assert main(["init", str(tmp_path / "home"), "--example"]) == 0
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
