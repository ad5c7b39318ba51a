"""Bytes and numbers as text, in their one allowed form. Source: RFC 4648 section 4."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

from muniment.policy.errors import BadInput

_DECIMAL = re.compile("0|[1-9][0-9]{0,18}")


def encode_base64(data: bytes) -> str:
    """Return the standard base64 of RFC 4648 section 4."""
    return b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """Return the bytes of a base64 text written in its only allowed form. Raises: BadInput otherwise."""
    try:
        data = b64decode(text, validate=True)
    except ValueError as error:
        raise BadInput("expected base64.") from error
    if encode_base64(data) != text:
        raise BadInput("this base64 has spare bits or padding that do not belong there.")
    return data


def parse_decimal(text: str) -> int:
    """Return a number written without sign or leading zero. Raises: BadInput otherwise."""
    if not _DECIMAL.fullmatch(text):
        raise BadInput("expected a decimal number without sign or leading zero.")
    return int(text)
