"""`muniment reconcile` says what was wrong with what it was given; `muniment status` says what is silent. R-2.1-b."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment.cli.main import main
from muniment.cli.reconcile import exit_code
from muniment.cli.status import _lines
from muniment.record.statement.reconciliation import LogFile, Reconciliation
from tests.record.recording import DAY_MS, Clock, check_record, mail, make_home, recording

FILE = LogFile(name="mail.log", sha256="a" * 64, bytes=1, lines=1)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "no line of these files has a time that was asked about"),
        (["--zone", "Mars/Olympus"], 2, "is no time zone"),
        (["--since", "yesterday"], 2, "is no time; write, for instance, 2026-11-24T18:00"),
        (["--gateway", "2525"], 2, "is not host:port"),
        (["absent.log"], 4, "is not there"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, words: str
) -> None:
    home = make_home(tmp_path)
    log = tmp_path / "other.log"
    log.write_text("nothing of a mail server\n")
    assert main(["reconcile", "--home", str(home.path), str(log), *options]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"unread_lines": 1}, 7),
        ({"undecided": 1}, 7),
        ({"missing": 1, "accepted": 4}, 4),
        ({"unnamed": 1}, 4),
        ({"unnamed": 1, "other_senders": True}, 0),
        ({"holes": 1, "unread_lines": 1}, 4),
        ({"refused": 1}, 4),
        ({"handed_on": 1}, 4),
    ],
)
def test_the_exit_code_says_whether_all_tallies(changes: dict[str, int], code: int) -> None:
    figures = {"accepted": 3, "recorded": 3, "missing": 0} | changes
    assert exit_code(Reconciliation(files=(FILE,), from_ms=1, until_ms=2, **figures)) == code  # type: ignore[arg-type]


def test_status_says_what_is_silent_and_what_was_compared(tmp_path: Path) -> None:
    home, clock = make_home(tmp_path, streams__0__silence_hours=24), Clock()
    with recording(home, clock) as record:
        record.append([mail(1)])
        clock.now_ms += DAY_MS
        record.tick()
        state = record.status()
    printed = list(_lines(state))
    assert "The mail server's log has not been compared with the record" in printed
    assert "Silent: mail-gateway since 01 Nov 2026 10:00:00 UTC, for more than 24 hours" in printed
    assert "No gap on record" in printed
    check_record(home)
