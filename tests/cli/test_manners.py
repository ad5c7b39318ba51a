"""Commands keep their manners: they end quietly with their reader, name what is missing, and say how to go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from muniment.cli.main import main
from muniment.cli.up import welcome
from muniment.policy.policyfile import load
from muniment.record.home import Home

PROGRAM = "import sys; from muniment.cli.main import main; sys.exit(main())"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    assert main(["init", str(tmp_path / "home"), "--example"]) == 0
    return Home(tmp_path / "home")


def test_a_reader_who_has_enough_ends_the_command_without_a_trace() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", PROGRAM, "policy", "trace"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_showing_no_message_asks_which(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outside", "show", "--home", str(home.path)]) == 2
    assert "muniment outside show 1" in capsys.readouterr().err


def test_an_export_to_a_folder_that_is_not_there_is_unavailable(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    output = home.path / "nowhere" / "entry.json"
    assert main(["entry", "export", "policy/1", "--output", str(output), "--home", str(home.path)]) == 7
    assert "No such file or directory" in capsys.readouterr().err


def test_an_export_to_a_file_tells_machines_where_it_is(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    output = home.path / "entry.json"
    capsys.readouterr()
    assert (
        main(["entry", "export", "policy/1", "--output", str(output), "--json", "--home", str(home.path)])
        == 0
    )
    assert capsys.readouterr().out == f'{{"number": "policy/1", "output": "{output}"}}\n'


def test_what_to_type_next_stands_in_the_welcome(home: Home) -> None:
    lines = welcome(load(home.policy_file), {}, "bin/muniment {} --home elsewhere/{braces}")
    assert lines[-1].endswith("bin/muniment status --home elsewhere/{braces}")
