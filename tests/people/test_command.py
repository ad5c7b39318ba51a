"""`muniment people import` as a process of its own: what it prints, how it ends, what it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from muniment.people.snapshot import current_digest, load_current
from muniment.record.home import Home
from muniment.site import prepare
from tests.organisation import policy_text

from .files import EVERYBODY, MORGAN, OLIVE, people_file, row
from .postgres import Cluster

SAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "people.csv"
SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


def muniment(*words: object) -> Ended:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MUNIMENT", "DJANGO"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "muniment.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=environment,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Register:
    """A home that is prepared, and a place for files beside it."""

    home: Home

    def take(self, data: bytes, *options: str) -> Ended:
        file = self.home.path.parent / "people.csv"
        file.write_bytes(data)
        return muniment("people", "import", file, "--home", self.home.path, *options)

    def who(self, address: str) -> str | None:
        with load_current(self.home.snapshot_dir) as snapshot:
            return snapshot.person_of(address, datetime.now(UTC))


def make_register(folder: Path, **overrides: object) -> Register:
    home = Home(folder / "home")
    home.path.mkdir()
    home.policy_file.write_text(policy_text(**overrides))
    prepare(home)
    return Register(home)


@pytest.fixture(params=["sqlite", "postgresql"])
def register(request: pytest.FixtureRequest, tmp_path: Path) -> Register:
    if request.param == "sqlite":
        return make_register(tmp_path)
    cluster: Cluster = request.getfixturevalue("postgres")
    name = f"home_{tmp_path.name}"
    cluster.do(f'CREATE DATABASE "{name}"')
    return make_register(tmp_path, console__database=cluster.url(name))


def test_a_dry_run_an_import_and_the_same_again(register: Register) -> None:
    empty = current_digest(register.home.snapshot_dir)
    dry = register.take(people_file(*EVERYBODY), "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert dry.out.startswith("Added: 4\n  morgan, Morgan: here from ")
    assert dry.out.endswith("Changed: 0\nEnded: 0\nUnchanged: 0\nThis was a dry run: nothing was written.\n")
    assert current_digest(register.home.snapshot_dir) == empty
    assert register.who("tomas@training.example") is None

    real = register.take(people_file(*EVERYBODY))
    assert (real.code, real.err) == (0, "")
    assert real.out.splitlines()[0] == "Added: 4" and real.out.endswith("Unchanged: 0\nWritten.\n")
    tomas = register.who("Tomas@Training.Example")
    assert tomas is not None
    full = current_digest(register.home.snapshot_dir)

    again = register.take(people_file(*EVERYBODY))
    assert again.out == "Added: 0\nChanged: 0\nEnded: 0\nUnchanged: 4\nWritten.\n"
    assert current_digest(register.home.snapshot_dir) == full

    ended = register.take(people_file(MORGAN, OLIVE), "--complete", "--json").value
    assert [change["external_id"] for change in ended["ended"]] == ["stella", "tomas"]
    assert register.who("tomas@training.example") is None
    assert register.home.console_db.exists() is ("postgresql" not in register.home.policy_file.read_text())


def test_mistakes_end_with_code_2_and_write_nothing(register: Register) -> None:
    before = current_digest(register.home.snapshot_dir)
    data = people_file(MORGAN, row("tomas", roles="wizard", addresses="morgan@training.example"))
    ended = register.take(data)
    assert ended.code == 2
    assert ended.out == (
        "1 mistake; nothing was written:\n"
        "  row 3, column roles: found “wizard”, which is not a role. Write one or more of managing_director, "
        "office_manager, alternate, governor, it_support, data_protection_officer, hr, line_manager, staff, student, "
        "guest, contractor, auditor, safeguarding_lead, union_representative.\n"
    )
    as_json = register.take(data, "--json")
    assert as_json.code == 2
    assert (as_json.value["written"], as_json.value["added"]) == (False, [])
    assert as_json.value["mistakes"][0]["row"] == 3
    assert as_json.value["mistakes"][0]["found"] == "wizard"
    assert current_digest(register.home.snapshot_dir) == before


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Register:
    return make_register(tmp_path_factory.mktemp("example"))


def test_json_says_what_was_done_to_whom(tmp_path: Path) -> None:
    register = make_register(tmp_path)
    value = register.take(people_file(MORGAN), "--json").value
    [added] = value.pop("added")
    assert (added["external_id"], added["name"]) == ("morgan", "Morgan")
    assert added["what"][1:] == ["role Managing director", "address morgan@training.example"]
    assert value == {"written": True, "changed": [], "ended": [], "unchanged": 0, "mistakes": []}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "muniment: the file is empty"),
        (b"\x93\x00\xff", "muniment: line 1 is not UTF-8 text"),
        (b"name;roles\n", "muniment: the cells are not parted by commas"),
        (people_file(), "muniment: the file names nobody"),
    ],
)
def test_a_file_that_is_none_ends_with_code_2_and_one_sentence(
    example: Register, data: bytes, expected: str
) -> None:
    ended = example.take(data)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(expected) and ended.err.count("\n") == 1


def test_what_is_not_there_ends_with_code_4(example: Register, tmp_path: Path) -> None:
    missing = muniment("people", "import", tmp_path / "none.csv", "--home", example.home.path)
    assert (missing.code, missing.out) == (4, "")
    assert "none.csv is not there; name a CSV file of people" in missing.err
    homeless = muniment("people", "import", SAMPLE, "--home", tmp_path / "nowhere")
    assert homeless.code == 4
    assert "muniment.toml is not there" in homeless.err


def test_a_folder_instead_of_a_file_ends_with_code_7(example: Register, tmp_path: Path) -> None:
    ended = muniment("people", "import", tmp_path, "--home", example.home.path)
    assert (ended.code, ended.out) == (7, "")
    assert "cannot be read" in ended.err


def test_a_home_without_tables_or_a_database_that_is_away_is_said_and_not_a_traceback(tmp_path: Path) -> None:
    register = make_register(tmp_path)
    register.home.console_db.unlink()
    ended = register.take(people_file(MORGAN))
    assert (ended.code, ended.out) == (7, "")
    assert "muniment up" in ended.err and ended.err.count("\n") == 1
    away = policy_text(console__database=f"postgresql://muniment@/none?host={tmp_path}")
    register.home.policy_file.write_text(away)
    ended = register.take(people_file(MORGAN))
    assert (ended.code, ended.out) == (7, "")
    assert ended.err.count("\n") == 1


def test_the_sample_of_the_documentation_is_taken_by_the_example(tmp_path: Path) -> None:
    register = make_register(tmp_path)
    ended = muniment("people", "import", SAMPLE, "--home", register.home.path, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert len(ended.value["added"]) == SAMPLE.read_text().count("\n") - 1
    assert register.who("t.tutor@training.example") is not None
    repeated = muniment("people", "import", SAMPLE, "--home", register.home.path, "--complete")
    assert (
        repeated.out == f"Added: 0\nChanged: 0\nEnded: 0\nUnchanged: {len(ended.value['added'])}\nWritten.\n"
    )


def test_help_names_the_columns() -> None:
    ended = muniment("people", "import", "--help")
    assert ended.code == 0
    assert "external_id, name, roles, line_manager, addresses, from, until" in " ".join(ended.out.split())
