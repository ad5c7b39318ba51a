"""The tour is the story of the product on real messages; it plays whole, and says when a step is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from muniment.cli.stage import Stage, six_words
from muniment.cli.story import Broken, require
from muniment.policy.clauses import clauses
from muniment.record.home import Home

SECONDS = 180


def tour(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "muniment.cli", "tour", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_every_step_of_the_tour_does_what_it_says(tmp_path: Path) -> None:
    ran = tour("--json", "--home", str(tmp_path / "home"))
    told = json.loads(ran.stdout)
    assert told["broken"] == "", ran.stderr
    assert ran.returncode == 0
    assert [step["number"] for step in told["steps"]] == list(range(1, 22))
    assert {step["clause"] for step in told["steps"]} <= set(clauses())
    assert all(step["facts"] for step in told["steps"])
    again = tour("--home", str(tmp_path / "home"))
    assert again.returncode == 5
    assert "is there already" in again.stderr


def test_a_step_that_fails_breaks_the_tour(tmp_path: Path) -> None:
    """Without the disk to found a home on, the first step is broken and the tour says so."""
    (tmp_path / "file").write_bytes(b"")
    ran = tour("--home", str(tmp_path / "file" / "home"))
    assert ran.returncode == 1
    assert "BROKEN: `muniment init" in ran.stdout


def test_a_promise_not_kept_is_named() -> None:
    require(True, "nothing")
    with pytest.raises(Broken, match="the bytes differ"):
        require(False, "the bytes differ")


def test_the_words_are_read_off_the_sheet() -> None:
    sheet = "YOUR SIX WORDS\n\n    one two  three\n    four five six\n\nWHAT THEY ARE FOR\n"
    assert six_words(sheet) == "one two three four five six"


def test_free_ports_replace_every_door(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.policy_file.write_text('a = "127.0.0.1:2525"\nb = "127.0.0.1:2526"\nc = "127.0.0.1:2525"\n')
    Stage(home).take_free_ports()
    first, second, third = (line.split(":")[1] for line in home.policy_file.read_text().splitlines())
    assert first == third != second
    assert "2525" not in home.policy_file.read_text()
