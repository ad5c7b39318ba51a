"""A reply of SMTP: three digits and lines of text, kept as the bytes that go over the wire.

Source: RFC 5321 section 4.2; enhanced status codes RFC 3463.
"""

from __future__ import annotations

import msgspec


class Reply(msgspec.Struct, frozen=True):
    """One reply. `raw` is every line with its CRLF, so that a next hop's words pass back unchanged."""

    code: int
    raw: bytes

    @classmethod
    def of(cls, code: int, text: str) -> Reply:
        """Return a reply of one line; `text` begins with the enhanced status code where there is one."""
        return cls(code, f"{code} {text}\r\n".encode())

    @property
    def is_positive(self) -> bool:
        """Whether the command was carried out (2xx)."""
        return 200 <= self.code < 300

    @property
    def lines(self) -> list[str]:
        """The text of each line without code and line end."""
        return [line[4:].decode("utf-8", "replace") for line in self.raw.split(b"\r\n")[:-1]]

    @property
    def text(self) -> str:
        """All lines as one, for facts and messages."""
        return " ".join(self.lines)


BAD_SYNTAX = Reply.of(500, "5.5.2 the command is not understood")
BARE_NEWLINE_IN_COMMAND = Reply.of(500, "5.5.2 a command ends with CRLF; a bare CR or LF was found")
LINE_TOO_LONG = Reply.of(500, "5.5.6 the command line is too long")
NOT_UTF8 = Reply.of(500, "5.5.2 the command is not UTF-8")
BAD_ARGUMENT = Reply.of(501, "5.5.4 the argument is not understood")
NOT_IMPLEMENTED = Reply.of(502, "5.5.1 the command is not offered here")
BAD_SEQUENCE = Reply.of(503, "5.5.1 the command is out of order")
HELLO_FIRST = Reply.of(503, "5.5.1 say EHLO first")
NO_RECIPIENTS = Reply.of(554, "5.5.1 no recipient was accepted")
UNKNOWN_PARAMETER = Reply.of(555, "5.5.4 a parameter is unknown or was not offered")
NEEDS_SMTPUTF8 = Reply.of(553, "5.6.7 an address beyond ASCII needs SMTPUTF8 on MAIL")
TOO_LARGE = Reply.of(552, "5.3.4 the message is larger than this gateway takes")
OVERLOADED = Reply.of(452, "4.3.1 too many messages are in flight; try again later")
BARE_NEWLINE = Reply.of(554, "5.6.11 the message has a line that ends with a bare CR or LF")
HIDDEN_END = Reply.of(
    554, "5.6.11 the message has a line of NULs and one dot, which some servers take for its end"
)
TOO_MANY_ERRORS = Reply.of(421, "4.7.0 too many errors")
GO_AHEAD = Reply.of(354, "end the message with a line of one dot")
OK = Reply.of(250, "2.0.0 done")
SENDER_OK = Reply.of(250, "2.1.0 sender noted")
RECIPIENT_OK = Reply.of(250, "2.1.5 recipient noted")
CANNOT_VERIFY = Reply.of(252, "2.5.2 send the message and see")
GOODBYE = Reply.of(221, "2.0.0 goodbye")
READY_FOR_TLS = Reply.of(220, "2.0.0 ready for TLS")
