"""A home is made ready for the console, again and again, and the key is nobody else's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from muniment.people.snapshot import current_digest
from muniment.policy.errors import BadInput, Missing, Unavailable
from muniment.record.home import Home
from muniment.site import key, prepare
from muniment.site.database import database_of, in_memory
from tests.organisation import policy_text


def make_home(folder: Path, **overrides: object) -> Home:
    home = Home(folder / "home")
    home.path.mkdir()
    home.policy_file.write_text(policy_text(**overrides))
    return home


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    prepare(home)
    first = (home.path / "console.key").read_text(), current_digest(home.snapshot_dir)
    prepare(home)
    assert ((home.path / "console.key").read_text(), current_digest(home.snapshot_dir)) == first
    assert home.console_db.exists()


def test_two_homes_have_two_keys_readable_by_their_owner_only(tmp_path: Path) -> None:
    for name in ("one", "two"):
        key.create(tmp_path / name)
    assert key.read(tmp_path / "one") != key.read(tmp_path / "two")
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_missing_open_to_others_or_too_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "console.key"
    with pytest.raises(Missing, match="`muniment up` makes it"):
        key.read(path)
    key.create(path)
    path.chmod(0o640)
    with pytest.raises(BadInput, match=f"can be read by others; expected its owner only: chmod 600 {path}"):
        key.read(path)
    path.write_text("short")
    path.chmod(0o600)
    with pytest.raises(BadInput, match="has 5 characters, expected 50"):
        key.read(path)
    path.write_bytes(b"\xff" * 60)
    with pytest.raises(Unavailable, match="cannot be read"):
        key.read(path)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            {"console__database": "postgresql://muniment@/none?host=/nowhere"},
            "the console's database cannot be used",
        ),
        ({"console__listen": "0.0.0.0:8025"}, "or give it console.certificate"),
    ],
)
def test_what_cannot_be_prepared_is_said_in_one_sentence(
    tmp_path: Path, overrides: dict[str, object], expected: str
) -> None:
    with pytest.raises(Unavailable, match=expected):
        prepare(make_home(tmp_path, **overrides))


def test_a_console_that_others_could_reach_does_not_start(tmp_path: Path) -> None:
    home = make_home(tmp_path, console__listen="0.0.0.0:8025")
    done = subprocess.run(
        [sys.executable, "-m", "muniment.serve.console", str(home.path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "console.listen: would offer the console beyond this machine without TLS" in done.stderr


def test_the_policy_file_names_the_database(tmp_path: Path) -> None:
    assert database_of("", tmp_path / "x.db")["NAME"] == str(tmp_path / "x.db")
    assert in_memory()["NAME"] == ":memory:"
    found = database_of("postgresql://m%40n@db.example:5433/na%20me?sslmode=require", tmp_path)
    assert (found["USER"], found["HOST"], found["PORT"], found["NAME"]) == (
        "m@n",
        "db.example",
        "5433",
        "na me",
    )
    assert found["OPTIONS"] == {"sslmode": "require"}
    by_socket = database_of("postgresql:///muniment?host=/run/postgresql&port=5433", tmp_path)
    assert (by_socket["HOST"], by_socket["PORT"], "USER" in by_socket) == ("/run/postgresql", "5433", False)
