"""The gateway never hands on two messages for one; what two servers could read apart is refused, counted and kept.

The endings, and that the cuts of the wire do not matter, are in tests/guard/mail/test_smtp_smuggling.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from muniment.guard.mail.smtp_content import unstuff
from muniment.record.entry import Stream
from tests.guard.mail.smuggling import BARE, HIDDEN, LEGAL, smuggling

from .hop import Hop
from .house import House, facts, house
from .ports import free_port
from .talk import Talk

ENVELOPE = b"MAIL FROM:<a@outside.example>\r\nRCPT TO:<tomas@training.example>\r\nDATA\r\n"
pytestmark = pytest.mark.xdist_group("gateway-smuggling")


@pytest.fixture(scope="module")
def hop() -> Iterator[Hop]:
    with Hop(free_port()) as found:
        yield found


@pytest.fixture(scope="module")
def running(hop: Hop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    address = f"127.0.0.1:{hop.server_address[1]}"
    with house(
        tmp_path_factory.mktemp("smuggling"), "recorder", "gateway", gateway__inbound_hop=address
    ) as found:
        yield found


def converse(running: House, content: bytes, step: int) -> list[bytes]:
    """Send one pipelined conversation in writes of `step` bytes and return the replies."""
    talk_bytes = ENVELOPE + content + b"\r\n.\r\nQUIT\r\n"
    with Talk(running.ports["outside"]) as talk:
        for at in range(0, len(talk_bytes), step):
            talk.send(talk_bytes[at : at + step])
        replies = [talk.read() for _ in range(5)]
        replies.append(talk.read())
    assert replies[-1:] == [b""]
    return replies[:-1]


@pytest.mark.parametrize("step", [1, 7, 65_536])
@pytest.mark.parametrize(
    ("endings", "code", "counter"),
    [
        (BARE, b"554", "refused_bare_newline"),
        (HIDDEN, b"554", "refused_hidden_end"),
        (LEGAL, b"250", "accepted"),
    ],
    ids=["bare", "hidden", "legal"],
)
def test_one_message_is_one_at_the_hop_or_none(
    running: House, hop: Hop, endings: list[bytes], code: bytes, counter: str, step: int
) -> None:
    before, counted = len(hop.messages), running.counter(counter)
    stream = Stream.MAIL_GATEWAY if code == b"250" else Stream.MAIL_REFUSED
    recorded = len(running.entries(stream))
    for ending in endings:
        replies = converse(running, smuggling(ending), step)
        assert [reply[:3] for reply in replies] == [b"250", b"250", b"354", code, b"221"], ending
        assert b"recorded mail-" in replies[3]
    assert running.counter(counter) == counted + len(endings)
    contents = [unstuff(smuggling(ending) + b"\r\n") for ending in endings]
    new = running.entries(stream)[recorded:]
    assert [opened.content for opened in new] == contents
    if code == b"250":
        assert [unstuff(message) for message in hop.messages[before:]] == contents
    else:
        assert len(hop.messages) == before
        assert {facts(opened)["rule"] for opened in new} == {"mail.edge"}
    assert not [command for command in hop.commands if b"evil" in command]
