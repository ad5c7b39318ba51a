"""The message to the person looked at says where to read, and nothing of what; it goes the way all mail goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from muniment.account.asking import ask
from muniment.account.notice_mail import message_of, place_of, send
from muniment.answer.look import Look, look_entry
from muniment.answer.room_wire import Looker
from muniment.cli.stage import six_words
from muniment.policy.errors import Unavailable
from muniment.policy.policyfile import parse
from muniment.record.client import Recorder
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.open_entries import read_open
from tests.organisation import policy_bytes
from tests.serve.ports import free_port
from tests.site.console import up

NOW = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)
DELIVER = """
import sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from muniment.record.home import Home
from muniment.site.attach import attached
home = Home(Path(sys.argv[1]))
with attached(home):
    from muniment.account.notices import deliver_due
    for _ in range(2):
        done = deliver_due(home, datetime.now(UTC) + timedelta(days=2))
        print(done.recorded, done.mailed)
"""


def test_it_says_nothing_but_where_to_read_and_is_the_same_message_when_made_again() -> None:
    policy = parse(policy_bytes(console__listen="127.0.0.1:8025"))
    message = message_of(policy, "tomas@training.example", 4711, NOW)
    text = message.as_string()
    assert "http://127.0.0.1:8025/my-record" in text
    assert message["Message-ID"] == "<notice-4711@mail.training.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    for word in ("permit", "officer", "opened", "2026-0", "HR"):
        assert word not in message.get_content()


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, "http://127.0.0.1:8025/my-record"),
        ({"console__listen": "[::1]:80"}, "http://[::1]/my-record"),
    ],
)
def test_the_place_is_the_one_the_console_answers_at(changes: dict[str, Any], place: str) -> None:
    assert place_of(parse(policy_bytes(**changes))) == place


def test_a_gateway_that_does_not_answer_is_unavailable() -> None:
    policy = parse(policy_bytes(gateway__inside=f"127.0.0.1:{free_port()}"))
    with pytest.raises(Unavailable, match="did not take a notice"):
        send(policy, "tomas@training.example", 1, NOW)


def test_a_notice_reaches_the_mailbox_through_the_gateway_and_the_record(tmp_path: Path) -> None:
    with up(tmp_path) as console:
        console.send("one", b"From: tomas@training.example\r\nSubject: Register\r\n\r\nGood morning.\r\n")
        looked_at(console.home)
        done = run(console.home, "-c", DELIVER, str(console.home.path))
        assert done.split("\n")[:2] == ["1 1", "0 0"]
        arrived = ask(console.home.run / "sink.sock", {"op": "list"}, 30.0)["messages"]
        assert [each["rcpt_to"] for each in arrived if "new stands" in each["subject"]] == [
            ["tomas@training.example"]
        ]
        said = [json.loads(entry.plain)["format"] for entry in read_open(console.home, Stream.NOTICES)]
        assert said == ["muniment-notice/1", "muniment-notice-mailed/1"]


def looked_at(home: Home) -> None:
    """Ask for a permit, approve it, and record that every message it opens was read."""
    cli = ["-m", "muniment.cli", "permit"]
    span = ["--from", "2026-01-01", "--until", "2027-01-01", "--person", "tomas"]
    why = ["--purpose", "CASE", "--case", "HR-12", "--reason", "Marks.", "--alternative", "Asked."]
    number = json.loads(run(home, *cli, "ask", "--as", "hr", *why, *span, "--json"))["number"]
    bundle, signed, words = home.path / "bundle.json", home.path / "signed.json", home.path / "words"
    words.write_text(six_words((home.path / "sheets" / "office-manager.txt").read_text()))
    run(home, *cli, "bundle", number, "--output", str(bundle))
    key = str(home.path / "officer-keys" / "office-manager.json")
    approve = ["-m", "muniment.cli", "approve", str(bundle), "--key", key, "--words-file", str(words)]
    run(home, *approve, "--output", str(signed))
    run(home, *cli, "decide", str(signed))
    looker = Looker(str(uuid.uuid4()), "Hari Hughes", "HR")
    shown = [entry.index for entry in read_open(home, Stream.PERMITS)]
    with Recorder(home.socket) as recorder:
        recorder.append([look_entry(number, 1, looker, Look(act="content", entries=tuple(range(shown[0]))))])


def run(home: Home, *words: str) -> str:
    environment = {**os.environ, "MUNIMENT_HOME": str(home.path)}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=180, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
