"""`muniment backup` and `muniment restore`, as a person types them. R-5.1-a."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.words import to_words
from tests.record.recording import SECRET, check_record, contents, mail, make_home, message
from tests.record.test_server import serving


def muniment(*arguments: str | Path, secret: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("MUNIMENT", "DJANGO"))}
    if secret:
        environment["MUNIMENT_MACHINE_SECRET_FILE"] = str(secret)
    command: Sequence[str | Path] = [sys.executable, "-m", "muniment.cli", *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text(to_words(SECRET))
    return path


def test_a_home_is_backed_up_while_it_runs_and_restored_on_an_empty_machine(tmp_path: Path, sheet: Path):
    home, folder = make_home(tmp_path), tmp_path / "backup"
    folder.mkdir()
    with (
        serving(home),
        Recorder(home.socket) as recorder,
        closing(sqlite3.connect(home.console_db)) as console,
    ):
        console.execute("PRAGMA journal_mode = WAL")
        console.execute("CREATE TABLE person (name TEXT)")
        console.execute("INSERT INTO person VALUES ('Ida Byte')")
        console.commit()
        console.execute("INSERT INTO person VALUES ('not committed')")
        recorder.append([mail(n) for n in range(4)])
        made = muniment("backup", "--home", home.path, "--to", folder)
        assert (made.returncode, made.stderr) == (0, "")
        assert "Backed up to" in made.stdout
        again = json.loads(muniment("backup", "--home", home.path, "--to", folder, "--json").stdout)
        assert (again["run"], again["noted"], again["warnings"]) == (2, True, [])
        checked = muniment("backup", "check", "--home", home.path, "--to", folder)
        assert checked.returncode == 0
        assert "It is whole" in checked.stdout
        told = muniment("status", "--home", home.path).stdout
        assert f"at {folder}" in told
        assert "Checked" in told
        console.rollback()
    assert not list(home.run.glob("backup-*"))
    restored = muniment("restore", tmp_path / "new", "--from", folder, secret=sheet)
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "proved again" in restored.stdout
    assert "only a checkpoint kept elsewhere" in restored.stdout
    new = Home(tmp_path / "new")
    with closing(sqlite3.connect(new.console_db)) as console:
        assert console.execute("SELECT name FROM person").fetchall() == [("Ida Byte",)]
    assert sorted(contents(new).values()) == [message(n) for n in range(4)]
    proved = muniment("verify", "--home", new.path, secret=sheet)
    assert proved.returncode == 0, proved.stdout
    check_record(new)


def test_a_stopped_home_is_backed_up_with_the_machine_secret(tmp_path: Path, sheet: Path):
    home, folder = make_home(tmp_path), tmp_path / "backup"
    folder.mkdir()
    refused = muniment("backup", "--home", home.path, "--to", folder)
    assert refused.returncode == 4
    assert "machine secret" in refused.stderr
    assert not list(folder.iterdir())
    made = muniment("backup", "--home", home.path, "--to", folder, secret=sheet)
    assert (made.returncode, made.stderr) == (0, "")
    checked = json.loads(
        muniment("backup", "check", "--home", home.path, "--to", folder, "--json", secret=sheet).stdout
    )
    assert checked["whole"]
    check_record(home)


def test_what_is_damaged_is_named_and_ends_with_6(tmp_path: Path, sheet: Path):
    home, folder = make_home(tmp_path), tmp_path / "backup"
    folder.mkdir()
    muniment("backup", "--home", home.path, "--to", folder, secret=sheet)
    largest = max((folder / "objects").rglob("*"), key=lambda path: path.is_file() and path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1] + b"\0")
    checked = muniment("backup", "check", "--home", home.path, "--to", folder, secret=sheet)
    assert checked.returncode == 6
    assert largest.parent.name + largest.name in checked.stdout
    assert "--anew" in checked.stdout
    restored = muniment("restore", tmp_path / "new", "--from", folder, secret=sheet)
    assert restored.returncode == 6
    assert largest.parent.name + largest.name in restored.stderr


WRONG: list[tuple[list[str], int, str]] = [
    (["backup"], 2, "no place for the backup"),
    (["backup", "--to", "nowhere"], 4, "mount it"),
    (["backup", "--to", "s3://bucket"], 2, "s3://"),
    (["restore", "new", "--from", "nowhere"], 4, "mount it"),
    (["restore", "home", "--from", "empty"], 4, "holds no backup"),
]


@pytest.mark.parametrize(("arguments", "code", "told"), WRONG)
def test_what_cannot_be_done_says_what_to_do(
    tmp_path: Path, sheet: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
):
    make_home(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    done = muniment(*arguments, secret=sheet)
    assert done.returncode == code
    assert told in done.stderr


def test_a_restore_without_the_words_says_where_they_are_named(tmp_path: Path):
    (tmp_path / "backup").mkdir()
    done = muniment("restore", tmp_path / "new", "--from", tmp_path / "backup")
    assert done.returncode == 4
    assert "MUNIMENT_MACHINE_SECRET_FILE" in done.stderr
