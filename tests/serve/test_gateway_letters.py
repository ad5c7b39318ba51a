"""Every message of the collections through the doors: unaltered at the hop and in the record, or refused and counted.

Only a bare CR or LF, or a line of NULs and one dot, keeps a message from passing where nothing is altered. R-5.1-a.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from muniment.guard.mail.smtp_content import has_bare_newline, has_hidden_end, unstuff
from muniment.record.entry import Stream
from tests.organisation import PARTICULARS

from .hop import Hop
from .house import House, facts, house
from .letters import COLLECTIONS, generated, letters, wire_form
from .ports import free_port
from .talk import Talk

TUTOR, OUTSIDER, COLLEAGUE = "tomas@training.example", "someone@outside.example", "olive@training.example"
pytestmark = pytest.mark.xdist_group("gateway-letters")


@pytest.fixture(scope="module")
def hop() -> Iterator[Hop]:
    with Hop(free_port()) as found:
        yield found


@pytest.fixture(scope="module")
def running(hop: Hop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    address = f"127.0.0.1:{hop.server_address[1]}"
    path = tmp_path_factory.mktemp("letters")
    with house(
        path, "recorder", "gateway", gateway__outbound_hop=address, gateway__inbound_hop=address
    ) as found:
        yield found


def send_all(port: int, sender: str, recipient: str, contents: list[bytes]) -> list[bytes]:
    """Send messages over one connection, each in one pipelined write; return the replies to their ends."""
    envelope = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()
    replies = []
    with Talk(port) as talk:
        for content in contents:
            talk.send(envelope + wire(content) + b".\r\n")
            assert [talk.read()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
            replies.append(talk.read())
    return replies


def wire(content: bytes) -> bytes:
    """Return content with leading dots doubled and a line end at its end."""
    stuffed = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
    return stuffed if not content or content.endswith(b"\r\n") else stuffed + b"\r\n"


def same(found: list[bytes], expected: list[bytes]) -> None:
    """Compare lists of messages without showing megabytes of them."""
    differing = [at for at, (one, other) in enumerate(zip(found, expected, strict=False)) if one != other][:3]
    assert (len(found), differing) == (len(expected), [])


def is_refused(content: bytes) -> bool:
    return has_bare_newline(content) or has_hidden_end(content)


@pytest.mark.parametrize(
    ("door", "sender", "recipient", "step"),
    [("outside", OUTSIDER, TUTOR, 1), ("inside", TUTOR, COLLEAGUE, 5)],
)
def test_every_message_passes_byte_for_byte_or_is_refused_for_its_line_ends(
    running: House, hop: Hop, door: str, sender: str, recipient: str, step: int
) -> None:
    contents = [*generated(), *letters()[len(generated()) :: step]]
    before, refused_before, at_hop = (
        running.count(Stream.MAIL_GATEWAY),
        running.count(Stream.MAIL_REFUSED),
        len(hop.messages),
    )
    counted = running.counter("refused_bare_newline") + running.counter("refused_hidden_end")
    replies = send_all(running.ports[door], sender, recipient, contents)
    arrived = [unstuff(wire(content)) for content in contents]
    taken = [content for content in arrived if not is_refused(content)]
    refused = [content for content in arrived if is_refused(content)]
    assert [reply[:3] for reply in replies] == [b"554" if is_refused(each) else b"250" for each in arrived]
    same([unstuff(message) for message in hop.messages[at_hop:]], taken)
    recorded = running.entries(Stream.MAIL_GATEWAY, before)
    same([each.content for each in recorded], taken)
    assert not any(each.sent for each in recorded)
    same([each.content for each in running.entries(Stream.MAIL_REFUSED, refused_before)], refused)
    now = running.counter("refused_bare_newline") + running.counter("refused_hidden_end")
    assert now == counted + len(refused)
    assert len(taken) > len(contents) // 2
    assert len(refused) >= 2


def test_every_message_leaves_with_the_particulars_or_is_refused_in_plain_words(
    running: House, hop: Hop
) -> None:
    contents = letters()
    before, at_hop = running.count(Stream.MAIL_GATEWAY), len(hop.messages)
    refused_before = running.count(Stream.MAIL_REFUSED)
    replies = send_all(running.ports["inside"], TUTOR, OUTSIDER, contents)
    arrived = [unstuff(wire(content)) for content in contents]
    passed = [content for content, reply in zip(arrived, replies, strict=True) if reply.startswith(b"250 ")]
    kept = [content for content, reply in zip(arrived, replies, strict=True) if not reply.startswith(b"250 ")]
    for content, reply in zip(arrived, replies, strict=True):
        if not reply.startswith(b"250 "):
            expected = b"554 5.6.11 " if is_refused(content) else b"550 5.7.1 "
            assert reply.startswith(expected)
            assert b"recorded mail-refused/" in reply
    recorded = running.entries(Stream.MAIL_GATEWAY, before)
    same([each.content for each in recorded], passed)
    same([each.content for each in running.entries(Stream.MAIL_REFUSED, refused_before)], kept)
    sent = [each.content if each.sent is None else each.sent for each in recorded]
    same([unstuff(message) for message in hop.messages[at_hop:]], sent)
    rules = Counter(f"{facts(each)['rule']} {facts(each)['outcome']}" for each in recorded)
    assert set(rules) == {"mail.footer alter", "mail.footer allow"}
    assert sum(each.sent is not None for each in recorded) == rules["mail.footer alter"] > len(contents) // 3
    number = PARTICULARS.company_number.encode()
    ours = {unstuff(wire(content)) for content in generated()}
    stamped = [each.sent for each in recorded if each.sent and each.content in ours]
    assert sum(number in sent for sent in stamped) > len(ours) // 4
    assert running.counter("failures") == 0
    print(len(contents), "sent;", dict(rules), len(kept), "refused")


def test_files_as_they_lie_on_a_unix_disk_are_refused(running: House, hop: Hop) -> None:
    stored = [content.replace(b"\r\n", b"\n") for content in letters()[::40]]
    stored = [content for content in stored if b"\n" in content]
    assert len(stored) >= 2
    before = len(hop.messages)
    envelope = f"MAIL FROM:<{OUTSIDER}>\r\nRCPT TO:<{TUTOR}>\r\nDATA\r\n".encode()
    with Talk(running.ports["outside"]) as talk:
        for content in stored:
            talk.send(envelope + content + b"\r\n.\r\n")
            assert [talk.read()[:3] for _ in range(4)] == [b"250", b"250", b"354", b"554"]
    assert len(hop.messages) == before


def test_the_stored_form_is_told_by_its_line_ends() -> None:
    assert wire_form(b"a\nb\n") == b"a\r\nb\r\n"
    assert wire_form(b"a\r\nb\n") == b"a\r\nb\n"
    assert not COLLECTIONS.is_dir() or len(letters()) > 3_000
