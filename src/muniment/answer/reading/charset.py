"""Bytes as text, whatever character set they claim; nothing raised, no time lost."""

from __future__ import annotations

import codecs

# Codecs that are no character sets of mail; decoding by some of them takes time that grows with the square.
_NO_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "unicode_escape"}


def decoded(data: bytes, charset: str) -> str:
    """Return `data` in the character set it claims, in UTF-8 when there is no such set; what does not fit is marked."""
    try:
        if codecs.lookup(charset).name in _NO_CHARSETS:
            charset = "utf-8"
        return data.decode(charset, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def guessed(data: bytes) -> str:
    """Return a text that does not say how it is written: by its mark, as UTF-8 if it is that, else as Windows does."""
    for mark, charset in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return decoded(data, charset)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
