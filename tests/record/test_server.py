"""The recorder's socket: one flush serves many senders, long messages cost little memory, failures say try later."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from muniment.policy.errors import Unavailable
from muniment.record.client import AsyncRecorder, Recorder, groups
from muniment.record.entry import Kind
from muniment.record.home import Home
from muniment.record.machine import example_file, example_text
from tests.record.recording import SECRET, check_record, contents, mail, make_home, message, officer_view


@contextmanager
def serving(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real recorder process on a home until the block ends."""
    example_file(home).write_bytes(example_text(SECRET))
    process = subprocess.Popen(
        [sys.executable, "-m", "muniment.serve.recorder", str(home.path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith(b"ready")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGKILL)
        process.stdout.close()


def peak_bytes(process: subprocess.Popen[bytes]) -> int:
    """Return the largest resident memory the process has had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_what_a_client_appends_is_recorded_and_the_state_says_so(tmp_path):
    home = make_home(tmp_path)
    with serving(home), Recorder(home.socket) as recorder:
        receipts = recorder.append([mail(1), mail(2)])
        assert [r.sequence for r in receipts] == [1, 2]
        checkpoint = recorder.publish()
        state = recorder.status()
        assert recorder.checkpoint() == checkpoint
    assert state["published"] == state["size"] == int(checkpoint.split("\n")[1])
    assert state["problems"] == []
    assert list(contents(home).values()) == [message(1), message(2)]
    check_record(home)


def test_many_senders_at_once_each_get_their_own_receipt(tmp_path):
    home = make_home(tmp_path)

    async def send() -> list[int]:
        recorder = await AsyncRecorder.connect(home.socket)
        made = await asyncio.gather(*(recorder.append([mail(n)]) for n in range(300)))
        await recorder.close()
        return [receipts[0].index for receipts in made]

    with serving(home):
        indexes = asyncio.run(send())
    found = contents(home)
    assert [found[index] for index in indexes] == [message(n) for n in range(300)]
    check_record(home)


def test_a_long_message_is_a_chain_and_the_recorder_holds_little_of_it(tmp_path):
    home = make_home(tmp_path)
    content = message(1) + b"".join(
        hashlib.sha256(b"%d" % n).hexdigest().encode() + b"\r\n" for n in range(1_550_000)
    )
    sent = content[:200] + b"Example Training Ltd\r\n" + content[200:]
    assert len(content) > 95 << 20
    with serving(home) as process:
        with Recorder(home.socket) as recorder:
            recorder.append([mail(0)])
            before = peak_bytes(process)
            [receipt] = recorder.append([mail(1, content=content, sent=sent)])
        grown = peak_bytes(process) - before
    with officer_view(home) as view:
        opened = view.open(receipt.index)
        blobs = view.catalogue.rows("kind = ?", (Kind.BLOB,))
    assert opened.content == content
    assert opened.sent == sent
    assert opened.row.size == len(content)
    assert len(blobs) == len(opened.told.blobs) > 20
    assert grown < 32 << 20, f"{grown:,} bytes"
    check_record(home)


def test_a_killed_recorder_fails_every_append_that_waits(tmp_path):
    home = make_home(tmp_path)

    async def send(process: subprocess.Popen[bytes]) -> list[object]:
        recorder = await AsyncRecorder.connect(home.socket)
        await recorder.append([mail(0)])
        process.kill()
        process.wait()
        results = await asyncio.gather(*(recorder.append([mail(n)]) for n in (1, 2)), return_exceptions=True)
        assert not recorder.is_usable
        await recorder.close()
        return list(results)

    with serving(home) as process:
        results = asyncio.run(send(process))
    assert all(isinstance(result, Unavailable) for result in results)
    with pytest.raises(Unavailable, match="muniment up"):
        Recorder(home.socket)


def test_strange_bytes_on_the_socket_are_answered_or_dropped_and_harm_nobody(tmp_path):
    home = make_home(tmp_path)
    with serving(home):
        for data in (b"\xff\xff\xff\xff", b"\0\0\0\x03\xc1\xc1\xc1", b"\0\0\0\x00", os.urandom(64)):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.connect(str(home.socket))
                raw.sendall(data)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(4096):
                    pass
        with Recorder(home.socket) as recorder:
            recorder.append([mail(1)])
    check_record(home)


def test_the_socket_is_its_owner_s_alone(tmp_path):
    home = make_home(tmp_path)
    with serving(home):
        assert home.socket.stat().st_mode & 0o777 == 0o600
        assert home.run.stat().st_mode & 0o777 == 0o700


def test_entries_travel_in_groups_and_a_long_one_alone():
    long = mail(9, content=bytes(17 << 20))
    sizes = [[len(e.content) for e in group] for group in groups([mail(1), mail(2), long, mail(3)])]
    assert sizes == [[len(message(1)), len(message(2))], [17 << 20], [len(message(3))]]
