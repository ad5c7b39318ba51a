"""Messages of a hundred megabytes through the gateway, and what they cost in memory. R-5.1-a, R-2.2-b."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from muniment.record.entry import Stream
from tests.organisation import PARTICULARS

from .hop import Hop
from .house import House, house
from .ports import free_port
from .talk import Talk

MESSAGE_BYTES = 100 << 20
TUTOR, OUTSIDER = "tomas@training.example", "someone@outside.example"
HEADER = (
    b"From: <tomas@training.example>\r\nSubject: large\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n.Here it is.\r\n"
    b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
)
END = b"--b--\r\n"
_GATEWAY_BYTES = 80 << 20  # of a gateway with nothing under way, and some room
pytestmark = pytest.mark.xdist_group("gateway-sizes")


@pytest.fixture(scope="module")
def content() -> bytes:
    line = base64.encodebytes(bytes(range(57))).replace(b"\n", b"\r\n")
    return HEADER + line * ((MESSAGE_BYTES - len(HEADER) - len(END)) // len(line) + 1) + END


@pytest.fixture
def hop() -> Iterator[Hop]:
    with Hop(free_port()) as found:
        yield found


@pytest.fixture
def running(hop: Hop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    address = f"127.0.0.1:{hop.server_address[1]}"
    path = tmp_path_factory.mktemp("sizes")
    with house(
        path, "recorder", "gateway", gateway__outbound_hop=address, gateway__inbound_hop=address
    ) as found:
        yield found


def highest_bytes(running: House, name: str) -> int:
    """Return the most memory a process ever held."""
    status = Path(f"/proc/{running.processes[name].popen.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) << 10


@pytest.mark.parametrize(
    ("door", "sender", "recipient", "copies"),
    [("outside", OUTSIDER, TUTOR, 2), ("inside", TUTOR, OUTSIDER, 4)],
)
def test_a_hundred_megabytes_arrive_whole_in_bounded_memory_while_others_are_served(
    running: House, hop: Hop, content: bytes, door: str, sender: str, recipient: str, copies: int
) -> None:
    assert len(content) >= MESSAGE_BYTES
    wire = content.replace(b"\r\n.", b"\r\n..")
    with Talk(running.ports[door]) as talk, Talk(running.ports["outside"]) as other:
        talk.envelope(sender, recipient)
        assert talk.say(b"DATA").startswith(b"354")
        half = len(wire) // 2
        talk.send(wire[:half])
        assert other.deliver(OUTSIDER, [TUTOR], b"Subject: small\r\n\r\nbetween\r\n").startswith(b"250 ")
        talk.send(wire[half:] + b".\r\n")
        assert talk.read().startswith(b"250 2.0.0 recorded mail-gateway/")
    opened = running.last(Stream.MAIL_GATEWAY)
    assert opened.content == content
    sent = content if opened.sent is None else opened.sent
    assert (opened.sent is not None) is (door == "inside")
    assert (PARTICULARS.company_number.encode() in sent) is (door == "inside")
    assert hop.messages[-1] == sent.replace(b"\r\n.", b"\r\n..")
    assert highest_bytes(running, "gateway") < _GATEWAY_BYTES + copies * MESSAGE_BYTES * 1.1
    assert highest_bytes(running, "recorder") < 160 << 20
    assert running.status()["memory_bytes"] == 0


def test_a_message_above_the_limit_is_read_to_its_end_and_refused(running: House, hop: Hop) -> None:
    limit = 157_286_400
    block = b"x" * 998 + b"\r\n"
    with Talk(running.ports["outside"]) as talk:
        assert talk.say(b"MAIL FROM:<> SIZE=%d" % (limit + 1)).startswith(b"552 5.3.4 ")
        talk.envelope(OUTSIDER, TUTOR)
        talk.say(b"DATA")
        for _ in range(limit // (1000 * len(block)) + 1):
            talk.send(block * 1000)
        talk.send(b".\r\n")
        assert talk.read().startswith(b"552 5.3.4 ")
        assert talk.deliver(OUTSIDER, [TUTOR], b"Subject: small\r\n\r\nafter\r\n").startswith(b"250 ")
    assert len(hop.messages) == 1
    refused = running.last(Stream.MAIL_REFUSED)
    assert refused.content == b""
    assert running.counter("refused_too_large") == 1
    assert highest_bytes(running, "gateway") < _GATEWAY_BYTES + 2 * limit
