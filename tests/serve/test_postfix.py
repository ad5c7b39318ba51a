"""The gateway between the servers people really run: Postfix before it and Postfix behind it. R-5.1-a, R-2.2-b.

Postfix as next hop takes what the gateway sends on; Postfix as client keeps what the gateway does not take.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from muniment.guard.mail.smtp_content import unstuff
from muniment.record.entry import Kind, Stream
from tests.organisation import PARTICULARS

from .hop import Hop
from .house import House, envelope_map, facts, house
from .ports import free_port
from .postfix import Postfix, postfix
from .talk import Talk, stuffed, until

TUTOR, OUTSIDER, COLLEAGUE = "tomas@training.example", "someone@outside.example", "olive@training.example"
SIZE_LIMIT = 200_000
pytestmark = pytest.mark.xdist_group("postfix")
SIGNED = (
    b'MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="application/pgp-signature"; boundary="b"\r\n'
    b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n"
    b"-----BEGIN PGP SIGNATURE-----\r\n--b--\r\n"
)


def letter(subject: str, text: str = "Good morning.") -> bytes:
    return (
        f"From: <{TUTOR}>\r\nTo: <{OUTSIDER}>\r\nSubject: {subject}\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\n"
        f"Message-ID: <{subject}@training.example>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    ).encode()


def subjects(hop: Hop) -> list[str]:
    """Return the subject of every message a hop took, in alphabetical order."""
    found = [re.search(rb"^Subject: (.*)\r$", message, re.MULTILINE) for message in list(hop.messages)]
    return sorted(match[1].decode() for match in found if match)


def without_trace(message: bytes) -> bytes:
    """Return a message without the Received fields Postfix put before it."""
    while message.startswith(b"Received: "):
        end = re.search(rb"\r\n(?![ \t])", message)
        assert end is not None
        message = message[end.end() :]
    return message


@pytest.fixture(scope="module")
def world() -> Iterator[Hop]:
    with Hop(free_port()) as found:
        yield found


# Postfix behind the gateway


@pytest.fixture(scope="module")
def behind(world: Hop) -> Iterator[Postfix]:
    with postfix(
        free_port(),
        relayhost=f"[127.0.0.1]:{world.server_address[1]}",
        message_size_limit=str(SIZE_LIMIT),
        smtpd_recipient_restrictions=(
            "check_recipient_access inline:{{refused@outside.example = REJECT nobody here}}, permit_mynetworks, reject"
        ),
    ) as found:
        yield found


@pytest.fixture(scope="module")
def before_postfix(behind: Postfix, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    path = tmp_path_factory.mktemp("behind")
    with house(path, "recorder", "gateway", gateway__outbound_hop=f"127.0.0.1:{behind.port}") as found:
        yield found


def test_outbound_mail_reaches_the_world_through_postfix_as_it_left(
    before_postfix: House, world: Hop
) -> None:
    written = letter("through", "Grüße.\r\n.\r\n..two dots\r\nFrom here on.\r\n")
    with Talk(before_postfix.ports["inside"]) as talk:
        reply = talk.deliver(TUTOR, [OUTSIDER], written)
    assert re.match(rb"250 2\.0\.0 recorded mail-gateway/\d+; Ok: queued as ", reply)
    until(lambda: "through" in subjects(world))
    (arrived,) = [unstuff(message) for message in world.messages if b"Subject: through\r" in message]
    opened = before_postfix.last(Stream.MAIL_GATEWAY)
    assert opened.content == written
    assert without_trace(arrived) == opened.sent
    assert PARTICULARS.company_number.encode() in arrived


def test_a_recipient_postfix_refuses_is_refused_to_the_client_alone(
    before_postfix: House, world: Hop
) -> None:
    with Talk(before_postfix.ports["inside"]) as talk:
        replies = talk.envelope(TUTOR, OUTSIDER, "refused@outside.example", "third@outside.example")
        assert [reply[:9] for reply in replies] == [b"250 2.1.0", b"250 2.1.5", b"554 5.7.1", b"250 2.1.5"]
        assert talk.content(stuffed(letter("two of three"))).startswith(b"250 ")
    table = envelope_map(before_postfix.last(Stream.MAIL_GATEWAY))
    assert table["rcpt_to"] == [OUTSIDER, "third@outside.example"]
    assert [address for address, _ in table["refused"]] == ["refused@outside.example"]
    assert "nobody here" in table["refused"][0][1]
    until(lambda: "two of three" in subjects(world))


def test_postfix_s_size_limit_is_offered_and_its_refusal_passes_back(before_postfix: House) -> None:
    with Talk(before_postfix.ports["inside"]) as talk:
        assert b"SIZE %d\r\n" % SIZE_LIMIT in talk.offers
        assert talk.say(b"MAIL FROM:<%s> SIZE=%d" % (TUTOR.encode(), SIZE_LIMIT + 1)).startswith(
            b"552 5.3.4 "
        )
        large = letter("large", "x" * 900 + "\r\n" + ("y" * 900 + "\r\n") * 300)
        assert talk.deliver(TUTOR, [OUTSIDER], large).startswith(b"552 5.3.4 ")
        assert before_postfix.last(Stream.MAIL_GATEWAY).content == large
        assert facts(before_postfix.last(Stream.MAIL_OUTCOME))["outcome"] == "refused"
        assert talk.deliver(TUTOR, [OUTSIDER], letter("small")).startswith(b"250 ")


# Postfix before the gateway


@pytest.fixture(scope="module")
def after_postfix(world: Hop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    path, hop = tmp_path_factory.mktemp("before"), f"127.0.0.1:{world.server_address[1]}"
    with house(path, "recorder", "gateway", gateway__outbound_hop=hop) as found:
        yield found


@pytest.fixture(scope="module")
def client(after_postfix: House) -> Iterator[Postfix]:
    with postfix(free_port(), relayhost=f"[127.0.0.1]:{after_postfix.ports['inside']}") as found:
        yield found


def hand_in(client: Postfix, *contents: bytes, recipient: str = OUTSIDER) -> None:
    with Talk(client.port) as talk:
        for content in contents:
            assert talk.deliver(TUTOR, [recipient], content).startswith(b"250 ")


def reasons(client: Postfix) -> str:
    return " ".join(client.queued())


def test_what_postfix_relays_is_recorded_as_it_came_and_leaves_with_the_particulars(
    client: Postfix, after_postfix: House, world: Hop
) -> None:
    hand_in(client, *(letter(f"relayed {number}", "Grüße.\r\n.dot") for number in range(5)))
    until(lambda: sum(subject.startswith("relayed") for subject in subjects(world)) == 5)
    until(lambda: client.queued() == [])
    recorded = [each for each in after_postfix.entries(Stream.MAIL_GATEWAY) if b"relayed" in each.content]
    assert sorted(without_trace(each.content) for each in recorded) == [
        letter(f"relayed {number}", "Grüße.\r\n.dot") for number in range(5)
    ]
    arrived = sorted(unstuff(message) for message in world.messages if b"Subject: relayed" in message)
    assert arrived == sorted(each.sent or b"" for each in recorded)


def test_postfix_keeps_what_could_not_be_recorded_and_delivers_each_once_later(
    client: Postfix, after_postfix: House, world: Hop
) -> None:
    names = [f"deferred {number:02}" for number in range(20)]
    after_postfix.processes["recorder"].kill()
    hand_in(client, *(letter(name) for name in names))
    until(lambda: reasons(client).count("the record cannot take the message now") == len(names))
    assert not set(names) & set(subjects(world))
    after_postfix.start("recorder")
    client.flush()
    until(lambda: client.queued() == [])
    assert [name for name in subjects(world) if name in names] == names
    recorded = [
        opened
        for opened in after_postfix.entries(Stream.MAIL_GATEWAY)
        if b"Subject: deferred" in opened.content
    ]
    assert len(recorded) == len(names)
    assert {opened.row.kind for opened in recorded} == {Kind.RECORD}


def test_postfix_bounces_what_the_gateway_refuses_and_the_writer_reads_why(
    client: Postfix, after_postfix: House, world: Hop
) -> None:
    head = letter("signed").partition(b"MIME-Version")[0]
    hand_in(client, head + SIGNED)
    until(lambda: any(b"Undelivered Mail Returned to Sender" in message for message in list(world.messages)))
    (bounce,) = [message for message in world.messages if b"Undelivered Mail Returned to Sender" in message]
    assert re.search(rb"550\s+5\.7\.1", bounce)
    assert b"R-2.2-b" in bounce
    refused = after_postfix.last(Stream.MAIL_REFUSED)
    assert without_trace(refused.content) == head + SIGNED
    notice = after_postfix.last(Stream.MAIL_GATEWAY)
    assert envelope_map(notice)["mail_from"] == ""
    assert envelope_map(notice)["rcpt_to"] == [TUTOR]
    assert notice.content == unstuff(bounce)
    until(lambda: client.queued() == [])
