"""The server's side of SMTP: what is taken, what is refused, and in which words."""

from __future__ import annotations

import pytest

from muniment.guard.mail import smtp_reply as replies
from muniment.guard.mail.smtp_command import Mail, Recipient
from muniment.guard.mail.smtp_event import Auth, DataBegin, Fault, Goodbye, Hello, Message, Reset, StartTls
from muniment.guard.mail.smtp_reply import Reply

from .dialogue import ENVELOPE, Dialogue, accept, after_data

HELLO = b"EHLO client.example\r\n"


def test_a_message_goes_from_hello_to_quit() -> None:
    dialogue = Dialogue()
    dialogue.say(ENVELOPE, b"DATA\r\n", b"Subject: x\r\n\r\nHello\r\n.\r\n", b"QUIT\r\n")
    assert dialogue.events == [
        Hello("client.example", True),
        Mail("a@training.example"),
        Recipient("b@outside.example"),
        DataBegin(),
        Message(b"Subject: x\r\n\r\nHello\r\n", 21),
        Goodbye(),
    ]
    assert dialogue.codes == [250, 250, 250, 354, 250, 221]
    assert dialogue.server.is_closed


def test_hello_lists_what_is_offered_and_helo_does_not() -> None:
    dialogue = Dialogue()
    dialogue.say(HELLO)
    assert b"250-PIPELINING\r\n" in dialogue.output
    assert dialogue.output.endswith(b"250 AUTH PLAIN LOGIN\r\n")
    plain = Dialogue()
    plain.say(b"HELO client.example\r\n")
    assert plain.output == b"250 mail.training.example\r\n"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"EHLO", 501),
        (b"HELO  ", 501),
        (b"MAIL FROM:<a@training.example>", 503),
        (b"RCPT TO:<b@outside.example>", 503),
        (b"DATA", 503),
        (b"EXPN list", 500),
        (b"BDAT 10 LAST", 500),
        (b"VRFY", 501),
        (b"VRFY someone", 252),
        (b"NOOP and more", 250),
        (b"RSET", 250),
        (b"RSET now", 501),
        (b"XCLIENT ADDR=192.0.2.1", 500),
        (b"STARTTLS", 502),
        (b"AUTH PLAIN AGEAYg==", 502),
        (b"", 500),
        (b"MAIL\tFROM:<a@training.example>", 500),
        (b"NOOP \x00", 500),
        (b"NOOP a\rb", 500),
        (b"EHLO x\xff", 250),
    ],
)
def test_a_command_before_hello_gets_its_code(line: bytes, code: int) -> None:
    dialogue = Dialogue()
    dialogue.say(line + b"\r\n")
    assert dialogue.codes == [code]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"MAIL FROM:<>", Mail("")),
        (b"mail from: <a@training.example>", Mail("a@training.example")),
        (b'MAIL FROM:<"a> b"@training.example>', Mail('"a> b"@training.example')),
        (b"MAIL FROM:<@relay.example,@other.example:a@training.example>", Mail("a@training.example")),
        (b"MAIL FROM:<a@b> SIZE=100 BODY=8BITMIME", Mail("a@b", 100, "8BITMIME")),
        (b"MAIL FROM:<a@b> size=0 body=7bit", Mail("a@b", 0, "7BIT")),
        (b"MAIL FROM:<a@b> AUTH=<>", Mail("a@b", auth="<>")),
        ("MAIL FROM:<jürgen@bücher.example> SMTPUTF8".encode(), Mail("jürgen@bücher.example", is_utf8=True)),
    ],
)
def test_a_sender_is_read(line: bytes, expected: Mail) -> None:
    assert Dialogue().say(HELLO + line + b"\r\n")[1:] == [expected]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:a@training.example", 501),
        (b"MAIL FROM:<a@training.example", 501),
        (b"MAIL <a@training.example>", 501),
        (b"MAIL FROM:<a b@training.example>", 501),
        (b"MAIL FROM:<a@b> SIZE=ten", 501),
        (b"MAIL FROM:<a@b> SIZE=1 SIZE=2", 501),
        (b"MAIL FROM:<a@b> SIZE=100001", 552),
        (b"MAIL FROM:<a@b> SIZE=999999999999999999999999", 501),
        (b"MAIL FROM:<a@b> BODY=BINARYMIME", 501),
        (b"MAIL FROM:<a@b> RET=FULL", 555),
        (b"MAIL FROM:<a@b> SMTPUTF8=1", 501),
        (b"MAIL FROM:<a@b> AUTH", 501),
        (b"MAIL FROM:<a@b> ===", 501),
        ("MAIL FROM:<jürgen@bücher.example>".encode(), 553),
        (b"MAIL FROM:<\xff@b>", 500),
    ],
)
def test_a_bad_sender_is_refused(line: bytes, code: int) -> None:
    dialogue = Dialogue()
    dialogue.say(HELLO + line + b"\r\n")
    assert dialogue.codes == [250, code]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"RCPT TO:<>", 501),
        (b"RCPT TO:b@outside.example", 501),
        (b"RCPT TO:<b@outside.example> NOTIFY=NEVER", 555),
        ("RCPT TO:<bücher@outside.example>".encode(), 553),
        (b"MAIL FROM:<second@training.example>", 503),
        (b"RCPT TO:<postmaster>", 250),
        (b'RCPT TO:<"b@c"@outside.example>', 250),
    ],
)
def test_inside_a_transaction_a_command_gets_its_code(line: bytes, code: int) -> None:
    dialogue = Dialogue()
    dialogue.say(ENVELOPE + line + b"\r\n")
    assert dialogue.codes[-1] == code


