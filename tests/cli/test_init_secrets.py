"""After `muniment init` at a terminal no byte on the disk tells a secret, and a killed init left nothing of use."""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path

import pytest

from muniment.cli.questions import QUESTIONS
from muniment.policy.policyfile import load
from muniment.record import keyfile, machine, words
from muniment.record.home import Home
from muniment.record.opening import open_record
from tests.cli.answers import ANSWERS, answers_file
from tests.cli.terminal import Terminal, terminal
from tests.cli.test_init import run, six_words, twenty_four_words

ENTER = "press Enter. "


def answer_everything(person: Terminal) -> None:
    for number, question in enumerate(QUESTIONS, start=1):
        person.wait_for(f"\n{number} of {len(QUESTIONS)}. ")
        person.type(ANSWERS[question.key])


def copy_sheets(person: Terminal) -> list[str]:
    sheets = []
    for _ in range(4):
        sheets.append(person.wait_for(ENTER))
        person.type("")
    return sheets


@pytest.fixture
def made(tmp_path: Path) -> tuple[Home, list[str]]:
    """A real organisation's home, made at a terminal, and the sheets the person copied."""
    (tmp_path / "elsewhere").mkdir()
    with terminal(["init", str(tmp_path / "home")], tmp_path / "elsewhere") as person:
        answer_everything(person)
        sheets = copy_sheets(person)
        assert person.finish() == 0, person.shown
    return Home(tmp_path / "home"), sheets


def secrets_of(home: Home, sheets: list[str]) -> tuple[dict[str, bytes], list[str]]:
    """Return every 32-byte secret of a home by name, and every run of words on its sheets."""
    typed = [six_words(sheet) for sheet in sheets[:3]]
    recovery = twenty_four_words(sheets[3], "PART ONE: THE RECOVERY KEY")
    machine_words = twenty_four_words(sheets[3], "PART TWO: THE MACHINE SECRET")
    secret = words.from_words(machine_words)
    found = {"recovery": words.from_words(recovery), "machine": secret}
    for officer, passphrase in zip(load(home.policy_file).officers, typed, strict=True):
        file = keyfile.parse_key_file((home.path / "officer-keys" / f"{officer.id}.json").read_bytes())
        found[officer.id] = keyfile.open_key(file, passphrase).private_bytes_raw()
    found["log"] = machine.open(secret, "log key", (home.keeper / "log.sealed").read_bytes())
    wrapping = machine.open(secret, "wrapping key", (home.keeper / "wrapping.sealed").read_bytes())
    found["wrapping"] = wrapping[-32:]
    return found, [*typed, recovery, machine_words]


def forms(secret: bytes) -> list[bytes]:
    """Return the ways 32 bytes are written down: raw, turned round, hex, and base64 at every alignment."""
    shifted = [base64.b64encode(bytes(pad) + secret)[4 * pad // 3 + 4 : -4] for pad in (0, 1, 2)]
    urlsafe = [form.replace(b"+", b"-").replace(b"/", b"_") for form in shifted]
    text = secret.hex().encode()
    return [secret, secret[::-1], text, text.upper(), *shifted, *urlsafe]


def told(data: bytes, secrets: dict[str, bytes], phrases: list[str]) -> list[str]:
    """Return the names of the secrets that `data` tells."""
    found = [name for name, secret in secrets.items() if any(form in data for form in forms(secret))]
    plain = " ".join(re.sub(rb"[^a-z]+", b" ", data.lower()).decode().split())
    for phrase in phrases:
        listed = " ".join(re.sub(r"[^a-z]+", " ", phrase.lower()).split()[:4])
        if listed in plain:
            found.append(f"words {listed.split()[0]}…")
    return found


def test_no_byte_on_the_disk_tells_a_secret(made: tuple[Home, list[str]], tmp_path: Path):
    home, sheets = made
    secrets, phrases = secrets_of(home, sheets)
    assert len(secrets) == 7 and len(phrases) == 5
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert {str(path): names for path in files if (names := told(path.read_bytes(), secrets, phrases))} == {}
    names = "\n".join(str(path) for path in tmp_path.rglob("*")).encode()
    assert told(names, secrets, phrases) == []


def test_the_scan_finds_a_secret_in_every_form_it_could_take(made: tuple[Home, list[str]]):
    secrets, phrases = secrets_of(*made)
    for name, secret in secrets.items():
        for pad in range(3):
            assert told(base64.b64encode(b"x" * pad + secret + b"tail"), secrets, phrases) == [name]
        assert told(b"." + secret + b".", secrets, phrases) == [name]
        assert told(secret.hex().upper().encode(), secrets, phrases) == [name]
    for phrase in phrases:
        assert len(told(re.sub(" +", "-", phrase).upper().encode(), secrets, phrases)) == 1


def test_each_sheet_is_cleared_from_the_screen(tmp_path: Path):
    with terminal(
        ["init", str(tmp_path / "home"), "--answers", str(answers_file(tmp_path))], tmp_path
    ) as person:
        copy_sheets(person)
        assert person.finish() == 0
    pages = person.shown.split("\x1b[H\x1b[2J\x1b[3J")
    assert len(pages) == 9  # before each sheet and after it
    assert [("Sheet" in page) for page in pages] == [False, True] * 4 + [False]


def test_the_machine_starts_with_the_words_and_not_without(made: tuple[Home, list[str]]):
    home, sheets = made
    typed = twenty_four_words(sheets[3], "PART TWO: THE MACHINE SECRET")
    with open_record(home, machine.find(home, {}, lambda question: typed)) as record:
        assert record.status()["size"] > 0
    done = run(home.path, "--answers", answers_file(home.path.parent))
    assert done.returncode == 5


def test_an_init_stopped_at_a_sheet_leaves_nothing(tmp_path: Path):
    anchor = tmp_path / "anchor"
    arguments = [
        "init",
        str(tmp_path / "home"),
        "--answers",
        str(answers_file(tmp_path, anchor_dir=str(anchor))),
    ]
    with terminal(arguments, tmp_path) as person:
        person.wait_for(ENTER)
        person.press(b"\x03")
        assert person.finish() == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == ["anchor", "answers.toml"]
    assert not list(anchor.iterdir())
    with terminal(arguments, tmp_path) as person:
        copy_sheets(person)
        assert person.finish() == 0, person.shown


def test_a_killed_init_is_named_and_never_taken_for_a_home(tmp_path: Path):
    home, half_made = tmp_path / "home", tmp_path / ".home.half-made"
    arguments = ["init", str(home), "--answers", str(answers_file(tmp_path))]
    with terminal(arguments, tmp_path) as person:
        shown = person.wait_for(ENTER)
        person.kill()
    assert half_made.is_dir() and not home.exists()
    files = [path for path in half_made.rglob("*") if path.is_file()]
    assert [path for path in files if told(path.read_bytes(), {}, [six_words(shown)])] == []
    again = run(home, "--answers", tmp_path / "answers.toml")
    assert again.returncode == 5
    assert f"rm -r '{half_made}'" in again.stderr
    shutil.rmtree(half_made)
    assert run(home, "--answers", tmp_path / "answers.toml").returncode == 0


def test_a_closed_terminal_makes_no_home(tmp_path: Path):
    with terminal(["init", str(tmp_path / "home")], tmp_path) as person:
        person.wait_for("1 of 12. ")
        person.press(b"\x04")  # end of input
        assert person.finish() == 2
    assert "ended at question 1" in person.shown
    assert not list(tmp_path.iterdir())
