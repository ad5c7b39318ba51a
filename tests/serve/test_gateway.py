"""Mail through the gateway's doors with the real recorder and the sink: recorded, stamped, passed on, proved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from muniment.record.entry import Capture, Direction, Stream
from tests.organisation import PARTICULARS

from .house import House, envelope_map, facts, house
from .talk import Talk, stuffed, until

TUTOR, OUTSIDER, COLLEAGUE = "tomas@training.example", "someone@outside.example", "olive@training.example"


def letter(subject: str, text: str = "Good morning.") -> bytes:
    return (
        f"From: <{TUTOR}>\r\nTo: <{OUTSIDER}>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("gateway")) as found:
        yield found


def arrived(running: House, subject: str) -> bytes:
    """Return the one message with this subject that the sink has."""
    found = [message for message in running.received() if message["subject"] == subject]
    assert len(found) == 1, found
    return running.raw(found[0]["id"])


def test_outbound_mail_leaves_with_the_particulars_and_is_recorded_as_written_and_as_sent(
    running: House,
) -> None:
    with Talk(running.ports["inside"]) as talk:
        reply = talk.deliver(TUTOR, [OUTSIDER], letter("to the world"))
    assert reply.startswith(b"250 2.0.0 recorded mail-gateway/")
    assert b"EXAMPLE kept as outside/" in reply
    sent = arrived(running, "to the world")
    assert PARTICULARS.company_number.encode() in sent
    opened = running.last(Stream.MAIL_GATEWAY)
    assert opened.content == letter("to the world")
    assert opened.sent == sent
    assert opened.told.direction == Direction.OUTBOUND
    assert opened.row.capture == Capture.WIRE
    assert facts(opened)["rule"] == "mail.footer"
    assert facts(opened)["outcome"] == "alter"
    table = envelope_map(opened)
    assert (table["mail_from"], table["rcpt_to"], table["door"]) == (TUTOR, [OUTSIDER], "inside")
    assert table["headers"]["subject"] == b"to the world"
    assert table["helo"] == "client.example"


@pytest.mark.parametrize(
    ("door", "sender", "recipient", "direction"),
    [
        ("inside", TUTOR, COLLEAGUE, Direction.INTERNAL),
        ("inside", TUTOR, "OLIVE@Training.EXAMPLE", Direction.INTERNAL),
        ("outside", OUTSIDER, TUTOR, Direction.INBOUND),
        ("outside", "", TUTOR, Direction.INBOUND),
    ],
)
def test_mail_that_does_not_leave_passes_unaltered(
    running: House, door: str, sender: str, recipient: str, direction: Direction
) -> None:
    subject = f"{door} {sender or 'nobody'} {recipient}"
    with Talk(running.ports[door]) as talk:
        assert talk.deliver(sender, [recipient], letter(subject)).startswith(b"250 ")
    assert arrived(running, subject) == letter(subject)
    opened = running.last(Stream.MAIL_GATEWAY)
    assert (opened.content, opened.sent) == (letter(subject), None)
    assert opened.told.direction == direction
    assert facts(opened)["rule"] == "mail.pass"


def test_a_message_to_both_a_colleague_and_the_world_is_outbound(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        assert talk.deliver(TUTOR, [COLLEAGUE, OUTSIDER], letter("mixed")).startswith(b"250 ")
    assert PARTICULARS.company_number.encode() in arrived(running, "mixed")
    assert running.last(Stream.MAIL_GATEWAY).told.direction == Direction.OUTBOUND


def test_the_outside_door_refuses_to_relay(running: House) -> None:
    before = running.counter("relay_refused")
    with Talk(running.ports["outside"]) as talk:
        replies = talk.envelope(OUTSIDER, "third@party.example", TUTOR)
        assert [reply[:3] for reply in replies] == [b"250", b"550", b"250"]
        assert replies[1].startswith(b"550 5.7.1 ")
        assert talk.content(stuffed(letter("half relayed"))).startswith(b"250 ")
    assert running.counter("relay_refused") == before + 1
    table = envelope_map(running.last(Stream.MAIL_GATEWAY))
    assert table["rcpt_to"] == [TUTOR]
    assert table["refused"][0][0] == "third@party.example"


def test_one_of_three_recipients_refused_is_passed_back_for_that_one(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        replies = talk.envelope(TUTOR, OUTSIDER, "refused@outside.example", "third@outside.example")
        assert replies[2] == b"550 5.1.1 EXAMPLE no such person here\r\n"
        assert [reply[:3] for reply in replies] == [b"250", b"250", b"550", b"250"]
        assert talk.content(stuffed(letter("two of three"))).startswith(b"250 ")
    table = envelope_map(running.last(Stream.MAIL_GATEWAY))
    assert table["rcpt_to"] == [OUTSIDER, "third@outside.example"]
    assert table["refused"] == [["refused@outside.example", "5.1.1 EXAMPLE no such person here"]]


def test_pipelined_recipients_are_answered_in_order(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        talk.send(
            f"MAIL FROM:<{TUTOR}>\r\nRCPT TO:<{OUTSIDER}>\r\nRCPT TO:<refused@outside.example>\r\n"
            "RCPT TO:<later@outside.example>\r\nRCPT TO:<bad\r\nRCPT TO:<x@outside.example>\r\nDATA\r\n".encode()
        )
        assert [talk.read()[:3] for _ in range(7)] == [b"250", b"250", b"550", b"451", b"501", b"250", b"354"]
        talk.send(stuffed(letter("pipelined")))
        assert talk.read().startswith(b"250 ")
    assert arrived(running, "pipelined")


def test_a_transaction_of_refused_recipients_only_is_recorded_as_refused(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        talk.envelope(TUTOR, "refused@outside.example")
        assert talk.say(b"DATA").startswith(b"554 5.5.1")
        assert talk.say(b"RSET").startswith(b"250")
    opened = until(lambda: next(iter(running.entries(Stream.MAIL_REFUSED)[-1:]), None))
    assert facts(opened)["rule"] == "mail.envelope"
    assert envelope_map(opened)["refused"] == [
        ["refused@outside.example", "5.1.1 EXAMPLE no such person here"]
    ]
    assert opened.content == b""


def test_what_the_hop_refuses_at_the_end_passes_back_and_is_recorded(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        reply = talk.deliver(TUTOR, ["rejected@outside.example"], letter("unwanted"))
        assert reply == b"554 5.7.1 EXAMPLE the message is not wanted\r\n"
        outcome = running.last(Stream.MAIL_OUTCOME)
        assert facts(outcome)["outcome"] == "refused"
        assert facts(outcome)["code"] == 554
        message = running.last(Stream.MAIL_GATEWAY)
        assert message.content == letter("unwanted")
        assert outcome.told.about == message.row.idx
        assert talk.deliver(TUTOR, [OUTSIDER], letter("wanted")).startswith(b"250 ")


def test_an_accepted_message_has_its_outcome_recorded(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        assert talk.deliver(TUTOR, [OUTSIDER], letter("taken")).startswith(b"250 ")
    index = running.last(Stream.MAIL_GATEWAY).row.idx

    def outcome() -> dict[str, object] | None:
        last = running.last(Stream.MAIL_OUTCOME)
        return facts(last) if last.told.about == index else None

    assert until(outcome)["outcome"] == "accepted"


def test_a_signed_message_for_outside_is_refused_in_plain_words_and_kept(running: House) -> None:
    signed = (
        b"From: <tomas@training.example>\r\nSubject: signed\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n"
        b"-----BEGIN PGP SIGNATURE-----\r\n--b--\r\n"
    )
    with Talk(running.ports["inside"]) as talk:
        reply = talk.deliver(TUTOR, [OUTSIDER], signed)
        assert reply.startswith(b"550 5.7.1 ")
        assert b"R-2.2-b" in reply
        assert b"recorded mail-refused/" in reply
        assert talk.deliver(TUTOR, [OUTSIDER], letter("after the refusal")).startswith(b"250 ")
    opened = running.last(Stream.MAIL_REFUSED)
    assert opened.content == signed
    assert facts(opened)["rule"] == "mail.footer"
    assert arrived(running, "after the refusal")
    assert not [message for message in running.received() if message["subject"] == "signed"]


def test_the_journal_records_and_answers_without_a_next_hop(running: House) -> None:
    with Talk(running.ports["journal"]) as talk:
        reply = talk.deliver("", ["journal@training.example"], letter("journalled"))
    assert reply.startswith(b"250 2.0.0 recorded mail-journal/")
    opened = running.last(Stream.MAIL_JOURNAL)
    assert opened.content == letter("journalled")
    assert opened.row.capture == Capture.JOURNAL
    assert not [message for message in running.received() if message["subject"] == "journalled"]


@pytest.mark.parametrize(
    "content", [b"", b"\r\n", b"no header, just text\r\n", b"\r\nbody only\r\n", b".\r\n..\r\n.x\r\n"]
)
def test_odd_messages_arrive_byte_for_byte(running: House, content: bytes) -> None:
    with Talk(running.ports["outside"]) as talk:
        assert talk.deliver(OUTSIDER, [TUTOR], content).startswith(b"250 ")
    assert running.raw(running.received()[-1]["id"]) == content
    assert running.last(Stream.MAIL_GATEWAY).content == content


def test_an_empty_message_for_outside_is_recorded_whatever_becomes_of_it(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        reply = talk.deliver(TUTOR, [OUTSIDER], b"")
    assert reply[:3] in (b"250", b"550")
    assert b"recorded mail-" in reply


def test_a_thousand_recipients_go_through(running: House) -> None:
    recipients = [f"p{number}@outside.example" for number in range(1000)]
    with Talk(running.ports["inside"]) as talk:
        assert {reply[:3] for reply in talk.envelope(TUTOR, *recipients)} == {b"250"}
        assert talk.content(stuffed(letter("a thousand"))).startswith(b"250 ")
    assert running.received()[-1]["rcpt_to"] == recipients
    assert envelope_map(running.last(Stream.MAIL_GATEWAY))["rcpt_to"] == recipients


def test_addresses_beyond_ascii_pass_when_the_hop_takes_them(running: House) -> None:
    with Talk(running.ports["outside"]) as talk:
        assert b"SMTPUTF8" in talk.offers
        assert talk.say("MAIL FROM:<jürgen@bücher.example> SMTPUTF8".encode()).startswith(b"250")
        assert talk.say("RCPT TO:<tomás@training.example>".encode()).startswith(b"250")
        assert talk.content(stuffed(letter("beyond ascii"))).startswith(b"250")
    assert envelope_map(running.last(Stream.MAIL_GATEWAY))["mail_from"] == "jürgen@bücher.example"


def test_the_gateway_offers_no_more_than_its_hop(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        assert talk.greeting.startswith(b"220 mail.training.example ESMTP Muniment EXAMPLE")
        offered = {line[4:].split(b" ")[0].strip() for line in talk.offers.split(b"\r\n")[1:-1]}
    assert offered == {b"PIPELINING", b"SIZE", b"ENHANCEDSTATUSCODES", b"8BITMIME", b"SMTPUTF8"}


def test_a_bare_newline_is_refused_counted_and_kept(running: House) -> None:
    before = running.counter("refused_bare_newline")
    content = letter("smuggled") + b"x\n.\r\nMAIL FROM:<evil@outside.example>\r\n"
    with Talk(running.ports["outside"]) as talk:
        talk.envelope(OUTSIDER, TUTOR)
        reply = talk.content(content + b".\r\n")
        assert reply.startswith(b"554 5.6.11 ")
        assert b"recorded mail-refused/" in reply
        assert talk.deliver(OUTSIDER, [TUTOR], letter("after the bare newline")).startswith(b"250 ")
    assert running.counter("refused_bare_newline") == before + 1
    opened = running.last(Stream.MAIL_REFUSED)
    assert opened.content == content
    assert facts(opened)["rule"] == "mail.edge"
    assert not [message for message in running.received() if message["subject"] == "smuggled"]
    assert arrived(running, "after the bare newline") == letter("after the bare newline")


def test_stopping_the_gateway_says_goodbye_to_idle_clients(tmp_path_factory: pytest.TempPathFactory) -> None:
    with house(tmp_path_factory.mktemp("stopping")) as found, Talk(found.ports["journal"]) as talk:
        assert found.processes["gateway"].stop() == 0
        assert talk.read().startswith(b"421 4.3.2 ")
        del found.processes["gateway"]
