"""What the pages ask the outside world, over a socket that answers well, badly or not at all."""

from __future__ import annotations

import json
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from muniment.account.outside import SOCKET, Arrival, arrivals, heading, message, sending_command
from muniment.policy.errors import Missing, MunimentError, Unavailable
from muniment.policy.policyfile import parse
from tests.organisation import policy_bytes

NOW = datetime(2026, 11, 25, 9, 20, tzinfo=UTC)
ONE = {
    "id": 1,
    "received_at": "2026-11-25T09:00:00.000+00:00",
    "listener": "outside",
    "mail_from": "a@training.example",
    "rcpt_to": ["b@outside.example"],
    "size": 12,
    "subject": "Hello",
}


def arrival(**changes: object) -> Arrival:
    values = ONE | changes
    return Arrival(**values | {"rcpt_to": tuple(values["rcpt_to"])})  # type: ignore[arg-type]


@contextmanager
def answering(folder: Path, answer: bytes) -> Iterator[Path]:
    """Give one question this answer."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / SOCKET))
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                lines.readline()
                connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield folder
        thread.join(30)


def test_the_newest_comes_first(tmp_path: Path) -> None:
    answer = json.dumps({"example": True, "messages": [ONE, ONE | {"id": 2}]}).encode() + b"\n"
    with answering(tmp_path, answer) as run:
        assert [each.id for each in arrivals(run)] == [2, 1]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (b"", Unavailable, "does not answer"),
        (b"nonsense\n", Unavailable, "does not answer"),
        (b"[" * 100_000 + b"\n", Unavailable, "does not answer"),
        (b"[]\n", Unavailable, "does not answer"),
        (b"{}\n", Unavailable, "answered something else"),
        (json.dumps(ONE | {"raw_base64": "%"}).encode() + b"\n", Unavailable, "answered something else"),
        (json.dumps(ONE | {"raw_base64": 7}).encode() + b"\n", Unavailable, "answered something else"),
        (b'{"error": "no message 7", "exit_code": 4}\n', Missing, "no message 7"),
        (b'{"error": "odd", "exit_code": 2}\n', Unavailable, "odd"),
    ],
)
def test_an_answer_that_is_none_is_an_error_of_ours(
    tmp_path: Path, answer: bytes, kind: type[MunimentError], said: str
) -> None:
    with answering(tmp_path, answer) as run, pytest.raises(kind, match=said):
        message(run, 7)


def test_without_a_sink_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="start it with `muniment up`"):
        arrivals(tmp_path)


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({}, "time", "9.00 am today"),
        ({"received_at": "yester\u202eday"}, "time", "yester\\u202eday"),
        ({"received_at": "9999-12-31T23:59:59-23:00"}, "time", "9999-12-31T23:59:59-23:00"),
        ({"subject": ""}, "subject", "A message without a subject"),
        ({"subject": "\u200b"}, "subject", "\\u200b"),
        ({"subject": "=?utf-8?q?Gr=C3=BC=C3=9Fe_=E2=80=AEx?="}, "subject", "Grüße \\u202ex"),
        ({"subject": "=?nonsense?q?abc?="}, "subject", "=?nonsense?q?abc?="),
        ({"subject": "=?utf-8?b?a?="}, "subject", "=?utf-8?b?a?="),
        ({"subject": "x" * 10_000}, "subject", "x" * 500 + "…"),
        ({"mail_from": "<>"}, "sender", "a mail server, which wants no answer"),
        ({"mail_from": ""}, "sender", "a mail server, which wants no answer"),
        ({"rcpt_to": list("abcde")}, "recipients", "a, b, c and 2 more"),
        ({"listener": "inside"}, "where", "Our own mail server"),
        ({"size": 2_000}, "size", "2.0 KB"),
    ],
)  # fmt: skip
def test_a_message_is_named_safely(changes: dict[str, object], field: str, said: str) -> None:
    assert getattr(heading(arrival(**changes), NOW), field) == said


def test_the_command_that_sends_one_is_a_line_a_shell_understands() -> None:
    words = shlex.split(sending_command(parse(policy_bytes())))
    assert words[:2] == ["python3", "-c"]
    compile(words[2], "command", "exec")
    assert "smtplib.SMTP('127.0.0.1', 2525)" in words[2]
    assert "'Subject: Hello\\r\\n\\r\\nGood morning\\r\\n'" in words[2]
