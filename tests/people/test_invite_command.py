"""`muniment people invite` as a process of its own: what it prints, and what it says when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from .files import EVERYBODY, people_file, row
from .test_command import Register, make_register, muniment


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Register:
    found = make_register(tmp_path_factory.mktemp("invite"))
    assert found.take(people_file(*EVERYBODY, row("nobody"))).code == 0
    return found


def test_it_prints_a_link_for_one_person_and_never_the_same(register: Register) -> None:
    first = muniment("people", "invite", "tomas", "--home", register.home.path)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith(
        "For Tomas, who signs in as tomas@training.example:\n  http://127.0.0.1:8025/invitation/"
    )
    assert "It works once, until " in first.out
    second = muniment("people", "invite", "tomas", "--home", register.home.path, "--json").value
    assert set(second) == {"person", "name", "address", "link", "ends"}
    secret = second["link"].rpartition("/")[2]
    assert len(secret) == 43 and secret not in first.out
    for path in register.home.path.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("person", "code", "said"),
    [
        ("stranger", 4, "nobody called 'stranger' is here"),
        ("x" * 300, 4, "nobody called"),
        ("nobody", 5, "has no mail address"),
    ],
)
def test_whoever_cannot_be_invited_is_said(register: Register, person: str, code: int, said: str) -> None:
    ended = muniment("people", "invite", person, "--home", register.home.path)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err and ended.err.count("\n") == 1


def test_a_home_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert muniment("people", "invite", "tomas", "--home", tmp_path / "none").code == 4


def test_an_account_is_locked_by_a_command_and_opened_by_a_new_invitation(register: Register) -> None:
    none = muniment("people", "lock", "morgan", "--home", register.home.path)
    assert (none.code, none.out) == (4, "") and "has no account" in none.err
    muniment("people", "invite", "stella", "--home", register.home.path)
    locked = muniment("people", "lock", "stella", "--home", register.home.path)
    assert (locked.code, locked.err) == (0, "")
    assert locked.out == "Stella cannot sign in any more. Open it again: muniment people invite stella\n"
    assert muniment("people", "invite", "stella", "--home", register.home.path).code == 0
