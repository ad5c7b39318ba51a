"""The disk fails a flush under the running recorder: what the issue of a lost flush must look like from outside.

Senders hear "try later", the tail is in quarantine, a new segment with new keys begins, a gap entry names the old
one, and the next message is recorded. R-5.1-a.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muniment.record.entry import Kind, Stream
from tests.record.recording import officer_view

from .hop import Hop
from .house import House, house
from .ports import free_port
from .talk import Talk

TUTOR, OUTSIDER = "tomas@training.example", "someone@outside.example"


@contextmanager
def failing(running: House, call: str) -> Iterator[None]:
    """Have every such call of the recorder fail with an input/output error, as root's debugger does."""
    process = running.processes["recorder"].popen.pid
    strace = ["strace", "-f", "-e", f"trace={call}", "-e", f"inject={call}:error=EIO", "-o", "/dev/null"]
    with subprocess.Popen([*strace, "-p", str(process)], stderr=subprocess.PIPE) as tracer:
        assert tracer.stderr is not None
        assert b"attached" in tracer.stderr.readline()
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(20)


def deliver(running: House, subject: bytes) -> bytes:
    with Talk(running.ports["outside"]) as talk:
        letter = b"From: <someone@outside.example>\r\nSubject: %s\r\n\r\nGood morning.\r\n" % subject
        return talk.deliver(OUTSIDER, [TUTOR], letter)


def test_a_flush_error_ends_the_segment_and_the_next_message_is_recorded(tmp_path: Path) -> None:
    with (
        Hop(free_port()) as hop,
        house(
            tmp_path, "recorder", "gateway", gateway__inbound_hop=f"127.0.0.1:{hop.server_address[1]}"
        ) as running,
    ):
        assert deliver(running, b"before").startswith(b"250 ")
        before = running.last(Stream.MAIL_GATEWAY).row.segment
        with failing(running, "fdatasync"):
            for number in range(3):
                assert deliver(running, b"lost %d" % number).startswith(b"451 4.3.0 ")
        assert len(hop.messages) == 1
        assert deliver(running, b"after").startswith(b"250 ")
        after = running.last(Stream.MAIL_GATEWAY)
        assert b"Subject: after" in after.content
        assert after.row.segment.epoch > before.epoch
        with officer_view(running.home) as view:
            gaps = [
                json.loads(view.open(row.idx).plain) for row in view.catalogue.rows("kind = ?", (Kind.GAP,))
            ]
        named = {gap["segment"] for gap in gaps if gap["cause"] == "a write failed"}
        assert before.path(running.home).name in named
        assert all("could not flush" in gap["error"] for gap in gaps if gap["cause"] == "a write failed")
        tails = [path.stat().st_size for path in running.home.quarantine.glob("*.tail")]
        assert tails and min(tails) > 0
        assert len(hop.messages) == 2
        assert running.status()["counters"].get("failures", 0) == 0
