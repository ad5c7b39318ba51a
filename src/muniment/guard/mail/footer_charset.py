"""Which bytes write a footer in a part's charset, and what a part's bytes say in it.

Only charsets that Python names are known; any other label, and every label that lies, is treated as a charset of which
nothing is sure but ASCII. Source: RFC 2046 section 4.1.2, RFC 2781, RFC 1468.
"""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases
from functools import lru_cache

import msgspec

_LABEL = re.compile(r"[a-z0-9_+:-]{1,40}")
_ASCII = bytes(range(32, 127)).replace(b"\\", b"").replace(b"~", b"") + b"\r\n"
# Not charsets of text, or with a state of their own that an added line could not end.
_UNFIT = {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"}
_UNFIT |= {"mbcs", "tactis", "hz", "utf_7", "raw_unicode_escape", "unicode_escape"}
_WIDE = {"utf_16": 2, "utf_16_le": 2, "utf_16_be": 2, "utf_32": 4, "utf_32_le": 4, "utf_32_be": 4}
_MARKS = {
    "utf_16": ((codecs.BOM_UTF16_LE, "utf_16_le"), (codecs.BOM_UTF16_BE, "utf_16_be")),
    "utf_32": ((codecs.BOM_UTF32_LE, "utf_32_le"), (codecs.BOM_UTF32_BE, "utf_32_be")),
}
_SHIFTED_TEXT = re.compile(rb"\x1b\$[^\x1b]*+|\x0e[^\x0f]*+")
_CODECS = (set(aliases.values()) | {"cp850", "koi8_u", "utf_16", "utf_32"}) - _UNFIT


class Charset(msgspec.Struct, frozen=True):
    """A charset by its label and Python's codec; `codec` is empty when the label is not known.

    `over_ascii`: ASCII text is itself in it. `shifts`: escape sequences switch its letters, as in iso-2022-jp.
    """

    label: str
    codec: str
    over_ascii: bool = True
    shifts: bool = False

    @property
    def known(self) -> bool:
        """Whether the label names a charset we can write."""
        return bool(self.codec)


def resolve(label: str) -> Charset:
    """Return the charset of a label; an absent one is us-ascii."""
    tokens = label.split()
    label = tokens[0].strip("'\"").lower() if tokens else "us-ascii"
    return _resolve(label) if _LABEL.fullmatch(label) else Charset("?", "")


@lru_cache(maxsize=256)
def _resolve(label: str) -> Charset:
    codec = label.replace("-", "_").replace(":", "_")
    codec = aliases.get(codec, codec)
    if codec not in _CODECS:
        return Charset(label, "")
    try:
        over_ascii = _ASCII.decode("ascii").encode(codec) == _ASCII
    except (LookupError, UnicodeError):
        return Charset(label, "")
    return Charset(label, codec, over_ascii, codec.startswith("iso2022"))


def settle(charset: Charset, octets: bytes) -> Charset:
    """Return the charset the bytes are really in: byte order settled, a label that cannot be true dropped."""
    if charset.codec in _WIDE:
        unit = _WIDE[charset.codec]
        if octets and octets.isascii() and b"\0" not in octets:
            return Charset(charset.label, "")
        if len(octets) % unit:
            return Charset(charset.label, "", over_ascii=False)
        return Charset(charset.label, _byte_order(charset.codec, octets), over_ascii=False)
    return charset


def encode(charset: Charset, text: str) -> bytes | None:
    """Return the text in the charset, or None when a letter does not exist in it."""
    try:
        return text.encode(charset.codec or "ascii")
    except UnicodeError:
        return None


def read(charset: Charset, octets: bytes) -> str:
    """Return the text for looking at; what cannot be read becomes a replacement mark."""
    return octets.decode(charset.codec or "ascii", "replace")


def read_exactly(charset: Charset, octets: bytes) -> str | None:
    """Return the text when every byte of it is sure, else None."""
    if not charset.known:
        return None
    try:
        return octets.decode(charset.codec)
    except UnicodeError:
        return None


def back_to_ascii(charset: Charset, octets: bytes) -> bytes:
    """Return the escape sequence that must stand before ASCII letters after these bytes; mostly none."""
    if not charset.shifts:
        return b""
    if octets.rfind(b"\x0e") > octets.rfind(b"\x0f"):
        return b"\x0f"
    escape = octets.rfind(b"\x1b")
    while escape >= 0 and octets[escape : escape + 3] == b"\x1b$)":
        escape = octets.rfind(
            b"\x1b", 0, escape
        )  # iso-2022-kr announces its letters without switching to them
    if escape < 0:
        return b""
    # In damaged text a reader can have missed the sequence that went back to ASCII.
    back = octets[escape : escape + 3] == b"\x1b(B" and read_exactly(charset, octets) is not None
    return b"" if back else b"\x1b(B"


def markup_view(charset: Charset, octets: bytes) -> str:
    """Return one character a byte, with letters that only look like markup blotted out."""
    if charset.shifts:
        octets = _SHIFTED_TEXT.sub(lambda found: b"x" * len(found.group()), octets)
    return octets.decode("latin-1")


def _byte_order(codec: str, octets: bytes) -> str:
    for mark, ordered in _MARKS.get(codec, ()):
        if octets.startswith(mark):
            return ordered
    if codec not in _MARKS or not octets:
        return codec
    # Without a mark the higher byte comes first (RFC 2781), unless the zeros of Latin text say otherwise.
    sample = octets[:400]
    unit = _WIDE[codec]
    little = sample[unit - 1 :: unit].count(0) > sample[0::unit].count(0)
    return f"{codec}_{'le' if little else 'be'}"
