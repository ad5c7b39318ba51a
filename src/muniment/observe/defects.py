"""What is wrong with a message, by name. A defect is told and counted; it never keeps a message out.

Source: RFC 5322 2.1-2.3, RFC 5321 4.5.3.1.6; the parser's own warnings.
"""

from __future__ import annotations

import re

import fast_mail_parser

MAX_LINE_BYTES = 998
MAX_HEADER_BYTES = 65536
MAX_PARSED_BYTES = 64 << 20

_BARE_LF = re.compile(rb"(?<!\r)\n")
_BARE_CR = re.compile(rb"\r(?!\n)")
_LONG_LINE = re.compile(rb"[^\n]{%d}" % (MAX_LINE_BYTES + 2))
_END = re.compile(rb"\n\r?\n")
_FIRST_FIELD = re.compile(rb"(?:>?From [^\n]*\n)?[!-9;-~]+[ \t]*:")
_ONCE = re.compile(
    rb"^(date|from|sender|subject|message-id|to|cc|content-type|mime-version)[ \t]*:", re.I | re.M
)


def defects_of(message: bytes) -> list[str]:
    """Return the names of all defects found, each once, in no order that means anything."""
    if not message:
        return ["empty"]
    return [*_line_defects(message), *_header_defects(message), *_parser_defects(message)]


def _line_defects(message: bytes) -> list[str]:
    found = []
    if b"\x00" in message:
        found.append("NUL byte")
    if b"\n" not in message:
        found.append("no line end")
    elif b"\r\n" not in message:
        found.append("LF line ends throughout")
    elif _BARE_LF.search(message):
        found.append("bare LF among CRLF")
    if b"\r" in message and _BARE_CR.search(message):
        found.append("bare CR")
    if _LONG_LINE.search(message):
        found.append(f"line above {MAX_LINE_BYTES} bytes")
    return found


def _header_defects(message: bytes) -> list[str]:
    if not _FIRST_FIELD.match(message):
        return ["no header"]
    found = []
    end = _END.search(message, 0, MAX_HEADER_BYTES)
    if end is None:
        found.append("no end of header" if len(message) <= MAX_HEADER_BYTES else "header above 64 KiB")
    header = message[: end.end() if end else MAX_HEADER_BYTES]
    if not header.isascii():
        found.append("8-bit bytes in the header")
    names = [name.lower() for name in _ONCE.findall(header)]
    if len(names) != len(set(names)):
        found.append("a field twice that may stand once")
    found += [f"no {name.decode().title()}" for name in (b"from", b"date") if name not in names]
    return found + ([] if b"message-id" in names else ["no Message-ID"])


def _parser_defects(message: bytes) -> list[str]:
    if len(message) > MAX_PARSED_BYTES:
        return ["too long to be parsed here"]
    try:
        warnings = fast_mail_parser.parse_email(message, mode="lazy").warnings
    except (KeyboardInterrupt, SystemExit):
        raise
    except (
        BaseException
    ) as error:  # the parser's panics are no Exception; whatever it is, the message is recorded
        return [f"parser: {type(error).__name__}"]
    return [f"parser: {kind}" for kind in sorted({warning.kind for warning in warnings})]
