"""The compiler: the same register and policy give the same file; a full disk leaves the earlier one current."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment.people.compiler import compile_snapshot
from muniment.people.models import Person
from muniment.people.register import import_people
from muniment.people.snapshot import current_digest, load_current
from muniment.policy.errors import Unavailable
from muniment.policy.policyfile import PolicyFile, parse
from muniment.record.disk import Disk
from muniment.record.home import Home
from tests.organisation import policy_bytes

from .files import EVERYBODY, MONDAY, TUESDAY, people_file, row

pytestmark = pytest.mark.usefixtures("database")
POLICY = parse(policy_bytes())


class FullDisk(Disk):
    """A disk that takes no file that another may replace, so that `current` cannot be written."""

    def write_durable(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        raise Unavailable("no space left")


def fill() -> None:
    import_people(people_file(*EVERYBODY), moment=MONDAY, example=True)


def compiled(home: Home, policy: PolicyFile = POLICY) -> str:
    path = compile_snapshot(policy, home)
    assert path.stem == current_digest(home.snapshot_dir)
    return path.stem


def test_the_snapshot_knows_whom_the_register_knows(tmp_path: Path) -> None:
    fill()
    import_people(people_file(row("tomas", addresses="t@training.example")), moment=TUESDAY, example=True)
    compiled(Home(tmp_path))
    tomas = str(Person.objects.get(external_id="tomas").pk)
    with load_current(Home(tmp_path).snapshot_dir) as snapshot:
        assert len(snapshot) == 6
        assert snapshot.person_of("tomas@training.example", MONDAY) == tomas
        assert snapshot.person_of("tomas@training.example", TUESDAY) is None
        assert snapshot.person_of("T@training.example", TUESDAY) == tomas


def test_an_empty_register_compiles(tmp_path: Path) -> None:
    compiled(Home(tmp_path))
    with load_current(Home(tmp_path).snapshot_dir) as snapshot:
        assert (len(snapshot), snapshot.person_of("tomas@training.example", MONDAY)) == (0, None)


def test_the_same_register_and_policy_give_the_same_file(tmp_path: Path) -> None:
    fill()
    assert (
        compiled(Home(tmp_path / "one"))
        == compiled(Home(tmp_path / "two"))
        == compiled(Home(tmp_path / "one"))
    )


def test_a_change_of_register_or_policy_gives_another_and_keeps_the_first(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = compiled(home)
    fill()
    second = compiled(home)
    third = compiled(home, parse(policy_bytes(policy__version="2026-12")))
    assert len({first, second, third}) == 3
    assert {path.stem for path in home.snapshot_dir.glob("*.snapshot")} == {first, second, third}


def test_a_disk_that_fails_leaves_the_earlier_snapshot_current(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = compiled(home)
    fill()
    with pytest.raises(Unavailable):
        compile_snapshot(POLICY, home, FullDisk())
    assert current_digest(home.snapshot_dir) == first
    assert compiled(home) != first
