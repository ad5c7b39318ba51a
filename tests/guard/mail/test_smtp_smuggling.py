"""No ending but CRLF.CRLF ends a message, however its bytes are cut; what two servers could read apart is refused."""

from __future__ import annotations

import pytest

from muniment.guard.mail.smtp_content import unstuff
from muniment.guard.mail.smtp_event import DataBegin, Fault, Message

from .dialogue import ENVELOPE, Dialogue
from .smuggling import BARE, HIDDEN, LEGAL, REFUSED, smuggling

TALK_END = b"\r\n.\r\nQUIT\r\n"


def pieces(talk: bytes) -> list[list[bytes]]:
    """Return `talk` whole, cut in two at every byte, and byte by byte."""
    halves = [[talk[:at], talk[at:]] for at in range(1, len(talk))]
    return [[talk], *halves, [talk[at : at + 1] for at in range(len(talk))]]


@pytest.mark.parametrize("ending", REFUSED + LEGAL, ids=repr)
def test_one_message_stays_one_wherever_the_wire_is_cut(ending: bytes) -> None:
    content = smuggling(ending)
    talk = ENVELOPE + b"DATA\r\n" + content + TALK_END
    fault = Fault.BARE_NEWLINE if ending in BARE else Fault.HIDDEN_END if ending in HIDDEN else None
    expected = [Message(unstuff(content + b"\r\n"), len(content) + 2, fault)]
    for cut in pieces(talk):
        dialogue = Dialogue()
        dialogue.say(*cut)
        assert dialogue.messages == expected
        assert sum(isinstance(event, DataBegin) for event in dialogue.events) == 1
        assert dialogue.codes == [250, 250, 250, 354, 250, 221]


@pytest.mark.parametrize("ending", REFUSED + LEGAL, ids=repr)
def test_an_ending_at_the_very_start_of_a_message_is_judged_like_any_other(ending: bytes) -> None:
    content = ending.removeprefix(b"\r\n") + b"text"
    dialogue = Dialogue()
    dialogue.say(ENVELOPE + b"DATA\r\n" + content + TALK_END)
    (message,) = dialogue.messages
    assert message.content == unstuff(content + b"\r\n")
    assert (message.fault is None) is (ending in LEGAL)


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\n\r", b"\r\r\n"])
def test_commands_with_other_line_ends_are_no_commands(newline: bytes) -> None:
    dialogue = Dialogue()
    dialogue.say(ENVELOPE.replace(b"\r\n", newline) + b"\r\nQUIT\r\n")
    assert dialogue.codes[-1] == 221
    assert set(dialogue.codes[:-1]) == {500}
    assert len(dialogue.events) == 1
