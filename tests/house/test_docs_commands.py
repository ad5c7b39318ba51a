"""Every command the documents show is one; those in tested blocks are run, in an example home that is up."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from muniment.cli.main import build_parser, main
from muniment.policy.policyfile import load
from muniment.record.home import Home
from tests.house.tree import DOCS, name_of, pages, sh_blocks
from tests.serve.ports import free_port

_LOOPBACK = re.compile(r"127\.0\.0\.1:(\d+)")
_BIN = str(Path(sys.executable).parent)


def commands(page: Path, mark: str = "") -> list[str]:
    """Return the commands of a page, without their comments."""
    lines = [line for block in sh_blocks(page.read_text("utf-8"), mark) for line in block.splitlines()]
    return [line for line in lines if line.strip() and not line.startswith("#")]


SHOWN = [(page, line) for page in pages() for line in commands(page) if "muniment " in line.split("#")[0]]
TESTED = [page for page in pages() if commands(page, "tested")]


@pytest.mark.parametrize(
    ("page", "line"), SHOWN, ids=lambda each: each if isinstance(each, str) else name_of(each)
)
def test_every_command_that_is_shown_can_be_typed(page: Path, line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    if Path(program).name == "muniment":
        parsed = build_parser().parse_args(words)
        assert isinstance(parsed, argparse.Namespace)


def test_commands_are_shown_in_many_places() -> None:
    assert len(SHOWN) >= 15 and len(TESTED) >= 3


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, dict[str, str]]]:
    """Start an example as its user would, on free ports; yield it with the ports that took the place of others."""
    home = Home(tmp_path_factory.mktemp("docs") / "home")
    assert main(["init", str(home.path), "--example"]) == 0
    text = home.policy_file.read_text()
    ports = {port: str(free_port()) for port in dict.fromkeys(_LOOPBACK.findall(text))}
    home.policy_file.write_text(_LOOPBACK.sub(lambda match: f"127.0.0.1:{ports[match[1]]}", text))
    command = [f"{_BIN}/muniment", "up", "--home", str(home.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "everything runs" in process.stdout.readline(), "what it said stands on standard error"
            yield home, ports
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=60)[0]
        assert (process.returncode, said.splitlines()[-1][:8]) == (0, "Stopped.")


def shell(line: str, home: Home, place: Path) -> subprocess.CompletedProcess[str]:
    """Run one line as a person would who set MUNIMENT_HOME."""
    environment = {**os.environ, "MUNIMENT_HOME": str(home.path), "PATH": f"{_BIN}:{os.environ['PATH']}"}
    return subprocess.run(
        ["sh", "-c", line],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def sent(up: tuple[Home, dict[str, str]]) -> Home:
    """Send the first message as the guide does, and wait for the checkpoint that covers it."""
    home, ports = up
    (line,) = [line for line in commands(DOCS / "guide" / "it-support.md", "tested") if "smtplib" in line]
    done = shell(re.sub(r"\b2525\b", ports["2525"], line), home, home.path)
    assert done.returncode == 0, done.stderr
    checkpoint = home.ledger / "checkpoint"
    before, deadline = checkpoint.stat().st_mtime_ns, time.monotonic() + 20
    while checkpoint.stat().st_mtime_ns == before and time.monotonic() < deadline:
        time.sleep(0.1)
    return home


@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("page", TESTED, ids=name_of)
def test_every_tested_command_does_what_it_says(
    page: Path, sent: Home, up: tuple[Home, dict[str, str]], tmp_path: Path
) -> None:
    for line in commands(page, "tested"):
        done = shell(re.sub(r"\b2525\b", up[1]["2525"], line), sent, tmp_path)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert (done.stdout or "smtplib" in line) and "Traceback" not in done.stderr, line


def test_the_answers_that_are_shown_make_a_home(tmp_path: Path) -> None:
    page = (DOCS / "guide" / "setting-up.md").read_text("utf-8")
    (answers,) = re.findall(r"```toml answers\n(.*?)```", page, re.DOTALL)
    (tmp_path / "answers.toml").write_text(answers)
    assert (
        main(["init", str(tmp_path / "home"), "--example", "--answers", str(tmp_path / "answers.toml")]) == 0
    )
    assert len(load(tmp_path / "home" / "muniment.toml").officers) == 2
