"""The values of the MIME header fields that decide a message's structure, read without ever raising.

A value is taken as Latin-1, so that every byte is one character and offsets into the text are offsets into the bytes.

Source: RFC 2045 sections 5 and 6, RFC 2183, RFC 2231.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

VALUE_BYTES_CAP = 64 * 1024
PARAMETERS_CAP = 200
_CACHED_VALUE_BYTES = 200

_QUOTED_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|\([^()]*+\)', re.DOTALL)
_KIND = re.compile(r"\s*+([^\s/;]++)\s*+/\s*+([^\s/;]++)", re.ASCII)
_PARAMETER = re.compile(
    r';[\s;]*+(?P<name>[^\s=;"]++)\s*+=\s*+(?P<value>"(?:[^"\\]|\\.)*+"?|[^;]*+)', re.ASCII | re.DOTALL
)
_SECTION = re.compile(r"(?P<base>[^*]+)(?:\*(?P<number>\d{1,4}))?(?P<encoded>\*)?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_TOKEN = re.compile(r"\s*+\"?([A-Za-z0-9_-]++)", re.ASCII)
_ENCODING_SPELLINGS = {"": "7bit", "7-bit": "7bit", "8-bit": "8bit"}


class ContentType(msgspec.Struct, frozen=True):
    """A media type in lower case, its parameters, and the names of those given twice with different values.

    A boundary that is broken over two lines counts as given twice.
    """

    kind: str
    parameters: Mapping[str, str]
    contradicted: frozenset[str] = frozenset()


def content_type(value: bytes, default: str = "text/plain") -> ContentType:
    """Read a Content-Type value; one without `type/subtype` counts as `default` (RFC 2045 section 5.2)."""
    if len(value) > _CACHED_VALUE_BYTES:
        return _content_type(value, default)
    return _cached_content_type(value, default)


def encoding(value: bytes) -> str:
    """Return a Content-Transfer-Encoding in lower case; nothing at all means `7bit`."""
    text = _without_comments(value).strip().strip('"').partition(";")[0].strip().lower()
    return _ENCODING_SPELLINGS.get(text, text)


def disposition(value: bytes) -> tuple[str, str]:
    """Return the disposition in lower case and the file name, each empty when not given."""
    text = _without_comments(value)
    token = _TOKEN.match(text)
    names, _ = _parameters(text, 0)
    return token.group(1).lower() if token else "", names.get("filename", "")


def charset_spans(value: bytes) -> list[tuple[int, int]]:
    """Return where each `charset=…` of a Content-Type value begins and ends, name included."""
    text = _without_comments(value)
    spans = []
    for found in _PARAMETER.finditer(text):
        if found.group("name").lower().partition("*")[0] == "charset":
            end = found.start("value") + len(found.group("value").rstrip())
            spans.append((found.start("name"), end))
    return spans


def kind_end(value: bytes) -> int:
    """Return where `type/subtype` ends in a Content-Type value; 0 when there is none."""
    found = _KIND.match(_without_comments(value))
    return found.end() if found else 0


def _content_type(value: bytes, default: str) -> ContentType:
    text = _without_comments(value[:VALUE_BYTES_CAP])
    found = _KIND.match(text)
    if found is None:
        parameters, contradicted = _parameters(text, 0)
        return ContentType(default, parameters, contradicted)
    parameters, contradicted = _parameters(text, found.end())
    return ContentType(f"{found.group(1)}/{found.group(2)}".lower(), parameters, contradicted)


_cached_content_type = lru_cache(maxsize=512)(_content_type)


def _without_comments(value: bytes) -> str:
    """Return the text with each comment turned into spaces, so that offsets stay."""
    text = value.decode("latin-1")
    for _ in range(8):  # comments nest; a ninth level is nobody's mail program
        if "(" not in text:
            break
        blanked = _QUOTED_OR_COMMENT.sub(_blank_comment, text)
        if blanked == text:
            break
        text = blanked
    return text


def _blank_comment(found: re.Match[str]) -> str:
    whole = found.group()
    return whole if whole[0] == '"' else " " * len(whole)


def _parameters(text: str, start: int) -> tuple[dict[str, str], frozenset[str]]:
    """Return the parameters by lower-case name, RFC 2231 sections joined; the first of two equal names wins."""
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, str]] = {}
    contradicted = set()
    for count, found in enumerate(_PARAMETER.finditer(text, start)):
        if count == PARAMETERS_CAP:
            break
        name, value = found.group("name").lower(), _unquoted(found.group("value"))
        if "*" in name:
            _note_section(sections, name, value)
        elif plain.setdefault(name, value) != value or _is_folded_boundary(name, found.group("value")):
            contradicted.add(name)
    for name, numbered in sections.items():
        joined = _joined(numbered)
        if plain.setdefault(name, joined) != joined:
            contradicted.add(name)
    return plain, frozenset(contradicted)


def _is_folded_boundary(name: str, value: str) -> bool:
    """Whether a boundary is broken over two lines, which some readers join and some do not."""
    return name == "boundary" and "\n" in value.strip()


def _note_section(sections: dict[str, dict[int, str]], name: str, value: str) -> None:
    found = _SECTION.fullmatch(name)
    if found is None:
        return
    number = int(found.group("number") or 0)
    if found.group("encoded"):
        if number == 0 and value.count("'") >= 2:
            value = value.split("'", 2)[2]
        value = _PERCENT.sub(lambda hexed: chr(int(hexed.group(1), 16)), value)
    sections.setdefault(found.group("base"), {}).setdefault(number, value)


def _joined(numbered: dict[int, str]) -> str:
    pieces: list[str] = []
    while len(pieces) in numbered:
        pieces.append(numbered[len(pieces)])
    return "".join(pieces)


def _unquoted(value: str) -> str:
    value = value.replace("\r", "").replace("\n", "")
    if not value.startswith('"'):
        return value.strip()
    inner = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner
