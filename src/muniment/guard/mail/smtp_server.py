"""The server's side of SMTP as a state machine: bytes in, events out, no socket and no clock.

The caller feeds bytes, pulls events with `next_event` and answers each event that waits with `reply` (`greet` for a
`Hello`), in order; what must be written is taken with `take_output`. Events carry only what passed the grammar and
the order of commands; everything else the machine answers itself.

1. A command is a line ended by CRLF, of at most 4096 bytes. A bare CR or LF refuses it; reading goes on after the
   next CRLF. Too many errors end the session with 421.
2. MAIL and RCPT may be pipelined: their events come without waiting for each other's replies. Every other command
   waits until all replies are given.
3. What follows STARTTLS in clear text is thrown away. What follows DATA is message content if DATA was answered
   354; if it was refused and the client did not wait to hear it, the session ends: content never becomes commands.
4. A message ends at CRLF.CRLF and nowhere else. One with a bare CR or LF, one above the limit and one for which there
   is no memory are read to their end and come as a `Message` with a fault.

Source: RFC 5321, 2920 (PIPELINING), 3207 (STARTTLS), 4954 (AUTH); R-5.1-a.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum

from muniment.guard.mail import smtp_reply as replies
from muniment.guard.mail.smtp_command import parse_mail, parse_recipient
from muniment.guard.mail.smtp_content import ContentReader
from muniment.guard.mail.smtp_event import Auth, DataBegin, Event, Goodbye, Hello, Reset, StartTls
from muniment.guard.mail.smtp_reply import Reply

COMMAND_LINE_LIMIT = 4096
AUTH_LINE_LIMIT = 12_288  # RFC 4954 section 4
ERROR_LIMIT = 20
PIPELINE_LIMIT = 100
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class _Mode(Enum):
    COMMAND = 1
    SKIP = 2  # to the next CRLF, after a line that cannot be a command
    DATA = 3
    AUTH = 4
    TLS = 5
    CLOSED = 6


class _Wait(Enum):
    HELLO = 1
    MAIL = 2
    RECIPIENT = 3
    DATA = 4
    MESSAGE = 5
    AUTH = 6


class SmtpServer:
    """One session. No method raises on any bytes; a reply nobody waits for is a programming error."""

    def __init__(self, hostname: str, max_message_bytes: int) -> None:
        self.hostname = hostname
        self.max_message_bytes = max_message_bytes
        self.is_tls = False
        self.is_authenticated = False
        self._input = bytearray()
        self._output: list[bytes] = []
        self._waiting: deque[_Wait] = deque()
        self._mode = _Mode.COMMAND
        self._offered: frozenset[str] = frozenset()
        self._errors = 0
        self._is_greeted = self._is_extended = False
        self._has_sender = self._is_utf8 = False
        self._accepted = 0
        self._content = ContentReader(max_message_bytes)
        self._verbs: dict[bytes, Callable[[bytes], Event | bool]] = {
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"EHLO": self._ehlo,
            b"HELO": self._helo,
            b"RSET": self._rset,
            b"NOOP": self._noop,
            b"VRFY": self._vrfy,
            b"QUIT": self._quit,
            b"STARTTLS": self._starttls,
            b"AUTH": self._auth,
        }

    # What the caller does

    def start(self, note: str = "") -> None:
        """Write the greeting."""
        self._say(Reply.of(220, f"{self.hostname} ESMTP Muniment{note and ' ' + note}"))

    def feed(self, data: bytes) -> None:
        """Take bytes from the client; those after STARTTLS or after the end are thrown away."""
        if self._mode not in (_Mode.TLS, _Mode.CLOSED):
            self._input += data

    def take_output(self) -> bytes:
        """Return what is to be written now."""
        output = self._output
        if not output:
            return b""
        self._output = []
        return output[0] if len(output) == 1 else b"".join(output)

    def next_event(self) -> Event | None:
        """Return the next event, or None while bytes or a reply are missing."""
        while True:
            step = self._step()
            if step is False:
                return None
            if step is not True:
                return step

    def reply(self, reply: Reply) -> None:
        """Answer the oldest event that waits."""
        kind = self._waiting.popleft()
        if self.is_closed:
            return
        self._say(reply)
        self._answered(kind, reply)
        if reply.code == 421:
            self._close()

    def greet(self, extensions: Iterable[str]) -> None:
        """Answer a `Hello`; `extensions` are offered to a client that said EHLO, in this order."""
        words = list(extensions) if self._is_extended else []
        self._offered = frozenset(word.split(" ", 1)[0].upper() for word in words)
        lines = [self.hostname, *words]
        raw = "".join(f"250{' ' if at == len(lines) - 1 else '-'}{line}\r\n" for at, line in enumerate(lines))
        self.reply(Reply(250, raw.encode()))

    def tls_started(self) -> None:
        """Begin again under TLS: the client must say EHLO, and nothing learnt in clear text counts."""
        self._input.clear()
        self._mode, self.is_tls, self.is_authenticated = _Mode.COMMAND, True, False
        self._is_greeted, self._offered = False, frozenset()

    def overload(self) -> None:
        """Keep no more of the message being read; it will come as a fault."""
        if self._mode is _Mode.DATA:
            self._content.overload()

    def end(self, reply: Reply) -> None:
        """Say `reply` and take nothing more."""
        self._say(reply)
        self._close()

    @property
    def is_closed(self) -> bool:
        """Whether the session is over."""
        return self._mode is _Mode.CLOSED

    @property
    def is_reading_message(self) -> bool:
        """Whether the bytes to come are message content."""
        return self._mode is _Mode.DATA and not self._waiting

    @property
    def held_bytes(self) -> int:
        """Bytes fed and not yet given out."""
        return len(self._input)

    # One step: an event, True when there is more to do, False when bytes or a reply are missing

    def _step(self) -> Event | bool:
        if self._mode is _Mode.COMMAND:
            return self._command()
        if self._mode is _Mode.DATA:
            return self._message()
        if self._mode is _Mode.SKIP:
            return self._skip()
        if self._mode is _Mode.AUTH:
            return False if self._waiting else self._auth_line()
        return False

    def _command(self) -> Event | bool:
        taken = self._input.find(b"\n", 0, COMMAND_LINE_LIMIT) + 1
        if self._waiting:
            return self._pipelined(taken)
        if taken == 0:
            if len(self._input) < COMMAND_LINE_LIMIT:
                return False
            self._mode = _Mode.SKIP
            return self._error(replies.LINE_TOO_LONG)
        line = bytes(self._input[:taken])
        del self._input[:taken]
        if line[-2:] != b"\r\n":
            self._mode = _Mode.SKIP
            return self._error(replies.BARE_NEWLINE_IN_COMMAND)
        line = line[:-2]
        if _CONTROL.search(line):
            return self._error(replies.BARE_NEWLINE_IN_COMMAND if b"\r" in line else replies.BAD_SYNTAX)
        verb, _, argument = line.partition(b" ")
        handle = self._verbs.get(verb.upper())
        return handle(argument) if handle else self._error(replies.BAD_SYNTAX)

    def _pipelined(self, taken: int) -> Event | bool:
        """Give out a RCPT that follows while MAIL or RCPT still wait; anything else stays in the buffer."""
        if (
            not taken
            or len(self._waiting) >= PIPELINE_LIMIT
            or self._waiting[-1] not in (_Wait.MAIL, _Wait.RECIPIENT)
        ):
            return False
        line = bytes(self._input[:taken])
        if line[:5].upper() != b"RCPT " or line[-2:] != b"\r\n" or _CONTROL.search(line[:-2]):
            return False
        found = parse_recipient(line[5:-2], self._is_utf8)
        if isinstance(found, Reply):
            return False
        del self._input[:taken]
        self._waiting.append(_Wait.RECIPIENT)
        return found

    def _skip(self) -> Event | bool:
        at = self._input.find(b"\n")
        if at < 0:
            del self._input[: len(self._input) - (self._input[-1:] == b"\r")]
            return False
        is_line_end = at > 0 and self._input[at - 1] == 0x0D
        del self._input[: at + 1]
        if not is_line_end:
            return self._error(replies.BARE_NEWLINE_IN_COMMAND)
        self._mode = _Mode.COMMAND
        return True

    def _message(self) -> Event | bool:
        if self._waiting:
            return False
        message = self._content.next_message(self._input)
        if message is None:
            return False
        self._mode = _Mode.COMMAND
        self._waiting.append(_Wait.MESSAGE)
        return message

    def _auth_line(self) -> Event | bool:
        taken = self._input.find(b"\n", 0, AUTH_LINE_LIMIT) + 1
        if taken == 0 and len(self._input) < AUTH_LINE_LIMIT:
            return False
        line = bytes(self._input[:taken])
        del self._input[:taken]
        if line[-2:] != b"\r\n" or _CONTROL.search(line[:-2]):
            self.end(replies.TOO_MANY_ERRORS)
            return Goodbye()
        self._waiting.append(_Wait.AUTH)
        return Auth(line[:-2])

    # The verbs

    def _mail(self, argument: bytes) -> Event | bool:
        if not self._is_greeted:
            return self._error(replies.HELLO_FIRST)
        if self._has_sender:
            return self._error(replies.BAD_SEQUENCE)
        found = parse_mail(argument, self._offered)
        if isinstance(found, Reply):
            return self._error(found)
        if found.size is not None and found.size > self.max_message_bytes:
            return self._error(replies.TOO_LARGE)
        self._is_utf8 = found.is_utf8
        self._waiting.append(_Wait.MAIL)
        return found

    def _rcpt(self, argument: bytes) -> Event | bool:
        if not self._has_sender:
            return self._error(replies.BAD_SEQUENCE)
        found = parse_recipient(argument, self._is_utf8)
        if isinstance(found, Reply):
            return self._error(found)
        self._waiting.append(_Wait.RECIPIENT)
        return found

    def _data(self, argument: bytes) -> Event | bool:
        if argument.strip():
            return self._refuse_data(replies.BAD_ARGUMENT)
        if not self._accepted:
            return self._refuse_data(replies.NO_RECIPIENTS if self._has_sender else replies.BAD_SEQUENCE)
        self._waiting.append(_Wait.DATA)
        return DataBegin()

    def _refuse_data(self, reply: Reply) -> Event | bool:
        step = self._error(reply)
        if self._input and not self.is_closed:
            self.end(replies.TOO_MANY_ERRORS)
            return Goodbye()
        return step

    def _ehlo(self, argument: bytes) -> Event | bool:
        return self._hello(argument, True)

    def _helo(self, argument: bytes) -> Event | bool:
        return self._hello(argument, False)

    def _hello(self, argument: bytes, is_extended: bool) -> Event | bool:
        name = argument.decode("utf-8", "replace").strip()
        if not name:
            return self._error(replies.BAD_ARGUMENT)
        self._clear_transaction()
        self._is_extended = is_extended
        self._waiting.append(_Wait.HELLO)
        return Hello(name, is_extended)

    def _rset(self, argument: bytes) -> Event | bool:
        if argument.strip():
            return self._error(replies.BAD_ARGUMENT)
        self._clear_transaction()
        self._say(replies.OK)
        return Reset()

    def _noop(self, _argument: bytes) -> bool:
        self._say(replies.OK)
        return True

    def _vrfy(self, argument: bytes) -> Event | bool:
        if not argument.strip():
            return self._error(replies.BAD_ARGUMENT)
        self._say(replies.CANNOT_VERIFY)
        return True

    def _quit(self, _argument: bytes) -> Goodbye:
        self.end(replies.GOODBYE)
        return Goodbye()

    def _starttls(self, argument: bytes) -> Event | bool:
        if "STARTTLS" not in self._offered:
            return self._error(replies.NOT_IMPLEMENTED)
        if argument.strip():
            return self._error(replies.BAD_ARGUMENT)
        self._clear_transaction()
        self._say(replies.READY_FOR_TLS)
        self._input.clear()
        self._mode = _Mode.TLS
        return StartTls()

    def _auth(self, argument: bytes) -> Event | bool:
        if "AUTH" not in self._offered:
            return self._error(replies.NOT_IMPLEMENTED)
        if self.is_authenticated or self._has_sender:
            return self._error(replies.BAD_SEQUENCE)
        if not argument.strip():
            return self._error(replies.BAD_ARGUMENT)
        self._waiting.append(_Wait.AUTH)
        return Auth(b"AUTH " + argument)

    # What a reply, an error and an end do

    def _answered(self, kind: _Wait, reply: Reply) -> None:
        if kind is _Wait.HELLO:
            self._is_greeted = self._is_greeted or reply.is_positive
        elif kind is _Wait.MAIL:
            self._has_sender = reply.is_positive
        elif kind is _Wait.RECIPIENT:
            self._accepted += self._has_sender and reply.is_positive
        elif kind is _Wait.DATA:
            self._data_answered(reply)
        elif kind is _Wait.MESSAGE:
            self._clear_transaction()
        else:
            self._mode = _Mode.AUTH if reply.code == 334 else _Mode.COMMAND
            self.is_authenticated = reply.code == 235

    def _data_answered(self, reply: Reply) -> None:
        if reply.code == 354:
            self._mode = _Mode.DATA
        elif self._input:
            self.end(replies.TOO_MANY_ERRORS)

    def _clear_transaction(self) -> None:
        self._has_sender = self._is_utf8 = False
        self._accepted = 0

    def _say(self, reply: Reply) -> None:
        self._output.append(reply.raw)

    def _error(self, reply: Reply) -> Event | bool:
        self._say(reply)
        self._errors += 1
        if self._errors < ERROR_LIMIT:
            return True
        self.end(replies.TOO_MANY_ERRORS)
        return Goodbye()

    def _close(self) -> None:
        self._mode = _Mode.CLOSED
        self._input.clear()
