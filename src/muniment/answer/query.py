"""The words of a search: what a person may write, and what it means. Whatever is not understood is said.

All parts must fit. `a OR b` is one part with two choices; `-word` and `NOT word` must not fit; `"a phrase"` stands side
by side, `"two words"~5` near each other; `word*` begins so; `subject:word` is sought there only.
Source: docs/formats/room-socket.md, "Searching".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from muniment.policy.errors import BadInput

FIELDS = ("subject", "body", "attachment", "from", "to")
MAX_PARTS, MAX_CHARACTERS, MAX_TOKENS, MAX_DISTANCE = 50, 2000, 60, 50
MOST_NEAR = 3
_FEWEST_BEFORE_STAR = 2
LONGEST_WORD_BYTES = 40  # longer ones are no words of anybody's and are not indexed
_PIECE = re.compile(
    r'\s*(?P<no>-(?=[^\s-]))?(?:(?P<field>[A-Za-z]+):(?=\S))?(?:"(?P<phrase>[^"]*)"(?:~(?P<near>\d+))?|(?P<word>[^\s"]+))'
)
WORD = re.compile(r"[^\W_]+")
_APART = {code: " " for code in range(128) if not chr(code).isalnum()}
Tokens = Callable[[str], list[str]]


@dataclass(frozen=True)
class Sought:
    """One thing to find: tokens side by side (or within `near` words), the last perhaps only a beginning."""

    tokens: tuple[str, ...]
    fields: tuple[str, ...]
    is_prefix: bool = False
    near: int = 0


@dataclass(frozen=True)
class Part:
    """Choices of which one must fit, or none of which may."""

    choices: tuple[Sought, ...]
    is_unwanted: bool = False


def tokens_of(text: str) -> list[str]:
    """Return the words of a text as they are compared: letters and digits, without case and accents."""
    return words_of(fold(text).lower())


def words_of(folded: str) -> list[str]:
    """Return the runs of letters and digits of a text that is folded already."""
    if folded.isascii():  # the same, three times as fast
        return folded.translate(_APART).split()
    return WORD.findall(folded)


def parse(words: str, field: str, tokens: Tokens) -> list[Part]:
    """Return what is sought; `tokens` cuts text as the index does, `field` is `any` or one of FIELDS.

    Raises:
        BadInput: a part is not understood; the message says which.
    """
    if len(words) > MAX_CHARACTERS:
        raise BadInput(
            f"the search has {len(words):,} characters, expected {MAX_CHARACTERS:,} at most; use a scan for a list"
        )
    if field != "any" and field not in FIELDS:
        raise BadInput(f"there is no field {field[:20]!r}; there are any, {', '.join(FIELDS)}")
    if words.count('"') % 2:
        raise BadInput('a quotation mark is not closed: put a second " after the phrase')
    reader = _Reader(field, tokens)
    at, end = 0, len(words.rstrip())
    while at < end:
        found = _PIECE.match(words, at)
        if found is None:  # a lone mark of punctuation before a quotation mark
            at += 1
            continue
        at = found.end()
        reader.take(found)
    return reader.done()


class _Reader:
    """Puts pieces together: which belong to one OR, which are unwanted."""

    def __init__(self, field: str, tokens: Tokens) -> None:
        self._default = FIELDS if field == "any" else (field,)
        self._tokens = tokens
        self._parts: list[Part] = []
        self._joins = False
        self._unwanted = False
        self._open = ""  # the operator that still waits for what follows it
        self._count = 0

    def take(self, found: re.Match[str]) -> None:
        word = found["word"]
        if word in ("OR", "AND", "NOT") and not found["field"] and not found["no"]:
            self._operator(word)
            return
        sought = self._sought(found)
        if sought is None:
            return
        unwanted = self._unwanted or found["no"] is not None
        self._count += len(sought.tokens)
        if self._count > MAX_TOKENS or len(self._parts) >= MAX_PARTS:
            raise BadInput(f"the search has more than {MAX_PARTS} parts; use a scan for a list of words")
        if self._joins:
            self._join(sought, unwanted)
        else:
            self._parts.append(Part((sought,), unwanted))
        self._joins = self._unwanted = False
        self._open = ""

    def done(self) -> list[Part]:
        if self._open:
            raise BadInput(f"nothing follows {self._open}: put a word after it, or write it in small letters")
        return self._parts

    def _operator(self, word: str) -> None:
        if self._open or (word != "NOT" and not self._parts):
            raise BadInput(
                f"{word} stands without a word before it: put one there, or write it in small letters"
            )
        self._open = word
        self._joins = word == "OR"
        self._unwanted = word == "NOT"

    def _join(self, sought: Sought, unwanted: bool) -> None:
        last = self._parts.pop()
        if unwanted or last.is_unwanted:
            raise BadInput("OR stands beside a word that is not wanted; leave out the minus or the OR")
        self._parts.append(Part((*last.choices, sought)))

    def _sought(self, found: re.Match[str]) -> Sought | None:
        fields, text = self._default, found["word"]
        name = (found["field"] or "").lower()
        if name in FIELDS:
            fields = (name,)
        elif name and found["phrase"] is None:
            text = f"{found['field']}:{text}"
        if name and name not in FIELDS and found["phrase"] is not None:
            raise BadInput(f"there is no field {name[:20]!r}; there are {', '.join(FIELDS)}")
        if found["phrase"] is not None:
            return self._phrase(found["phrase"], found["near"], fields)
        _require_short(text)
        is_prefix = text.endswith("*")
        if "*" in text.rstrip("*"):
            raise BadInput(f"{text[:40]!r}: a star may only stand at the end of a word")
        tokens = tuple(self._tokens(text))
        if not tokens:
            return None
        if is_prefix and (len(tokens) > 1 or len(tokens[0]) < _FEWEST_BEFORE_STAR):
            raise BadInput(f"{text[:40]!r}: a star follows a single word of two letters or more")
        return Sought(tokens, fields, is_prefix)

    def _phrase(self, text: str, near: str | None, fields: tuple[str, ...]) -> Sought | None:
        if "*" in text:
            raise BadInput("a star within quotation marks is not understood; leave it out")
        _require_short(text)
        tokens = tuple(self._tokens(text))
        if not tokens:
            raise BadInput('there is no word between the quotation marks ""')
        distance = int(near[:9]) if near else 0
        if near and (not 1 <= distance <= MAX_DISTANCE or not 2 <= len(tokens) <= MOST_NEAR):
            raise BadInput(
                f'"…"~{near[:9]}: two or three words within 1 to {MAX_DISTANCE} words of each other are understood'
            )
        return Sought(tokens, fields, near=distance)


def _require_short(text: str) -> None:
    if any(len(word.encode("utf-8", "replace")) >= LONGEST_WORD_BYTES for word in tokens_of(text)):
        raise BadInput(
            f"{text[:40]!r}… is a word of {LONGEST_WORD_BYTES} letters or more, which is not indexed; use a scan for it"
        )


class _Folds(dict[int, str]):
    """Each character without its accent, one for one, so that places in a text stay what they are."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", chr(code))[:1]
        found = plain if plain.isalnum() else chr(code)
        self[code] = found
        return found


_FOLDS = _Folds()
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def fold(text: str) -> str:
    """Return a text of the same length without accents; case stays."""
    return text if text.isascii() else _BEYOND_ASCII.sub(_folded, text)


def _folded(run: re.Match[str]) -> str:
    return run[0].translate(_FOLDS)


def pattern_of(parts: list[Part]) -> re.Pattern[str] | None:
    """Return what finds the sought words in a folded lower-case text, None when nothing is sought."""
    choices = {
        re.escape(token) + ("[^\\W_]*" if sought.is_prefix else "")
        for part in parts
        if not part.is_unwanted
        for sought in part.choices
        for token in sought.tokens
    }
    if not choices:
        return None
    longest_first = sorted(choices, key=len, reverse=True)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(longest_first)})(?![^\W_])")