def test_an_extension_that_was_not_offered_is_refused() -> None:
    dialogue = Dialogue()
    dialogue.say(b"HELO client.example\r\nMAIL FROM:<a@b> SIZE=10\r\n")
    assert dialogue.codes == [250, 555]


@pytest.mark.parametrize("last", [b"RSET\r\n", b"EHLO again\r\n"])
def test_reset_and_hello_end_the_transaction(last: bytes) -> None:
    dialogue = Dialogue()
    assert dialogue.say(ENVELOPE + last)[-1] in (Reset(), Hello("again", True))
    dialogue.say(b"DATA\r\n")
    assert dialogue.codes[-1] == 503


def test_a_message_ends_the_transaction_whatever_the_answer() -> None:
    def refuse(event: object) -> Reply | None:
        return Reply.of(554, "5.7.1 no") if isinstance(event, Message) else accept(event)  # type: ignore[arg-type]

    dialogue = Dialogue(refuse)
    dialogue.say(ENVELOPE, b"DATA\r\n", b".\r\n", b"DATA\r\n")
    assert dialogue.codes[-2:] == [554, 503]


def test_a_refused_recipient_does_not_count_and_the_others_do() -> None:
    def refuse(event: object) -> Reply | None:
        if event == Recipient("b@outside.example"):
            return Reply.of(550, "5.1.1 nobody")
        return accept(event)  # type: ignore[arg-type]

    dialogue = Dialogue(refuse)
    dialogue.say(ENVELOPE, b"DATA\r\n")
    assert dialogue.codes[-2:] == [550, 554]
    dialogue.say(b"RCPT TO:<c@outside.example>\r\n", b"DATA\r\n")
    assert dialogue.codes[-2:] == [250, 354]


def test_the_refusal_of_the_sender_closes_the_way_for_recipients() -> None:
    def refuse(event: object) -> Reply | None:
        return Reply.of(550, "5.7.1 no") if isinstance(event, Mail) else accept(event)  # type: ignore[arg-type]

    dialogue = Dialogue(refuse)
    dialogue.say(ENVELOPE)
    assert dialogue.codes == [250, 550, 503]


