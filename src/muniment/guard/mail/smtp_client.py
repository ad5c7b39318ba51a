"""The client's side of SMTP without a socket: commands as bytes, replies out of bytes, content with dot-stuffing.

A reply that breaks the grammar, mixes codes or never ends becomes a 451, and the reader takes nothing more: what the
next hop says afterwards cannot be matched to a command.
Source: RFC 5321 sections 4.2 and 4.5.2; RFC 1870, 2920, 3207, 6152, 6531.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from muniment.guard.mail.smtp_command import Mail, Recipient
from muniment.guard.mail.smtp_reply import Reply

NONSENSE = Reply.of(451, "4.4.2 the next hop answered what is not a reply of SMTP")
REPLY_LIMIT_BYTES = 65_536
STUFFING_BLOCK_BYTES = 1 << 20
END_OF_CONTENT = b".\r\n"

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\x00-\x08\x0a-\x1f\x7f]*))?\r?\n")


class ReplyReader:
    """Turns the next hop's bytes into replies, however they are cut."""

    def __init__(self) -> None:
        self._input = bytearray()
        self._lines: list[bytes] = []
        self._code = b""
        self._bytes = 0
        self.is_broken = False

    def feed(self, data: bytes) -> list[Reply]:
        """Return the replies that are complete now; after nonsense one `NONSENSE`, then nothing."""
        replies: list[Reply] = []
        if self.is_broken:
            return replies
        self._input += data
        while (end := self._input.find(b"\n") + 1) > 0:
            line = bytes(self._input[:end])
            del self._input[:end]
            reply = self._take(line)
            if reply:
                replies.append(reply)
            if self.is_broken:
                return replies
        if self._bytes + len(self._input) > REPLY_LIMIT_BYTES:
            replies.append(self._break())
        return replies

    def _take(self, line: bytes) -> Reply | None:
        match = _LINE.fullmatch(line)
        self._bytes += len(line)
        if not match or (self._code and match[1] != self._code) or self._bytes > REPLY_LIMIT_BYTES:
            return self._break()
        self._code = match[1]
        is_last = match[2] != b"-"
        self._lines.append(match[1] + (b" " if is_last else b"-") + (match[3] or b"") + b"\r\n")
        if not is_last:
            return None
        reply = Reply(int(self._code), b"".join(self._lines))
        self._lines, self._code, self._bytes = [], b"", 0
        return reply

    def _break(self) -> Reply:
        self.is_broken = True
        self._input.clear()
        return NONSENSE


def parse_extensions(reply: Reply) -> dict[str, str]:
    """Return what a next hop offers in its reply to EHLO: keyword in capitals to parameters."""
    offers: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = line.strip().partition(" ")
        if keyword.upper().startswith("AUTH="):  # a form of before RFC 4954 that servers still add
            continue
        offers[keyword.upper()] = parameters.strip()
    return offers


def size_limit(offers: Mapping[str, str]) -> int:
    """Return the largest message a next hop takes, in bytes; 0 when it names none. Source: RFC 1870 section 3."""
    text = offers.get("SIZE", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0


def mail_command(mail: Mail, offers: Mapping[str, str]) -> bytes:
    """Return MAIL with those parameters the next hop offers."""
    line = f"MAIL FROM:<{mail.sender}>"
    if mail.size is not None and "SIZE" in offers:
        line += f" SIZE={mail.size}"
    if mail.body and "8BITMIME" in offers:
        line += f" BODY={mail.body}"
    if mail.is_utf8:
        line += " SMTPUTF8"
    if mail.auth and "AUTH" in offers:
        line += f" AUTH={mail.auth}"
    return line.encode() + b"\r\n"


def recipient_command(recipient: Recipient) -> bytes:
    """Return RCPT."""
    return f"RCPT TO:<{recipient.address}>\r\n".encode()


def stuffed(content: bytes) -> Iterator[bytes]:
    """Yield `content` as it goes over the wire, without the final dot, in blocks cut at line ends.

    Content that does not end with CRLF gets one, since the dot must stand on a line of its own.
    """
    at, size = 0, len(content)
    while at < size:
        end = size
        if size - at > STUFFING_BLOCK_BYTES:
            end = content.find(b"\r\n", at + STUFFING_BLOCK_BYTES) + 2
            end = size if end == 1 else end
        block = content if end - at == size else content[at:end]
        if b"\r\n." in block:
            block = block.replace(b"\r\n.", b"\r\n..")
        yield b"." + block if block.startswith(b".") else block
        at = end
    if size and not content.endswith(b"\r\n"):
        yield b"\r\n"
