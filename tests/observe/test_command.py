"""`muniment import mail` against a running recorder: what it prints, how it ends, and what survives its death."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from muniment.cli import importing
from muniment.policy.errors import Missing, Unavailable
from tests.observe.importing import file_back, imported, recorder_process
from tests.observe.test_import import LETTER, letters
from tests.observe.test_sources import MAIL, MARK, tree
from tests.record.recording import check_record, make_home

ENTRY_POINT = """
import argparse, sys
from muniment.cli import importing
from muniment.policy.errors import MunimentError
parser = argparse.ArgumentParser()
importing.add(parser.add_subparsers())
args = parser.parse_args(sys.argv[1:])
sys.exit(args.handler(args))
"""


def command(home, *words: object) -> list[str]:
    return [sys.executable, "-c", ENTRY_POINT, "import", "mail", "--home", str(home.path), *map(str, words)]


def run(home, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(home, *words), capture_output=True, text=True, timeout=60, check=False)


def test_the_report_says_what_was_taken_as_what(tmp_path):
    home = make_home(tmp_path)
    root = tree(
        tmp_path / "mail",
        {
            "1.eml": LETTER,
            "2.eml": LETTER,
            "all.mbox": MARK + MAIL,
            "box/cur/3:2,S": MAIL + b"\x00",
            "box/new/4": b"no header\n",
            "box/tmp/5": MAIL,
            "large.eml": LETTER + b"0123456789abcdef\r\n" * 1_000_000,
        },
    )
    with recorder_process(home):
        done = run(home, root)
        again = run(home, root, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == f"6 messages, {3 * len(LETTER) + 2 * len(MAIL) + 18_000_011:,} bytes"
    assert lines[1:5] == [
        "  3 taken as one message a file",
        "  1 taken as mbox",
        "  2 taken as Maildir",
        "  1 had been recorded before and are kept as observations of the same bytes",
    ]
    assert "          1  NUL byte" in lines
    assert "          1  no header" in lines
    assert lines[-2] == f"Passed over: {root}/box/tmp/5: not yet delivered"
    assert lines[-1] == "6 of 6 recorded, 0 refused, 0 lost"
    value = json.loads(again.stdout)
    assert (value["found"], value["recorded"], value["refused"], value["lost"]) == (6, 6, 0, 0)
    assert file_back(imported(home), b"large.eml") == (root / "large.eml").read_bytes()
    check_record(home)


def test_a_file_that_cannot_be_read_makes_the_command_fail(tmp_path):
    home = make_home(tmp_path)
    root = letters(tmp_path, 2)
    (root / "gone.eml").symlink_to("nowhere")
    with recorder_process(home):
        done = run(home, root)
    assert done.returncode == Unavailable.exit_code
    assert f"Could not be read: {root}/gone.eml: No such file or directory" in done.stdout
    assert done.stdout.splitlines()[-1] == "2 of 2 recorded, 0 refused, 0 lost"


def test_a_path_that_is_not_there_and_a_recorder_that_is_not_are_errors(tmp_path):
    home = make_home(tmp_path)
    for words, kind in (((tmp_path / "nowhere",), Missing), ((letters(tmp_path, 1),), Unavailable)):
        done = run(home, *words)
        assert done.returncode != 0
        assert kind.__name__ in done.stderr


@pytest.mark.parametrize("noted", [1, 3, 6])
def test_a_killed_import_goes_on_loses_nothing_and_doubles_nothing_unmarked(tmp_path, noted):
    home, root = make_home(tmp_path), letters(tmp_path, 640)
    with recorder_process(home):
        process = subprocess.Popen(command(home, root), stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while _noted(home.path) < noted and time.monotonic() < deadline:
            assert process.poll() is None or _noted(home.path) >= noted
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        done = run(home, root, "--json")
    value = json.loads(done.stdout)
    assert (value["found"], value["recorded"], value["lost"]) == (640, 640, 0)
    times = Counter(content for _, content in imported(home))
    assert set(times) == {LETTER % number for number in range(640)}
    assert sum(times.values()) - 640 == value["counts"]["duplicates"] <= 64
    check_record(home)


def _noted(home: Path) -> int:
    """Return how many batches the journal holds."""
    return sum(path.read_bytes().count(b'"counts"') for path in (home / "import").glob("*.jsonl"))


def test_the_report_prints_names_of_any_bytes():
    assert importing._shown(Path(os.fsdecode(b"caf\xe9"))) == "caf\\udce9"