def test_pipelined_recipients_come_without_waiting_and_are_answered_in_order() -> None:
    server = Dialogue().server
    server.feed(HELLO)
    server.next_event()
    server.greet(["PIPELINING"])
    server.feed(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n")
    assert [server.next_event() for _ in range(4)] == [Mail("a@b"), Recipient("c@d"), Recipient("e@f"), None]
    server.take_output()
    for reply in (replies.SENDER_OK, Reply.of(550, "5.1.1 no"), replies.RECIPIENT_OK):
        server.reply(reply)
    assert server.next_event() == DataBegin()
    assert server.take_output() == b"250 2.1.0 sender noted\r\n550 5.1.1 no\r\n250 2.1.5 recipient noted\r\n"


def test_a_bad_command_in_a_pipeline_is_answered_in_its_place() -> None:
    server = Dialogue().server
    server.feed(HELLO)
    server.next_event()
    server.greet(["PIPELINING"])
    server.take_output()
    server.feed(b"MAIL FROM:<a@b>\r\nRCPT TO:\r\nRCPT TO:<e@f>\r\n")
    assert [server.next_event(), server.next_event()] == [Mail("a@b"), None]
    server.reply(replies.SENDER_OK)
    assert server.next_event() == Recipient("e@f")
    server.reply(replies.RECIPIENT_OK)
    assert [line[:3] for line in server.take_output().split(b"\r\n")[:-1]] == [b"250", b"501", b"250"]


def test_content_sent_before_354_is_content_once_354_is_said() -> None:
    dialogue = Dialogue()
    dialogue.say(ENVELOPE + b"DATA\r\nRSET\r\n.\r\nNOOP\r\n")
    assert dialogue.messages == [Message(b"RSET\r\n", 6)]
    assert dialogue.codes == [250, 250, 250, 354, 250, 250]


def test_content_sent_before_a_refusal_of_data_never_becomes_commands() -> None:
    def refuse(event: object) -> Reply | None:
        return Reply.of(451, "4.3.0 no") if isinstance(event, DataBegin) else accept(event)  # type: ignore[arg-type]

    dialogue = Dialogue(refuse)
    dialogue.say(ENVELOPE + b"DATA\r\nMAIL FROM:<evil@outside.example>\r\n")
    assert dialogue.codes == [250, 250, 250, 451, 421]
    without_recipient = Dialogue()
    without_recipient.say(HELLO + b"DATA\r\nMAIL FROM:<evil@outside.example>\r\n")
    assert without_recipient.codes == [250, 503, 421]


def test_clear_text_after_starttls_is_thrown_away() -> None:
    server = Dialogue().server
    server.feed(HELLO)
    server.next_event()
    server.greet(["STARTTLS"])
    server.feed(b"STARTTLS\r\nMAIL FROM:<evil@outside.example>\r\n")
    assert server.next_event() == StartTls()
    server.feed(b"RCPT TO:<evil@outside.example>\r\n")
    server.tls_started()
    assert server.next_event() is None
    server.take_output()
    server.feed(b"MAIL FROM:<a@b>\r\n")
    assert server.next_event() is None
    assert server.take_output().startswith(b"503 ")  # EHLO must be said again
    assert server.is_tls


def test_authentication_passes_line_by_line() -> None:
    challenge = iter(
        [Reply.of(334, "VXNlcm5hbWU6"), Reply.of(334, "UGFzc3dvcmQ6"), Reply.of(235, "2.7.0 in")]
    )
    dialogue = Dialogue(lambda event: next(challenge) if isinstance(event, Auth) else accept(event))
    events = dialogue.say(HELLO, b"AUTH LOGIN\r\n", b"YQ==\r\n", b"Yg==\r\n", b"AUTH LOGIN\r\n")
    assert events[1:] == [Auth(b"AUTH LOGIN"), Auth(b"YQ=="), Auth(b"Yg==")]
    assert dialogue.codes == [250, 334, 334, 235, 503]
    assert dialogue.server.is_authenticated


def test_a_refused_authentication_leaves_the_session_as_it_was() -> None:
    dialogue = Dialogue(lambda event: Reply.of(535, "5.7.8 no") if isinstance(event, Auth) else accept(event))
    dialogue.say(HELLO, b"AUTH PLAIN AGEAYg==\r\n", b"MAIL FROM:<a@b>\r\n")
    assert dialogue.codes == [250, 535, 250]


@pytest.mark.parametrize("line", [b"a" * 13_000, b"YQ==\n", b"Y\x00Q\r\n"])
def test_a_broken_authentication_line_ends_the_session(line: bytes) -> None:
    dialogue = Dialogue(lambda event: Reply.of(334, "go") if isinstance(event, Auth) else accept(event))
    dialogue.say(HELLO, b"AUTH LOGIN\r\n", line)
    assert dialogue.codes[-1] == 421


def test_a_line_above_the_limit_is_refused_once_and_reading_goes_on() -> None:
    dialogue = Dialogue()
    dialogue.say(b"NOOP " + b"x" * 9_000, b"x" * 9_000 + b"\r\nNOOP\r\n")
    assert dialogue.codes == [500, 250]


def test_a_line_of_exactly_the_limit_is_taken() -> None:
    dialogue = Dialogue()
    dialogue.say(b"NOOP " + b"x" * (4096 - 7) + b"\r\n")
    dialogue.say(b"NOOP " + b"x" * (4096 - 6) + b"\r\n")
    assert dialogue.codes == [250, 500]


def test_a_bare_line_feed_refuses_the_whole_command_line() -> None:
    dialogue = Dialogue()
    dialogue.say(HELLO + b"MAIL FROM:<a@b>\nRCPT TO:<c@d>\r\nNOOP\r\n")
    assert dialogue.codes == [250, 500, 250]
    assert len(dialogue.events) == 1


def test_a_client_that_ends_every_line_with_a_bare_line_feed_hears_it_each_time() -> None:
    dialogue = Dialogue()
    dialogue.say(b"EHLO x\n", b"MAIL FROM:<a@b>\n", b"QUIT\n")
    assert dialogue.codes == [500, 500, 500]


def test_too_many_errors_end_the_session() -> None:
    dialogue = Dialogue()
    dialogue.say(b"WHAT\r\n" * 30)
    assert dialogue.codes == [500] * 20 + [421]
    assert dialogue.events == [Goodbye()]
    dialogue.say(HELLO)
    assert dialogue.codes == [500] * 20 + [421]


def test_a_421_passed_through_ends_the_session() -> None:
    dialogue = Dialogue(
        lambda event: Reply.of(421, "4.3.2 going") if isinstance(event, Mail) else accept(event)
    )
    dialogue.say(ENVELOPE)
    assert dialogue.codes == [250, 421]
    assert dialogue.server.is_closed


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n"),
        (b"a\r\n...b\r\n.\r\n", b"a\r\n..b\r\n"),
        (b"a\r\n.b\r\n.\r\n", b"a\r\nb\r\n"),
        (b"a.\r\nb\r\n.\r\n", b"a.\r\nb\r\n"),
        (b"a\x00\xff\r\n.\r\n", b"a\x00\xff\r\n"),
    ],
)
def test_content_loses_its_stuffing_and_nothing_else(wire: bytes, content: bytes) -> None:
    message = after_data(wire)
    assert (message.content, message.fault) == (content, None)
    assert message.wire_bytes == len(wire) - 3


