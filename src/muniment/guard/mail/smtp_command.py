"""The commands of SMTP as values, parsed once from one line without its CRLF.

A parse gives a value or a `Reply` that refuses the line; it never raises.
Source: RFC 5321 section 4.1; RFC 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8), 4954 section 5 (AUTH=).
"""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec

from muniment.guard.mail.smtp_reply import (
    BAD_ARGUMENT,
    NEEDS_SMTPUTF8,
    NOT_UTF8,
    UNKNOWN_PARAMETER,
    Reply,
)


class Mail(msgspec.Struct, frozen=True):
    """The sender of a message; an empty `sender` is the null sender of a notice."""

    sender: str
    size: int | None = None
    body: str = ""
    is_utf8: bool = False
    auth: str = ""


class Recipient(msgspec.Struct, frozen=True):
    """One recipient of a message."""

    address: str


# Alternatives begin with different characters, so the match is linear in the line.
_PATH = r'<(?:@[^<>":\s]*:)?((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>'
_MAIL = re.compile(rf"FROM:[ ]*{_PATH}(?:[ ]+(.*))?", re.IGNORECASE | re.DOTALL)
_RCPT = re.compile(rf"TO:[ ]*{_PATH}(?:[ ]+(.*))?", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]+))?")


def parse_mail(argument: bytes, offered: Collection[str]) -> Mail | Reply:
    """Return the value of `MAIL` + `argument`, or the refusal. `offered` holds the extension keywords of EHLO."""
    found = _match(_MAIL, argument)
    if isinstance(found, Reply):
        return found
    sender, rest = found
    if not rest:
        return Mail(sender) if sender.isascii() else NEEDS_SMTPUTF8
    values = _parameters(rest)
    if values is None:
        return BAD_ARGUMENT
    return _with_parameters(sender, values, offered)


def parse_recipient(argument: bytes, is_utf8: bool) -> Recipient | Reply:
    """Return the value of `RCPT` + `argument`, or the refusal; no parameter of RCPT is offered."""
    found = _match(_RCPT, argument)
    if isinstance(found, Reply):
        return found
    address, rest = found
    if not address:
        return BAD_ARGUMENT
    if rest and rest.strip():
        return UNKNOWN_PARAMETER
    if not is_utf8 and not address.isascii():
        return NEEDS_SMTPUTF8
    return Recipient(address)


def _match(pattern: re.Pattern[str], argument: bytes) -> tuple[str, str] | Reply:
    try:
        text = argument.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_UTF8
    match = pattern.fullmatch(text)
    return (match[1], match[2]) if match else BAD_ARGUMENT


def _parameters(rest: str) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for word in rest.split():
        match = _PARAMETER.fullmatch(word)
        if not match or match[1].upper() in values:
            return None
        values[match[1].upper()] = match[2] or ""
    return values


def _with_parameters(sender: str, values: dict[str, str], offered: Collection[str]) -> Mail | Reply:
    needs = {"SIZE": "SIZE", "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8", "AUTH": "AUTH"}
    if any(needs.get(key, "") not in offered for key in values):
        return UNKNOWN_PARAMETER
    size, body = values.get("SIZE"), values.get("BODY", "").upper()
    if size is not None and not (size.isascii() and size.isdigit() and len(size) <= 20):
        return BAD_ARGUMENT
    if "BODY" in values and body not in ("7BIT", "8BITMIME"):
        return BAD_ARGUMENT
    is_utf8 = "SMTPUTF8" in values
    if is_utf8 and values["SMTPUTF8"]:
        return BAD_ARGUMENT
    if not is_utf8 and not sender.isascii():
        return NEEDS_SMTPUTF8
    if "AUTH" in values and not values["AUTH"]:
        return BAD_ARGUMENT
    return Mail(sender, None if size is None else int(size), body, is_utf8, values.get("AUTH", ""))
