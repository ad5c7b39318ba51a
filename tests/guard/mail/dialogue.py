"""A caller of the SMTP server machine that answers every event at once, as a test wants it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from muniment.guard.mail import smtp_reply as replies
from muniment.guard.mail.smtp_command import Mail, Recipient
from muniment.guard.mail.smtp_event import Auth, DataBegin, Event, Hello, Message, StartTls
from muniment.guard.mail.smtp_reply import Reply
from muniment.guard.mail.smtp_server import SmtpServer

OFFERS = ("PIPELINING", "SIZE 100000", "8BITMIME", "SMTPUTF8", "STARTTLS", "AUTH PLAIN LOGIN")
ENVELOPE = b"EHLO client.example\r\nMAIL FROM:<a@training.example>\r\nRCPT TO:<b@outside.example>\r\n"

Policy = Callable[[Event], Reply | None]


def accept(event: Event) -> Reply | None:
    """Answer everything with yes."""
    return {
        Mail: replies.SENDER_OK,
        Recipient: replies.RECIPIENT_OK,
        DataBegin: replies.GO_AHEAD,
        Message: replies.OK,
        Auth: Reply.of(235, "2.7.0 welcome"),
    }.get(type(event))


class Dialogue:
    """Feeds a machine and keeps its events and output."""

    def __init__(self, policy: Policy = accept, max_message_bytes: int = 100_000) -> None:
        self.server = SmtpServer("mail.training.example", max_message_bytes)
        self.events: list[Event] = []
        self.output = b""
        self._policy = policy

    def say(self, *pieces: bytes) -> list[Event]:
        """Feed pieces and return the events they caused."""
        before = len(self.events)
        for piece in pieces:
            self.server.feed(piece)
            while (event := self.server.next_event()) is not None:
                self.events.append(event)
                self._answer(event)
            self.output += self.server.take_output()
        return self.events[before:]

    def _answer(self, event: Event) -> None:
        if isinstance(event, Hello):
            self.server.greet(OFFERS)
        elif isinstance(event, StartTls):
            self.server.tls_started()
        elif (reply := self._policy(event)) is not None:
            self.server.reply(reply)

    @property
    def codes(self) -> list[int]:
        """The codes of all replies so far, one a reply."""
        lines = self.output.split(b"\r\n")[:-1]
        return [int(line[:3]) for line in lines if line[3:4] != b"-"]

    @property
    def messages(self) -> list[Message]:
        """The messages so far."""
        return [event for event in self.events if isinstance(event, Message)]


def after_data(content: bytes, **options: int) -> Message:
    """Return the message made of these bytes after DATA."""
    dialogue = Dialogue(**options)
    dialogue.say(ENVELOPE, b"DATA\r\n", content)
    (message,) = dialogue.messages
    return message


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Return `data` cut at these places."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]