def test_a_message_of_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    taken = after_data(b"x" * 98 + b"\r\n.\r\n", max_message_bytes=100)
    refused = after_data(b"x" * 99 + b"\r\n.\r\n", max_message_bytes=100)
    assert (taken.fault, len(taken.content)) == (None, 100)
    assert (refused.fault, refused.content, refused.wire_bytes) == (Fault.TOO_LARGE, b"", 101)


def test_an_overflow_is_read_to_its_end_in_little_memory() -> None:
    dialogue = Dialogue(max_message_bytes=100_000)
    dialogue.say(ENVELOPE, b"DATA\r\n")
    for _ in range(100):
        dialogue.say(b"x" * 65_536)
        assert dialogue.server.held_bytes <= 65_536 + 100_000
    dialogue.say(b"\r\n.\r\nNOOP\r\n")
    assert dialogue.messages == [Message(b"", 6_553_602, Fault.TOO_LARGE)]
    assert dialogue.codes[-2:] == [250, 250]


def test_an_overloaded_gateway_reads_to_the_end_and_keeps_nothing() -> None:
    dialogue = Dialogue()
    dialogue.say(ENVELOPE, b"DATA\r\n", b"Subject: x\r\n\r\n")
    assert dialogue.server.is_reading_message
    dialogue.server.overload()
    dialogue.say(b"text\r\n", b"more\r\n.\r\n")
    assert dialogue.messages == [Message(b"", 26, Fault.OVERLOADED)]


def test_a_thousand_recipients_are_taken() -> None:
    dialogue = Dialogue()
    dialogue.say(ENVELOPE + b"".join(b"RCPT TO:<p%d@outside.example>\r\n" % n for n in range(1000)))
    assert sum(isinstance(event, Recipient) for event in dialogue.events) == 1001
    assert set(dialogue.codes) == {250}


def test_the_session_can_be_ended_by_its_owner() -> None:
    dialogue = Dialogue()
    dialogue.server.start("EXAMPLE")
    dialogue.server.end(Reply.of(421, "4.3.2 stopping"))
    dialogue.say(HELLO)
    assert dialogue.codes == [220, 421]
    assert b"ESMTP Muniment EXAMPLE" in dialogue.output
