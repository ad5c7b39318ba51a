"""Whatever comes, in whatever pieces: no exception, and the same events."""

from __future__ import annotations

import random

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from muniment.guard.mail.smtp_client import END_OF_CONTENT, stuffed
from muniment.guard.mail.smtp_command import Mail, Recipient
from muniment.guard.mail.smtp_content import has_bare_newline, has_hidden_end
from muniment.guard.mail.smtp_event import Auth, DataBegin, Event, Fault, Hello, Message, StartTls
from muniment.guard.mail.smtp_reply import Reply
from muniment.guard.mail.smtp_server import AUTH_LINE_LIMIT, COMMAND_LINE_LIMIT

from .dialogue import ENVELOPE, Dialogue, after_data, cut

COMMANDS = st.sampled_from(
    [
        b"EHLO client.example\r\n",
        b"HELO client.example\r\n",
        b"MAIL FROM:<a@b> SIZE=10\r\n",
        b"MAIL FROM:<a@b>\n",
        b"RCPT TO:<c@d>\r\n",
        b"RCPT TO:<c\rd>\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"VRFY x\r\n",
        b"AUTH LOGIN\r\n",
        b"QUIT\r\n",
        b"x" * 5000,
        b"\r\n",
        b"\n",
        b"\r",
        b".\r\n",
    ]
)
# DATA and STARTTLS end a group of pipelined commands: what follows in the same breath depends on the breath.
JUNK = st.binary(max_size=40).filter(
    lambda data: b"DATA" not in data.upper() and b"STARTTLS" not in data.upper()
)
TALK = st.lists(st.one_of(COMMANDS, JUNK), max_size=30).map(b"".join)
PLACES = st.lists(st.integers(min_value=0), max_size=12)
CONTENT = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"a", b"\r\n.\r", b"\r\n..", b"\x00", b"word"]), max_size=40
).map(b"".join)


@given(talk=TALK, places=PLACES)
def test_commands_cause_the_same_events_however_they_are_cut(talk: bytes, places: list[int]) -> None:
    whole, pieces, bytewise = Dialogue(), Dialogue(), Dialogue()
    whole.say(talk)
    pieces.say(*cut(talk, places))
    bytewise.say(*(talk[at : at + 1] for at in range(len(talk))))
    assert whole.events == pieces.events == bytewise.events
    assert whole.output == pieces.output == bytewise.output


@given(content=CONTENT, places=PLACES, limit=st.integers(min_value=1, max_value=60))
def test_content_is_the_same_message_however_it_is_cut(content: bytes, places: list[int], limit: int) -> None:
    talk = content + b"\r\n.\r\n"
    found = []
    for pieces in ([talk], cut(talk, places), [talk[at : at + 1] for at in range(len(talk))]):
        dialogue = Dialogue(max_message_bytes=limit)
        dialogue.say(ENVELOPE, b"DATA\r\n", *pieces)
        found.append(dialogue.messages[:1])
    assert found[0] == found[1] == found[2]
    assert found[0]


@given(st.binary(max_size=400), PLACES)
def test_arbitrary_bytes_raise_nothing(data: bytes, places: list[int]) -> None:
    Dialogue().say(*cut(data, places))
    dialogue = Dialogue()
    dialogue.say(ENVELOPE, b"DATA\r\n", *cut(data, places), b"\r\n.\r\n")
    assert dialogue.messages


@given(content=CONTENT.filter(lambda content: not has_bare_newline(content)))
@example(content=b"\x00.")
def test_what_a_client_stuffs_is_what_the_server_takes(content: bytes) -> None:
    wire = b"".join(stuffed(content)) + END_OF_CONTENT
    ends = content == b"" or content.endswith(b"\r\n")
    message = after_data(wire)
    whole = content if ends else content + b"\r\n"
    assert message == Message(whole, len(wire) - 3, Fault.HIDDEN_END if has_hidden_end(whole) else None)


@given(content=CONTENT.filter(has_bare_newline))
def test_a_bare_newline_anywhere_is_a_fault(content: bytes) -> None:
    dialogue = Dialogue()
    dialogue.say(ENVELOPE, b"DATA\r\n", b"x" + content + b"x\r\n.\r\n")
    first = dialogue.messages[0]
    assert first.fault is Fault.BARE_NEWLINE or b"\r\n.\r\n" in content


TRANSACTION = st.tuples(
    st.sampled_from(
        [b"", b"NOOP\r\n", b"RSET\r\n", b"EHLO x\r\n", b"what?\r\n", b"VRFY x\r\n", b"bad\nline\r\n"]
    ),
    st.sampled_from([b"RCPT TO:<c@d>\r\n", b"RCPT TO:<c@d>\r\nRCPT TO:<bad\r\nRCPT TO:<e@f>\r\n"]),
    CONTENT.filter(lambda content: b"\r\n.\r\n" not in b"\r\n" + content + b"\r"),
)


@given(st.lists(TRANSACTION, min_size=1, max_size=5), PLACES)
def test_a_pipeline_of_whole_transactions_gives_the_same_messages_however_it_is_cut(
    transactions: list[tuple[bytes, bytes, bytes]], places: list[int]
) -> None:
    talk = b"EHLO x\r\n" + b"".join(
        before + b"MAIL FROM:<a@b>\r\n" + recipients + b"DATA\r\n" + content + b"\r\n.\r\n"
        for before, recipients, content in transactions
    )
    whole, pieces, bytewise = Dialogue(), Dialogue(), Dialogue()
    bytewise.say(*(talk[at : at + 1] for at in range(len(talk))))
    assume(sum(isinstance(event, DataBegin) for event in bytewise.events) == len(transactions))
    whole.say(talk)
    pieces.say(*cut(talk, places))
    assert len(bytewise.messages) == len(transactions)
    assert whole.events == pieces.events == bytewise.events
    assert whole.output == pieces.output == bytewise.output


ANYTHING = st.lists(
    st.one_of(
        COMMANDS,
        CONTENT,
        st.binary(max_size=60),
        st.sampled_from(
            [b"DATA\r\n", b"STARTTLS\r\n", b"AUTH PLAIN\r\n", b"*\r\n", b"\r\n.\r\n", b"y" * 20_000]
        ),
    ),
    max_size=40,
).map(b"".join)
LIMIT_BYTES = 3_000


class Moody:
    """Answers every event with any reply that exists."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def __call__(self, event: Event) -> Reply | None:
        if isinstance(event, Mail | Recipient | DataBegin | Message | Auth):
            return Reply.of(self._chance.choice([250, 235, 334, 354, 421, 451, 550]), "5.0.0 whatever")
        return None


@settings(max_examples=300)
@given(talk=ANYTHING, places=PLACES, seed=st.integers(min_value=0, max_value=1 << 32))
def test_whatever_is_said_and_answered_nothing_is_raised_and_little_is_held(
    talk: bytes, places: list[int], seed: int
) -> None:
    dialogue = Dialogue(Moody(seed), max_message_bytes=LIMIT_BYTES)
    for piece in cut(ENVELOPE + talk, places):
        dialogue.say(piece)
        held = dialogue.server.held_bytes
        if dialogue.server.is_closed:
            assert held == 0
        assert held <= max(COMMAND_LINE_LIMIT, AUTH_LINE_LIMIT, LIMIT_BYTES + 5)
    replies = sum(not isinstance(event, StartTls | Hello) for event in dialogue.events)
    assert len(dialogue.output) <= 600 * (replies + len(talk) // 2 + 30)
    assert all(len(message.content) <= LIMIT_BYTES for message in dialogue.messages)
