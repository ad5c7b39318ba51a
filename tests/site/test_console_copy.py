"""The console's database goes into a backup as it is at one moment, beside the running console. R-5.1-a."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from muniment.policy.errors import Unavailable
from muniment.policy.policyfile import parse
from muniment.record.home import Home
from muniment.site.console_copy import console_copy
from tests.organisation import policy_bytes
from tests.people.postgres import cluster


def test_postgresql_is_dumped_and_the_dump_goes_back_into_an_empty_database(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with cluster() as found:
        found.do("CREATE DATABASE console")
        found.do("CREATE DATABASE empty")
        psql = ["psql", "-qAt", found.url("console"), "-c"]
        subprocess.run([*psql, "CREATE TABLE person AS SELECT 'Ida Byte' AS name"], check=True)
        with console_copy(home, parse(policy_bytes(console__database=found.url("console")))) as [
            (name, copy)
        ]:
            assert name == "console.dump"
            assert copy.stat().st_mode & 0o077 == 0
            put_back = ["pg_restore", "--no-owner", f"--dbname={found.url('empty')}", copy]
            subprocess.run(put_back, check=True)
        assert not copy.exists()
        asked = ["psql", "-qAt", found.url("empty"), "-c", "SELECT name FROM person"]
        assert subprocess.run(asked, check=True, capture_output=True, text=True).stdout == "Ida Byte\n"
        policy = parse(policy_bytes(console__database=found.url("nowhere")))
        with pytest.raises(Unavailable, match="pg_dump failed"), console_copy(home, policy):
            pass
    assert not list(home.run.glob("backup-*"))


def test_a_home_whose_console_was_never_prepared_has_none(tmp_path: Path) -> None:
    with console_copy(Home(tmp_path), parse(policy_bytes())) as extras:
        assert extras == []
