"""Why a message is shielded: its sender marked it as private, or it goes to or comes from somebody the policy protects.

A shielded entry is counted by an ordinary search, and opened only for a second reason. Marks are told, not guessed: a
word that only occurs in a subject is none. Source: R-5.3-l, R-4.1-c, R-4.1-d; RFC 4021 2.1.55 (Sensitivity).

1. An address of a protected domain, or a protected address: the kind the policy gives it.
2. The Sensitivity field.
3. A mark in the subject: in brackets, at its beginning or end set apart, or one of a few set phrases.
4. For imported mail, the folder it lay in.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator
from email.header import decode_header
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec

from .reserved import is_domain
from .shape import About, Mistake

_CLAUSE = "R-5.3-l"
MAX_SUBJECT_CHARACTERS = 998
_MOST_ENCODED_WORDS = 40


class Kind(StrEnum):
    """The word kept, sealed, with a shielded entry."""

    UNION = "union"
    SAFEGUARDING = "safeguarding"
    LEGAL = "legal"
    WHISTLE_BLOWING = "whistle-blowing"
    PRIVATE = "private"
    PERSONAL = "personal"
    CONFIDENTIAL = "confidential"


class Protection(StrEnum):
    """Why the policy protects an address or a domain."""

    UNION = Kind.UNION.value
    SAFEGUARDING = Kind.SAFEGUARDING.value
    LEGAL = Kind.LEGAL.value
    WHISTLE_BLOWING = Kind.WHISTLE_BLOWING.value


class ProtectedName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One address or domain with everything below it."""

    name: Annotated[str, About("a domain, or an address, in lower case", _CLAUSE, '"law.example"')]
    kind: Annotated[Protection, About("union, safeguarding, legal or whistle-blowing", _CLAUSE, '"legal"')]


class Shield(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose mail is counted but not opened by an ordinary search, beside what is marked as private."""

    unions: Annotated[bool, About("protect the unions Muniment knows (unions.csv)", _CLAUSE, "true")] = True
    domains: Annotated[
        tuple[ProtectedName, ...],
        About("more protected domains and addresses", _CLAUSE, "[[shield.domains]]"),
    ] = ()

    def names(self) -> tuple[tuple[str, str], ...]:
        """Return every protected name with its kind; the organisation's own choice of kind wins."""
        known = dict.fromkeys(union_domains(), Kind.UNION.value) if self.unions else {}
        return tuple(sorted({**known, **{each.name: each.kind.value for each in self.domains}}.items()))


@cache
def union_domains() -> tuple[str, ...]:
    """Return the domains of unions in the United Kingdom that we know; there are more.

    Source: the unions' own sites; which there are, by the Certification Officer's list of trade unions.
    """
    text = files("muniment.policy").joinpath("unions.csv").read_text("utf-8")
    return tuple(row["domain"] for row in csv.DictReader(text.splitlines()))


def shield_mistakes(shield: Shield, own_domains: Collection[str]) -> Iterator[Mistake]:
    """Yield what is wrong with the shield's table."""
    names = [each.name for each in shield.domains]
    for number, name in enumerate(names, start=1):
        key = f"shield.domains[{number}].name"
        local, at, domain = name.rpartition("@")
        if not is_domain(domain) or (at and not local) or name != name.lower() or not name.isprintable():
            yield Mistake(
                key,
                _CLAUSE,
                f"{name[:60]!r} is no domain and no address",
                'Write, for instance, "law.example".',
            )
        elif not at and domain in own_domains:
            yield Mistake(
                key,
                _CLAUSE,
                f"{domain} is the organisation's own: every message would be shielded",
                "Name an address in it, for instance the union representative's.",
            )
        if names.count(name) > 1 and names.index(name) == number - 1:
            yield Mistake(key, _CLAUSE, f"{name} stands twice", "Leave one of them.")


_SENSITIVITY = {
    "personal": Kind.PERSONAL,
    "private": Kind.PRIVATE,
    "company-confidential": Kind.CONFIDENTIAL,
    "company confidential": Kind.CONFIDENTIAL,
}
_WORD = r"(?P<{}>private|personal|confidential)"
_VERY = r"(?:strictly\s+|very\s+|highly\s+)?"
_APART = r"(?:[:|;,!.*]|[-\u2013\u2014](?!\w))"
_AND = r"\s*(?:and|&|\+|/|,)\s*"
_PHRASES = re.compile(
    r"\b(?P<legal>(?:legally|legal\s+professional)\s+privileged?|(?:attorney|solicitor)\s*[-/\s]\s*client|"
    r"client\s*[-/\s]\s*(?:attorney|solicitor))\b"
    rf"|\b(?P<private>(?:private|personal|privil[ei]ged){_AND}(?:strictly\s+)?confidential|"
    rf"confidential{_AND}(?:private|personal|privil[ei]ged)|strictly\s+(?:private|personal))\b"
    rf"|\b(?P<confidential>confidential{_AND}proprietary|in\s+(?:the\s+|strict\s+|strictest\s+)*confidence|"
    r"(?:staff|medical|commercial)-in-confidence|strictly\s+confidential)\b",
    re.IGNORECASE,
)
_MARK = re.compile(
    rf"[\[({{<*]\s*{_VERY}{_WORD.format('bracketed')}\s*[\])}}>*]"
    rf"|^\W*{_VERY}{_WORD.format('first')}\s*(?:{_APART}|[(\[]|$)"
    rf"|(?:[:|;!*]|(?<!\w)[-\u2013\u2014])\s*{_VERY}{_WORD.format('last')}\W*$",
    re.IGNORECASE,
)
_STEMS = ("private", "personal", "confiden", "privil", "client")
_REPLY = re.compile(
    r"^\s*(?:(?:re|fwd?|aw|wg|sv|tr|antw)\s*(?:\[\d{1,4}\])?:\s*|external:\s*|\[external\]\s*)+",
    re.IGNORECASE,
)
_FOLDERS = {
    "private": Kind.PRIVATE,
    "private mail": Kind.PRIVATE,
    "personal": Kind.PERSONAL,
    "personal mail": Kind.PERSONAL,
    "family": Kind.PERSONAL,
    "confidential": Kind.CONFIDENTIAL,
    "in confidence": Kind.CONFIDENTIAL,
    "union": Kind.UNION,
    "trade union": Kind.UNION,
    "safeguarding": Kind.SAFEGUARDING,
    "whistleblowing": Kind.WHISTLE_BLOWING,
}
_BETWEEN_FOLDERS = re.compile(r"[/\\]")
_ENDING = re.compile(r"\.(?:mbox|mbx|sbd)$", re.IGNORECASE)


class Shielding:
    """Says why a message is shielded, by the names one policy protects. Never raises."""

    def __init__(self, names: Iterable[tuple[str, str]] = ()) -> None:
        self._names = dict(names)

    def reason(
        self, *, addresses: Iterable[str] = (), sensitivity: str = "", subject: str = "", folder: str = ""
    ) -> str:
        """Return the kind, "" when nothing shields the message; `subject` as a reader sees it or as it was written."""
        return (
            self._protected(addresses)
            or _SENSITIVITY.get(" ".join(sensitivity.lower().split()), "")
            or subject_mark(subject)
            or folder_mark(folder)
        )

    def _protected(self, addresses: Iterable[str]) -> str:
        for address in addresses:
            address = address.strip("<> ").lower()
            if found := self._names.get(address):
                return found
            domain = address.rpartition("@")[2].rstrip(".")
            while domain:
                if found := self._names.get(domain):
                    return found
                domain = domain.partition(".")[2]
        return ""


def subject_mark(subject: str) -> str:
    """Return the kind of mark a subject bears, "" when it bears none."""
    text = " ".join(readable(subject[:MAX_SUBJECT_CHARACTERS]).split())
    if not any(stem in text.lower() for stem in _STEMS):  # nearly every subject, and quickly told
        return ""
    if phrase := _PHRASES.search(text):
        return str(phrase.lastgroup)
    mark = _MARK.search(_REPLY.sub("", text))
    return "" if mark is None else str(mark["bracketed"] or mark["first"] or mark["last"]).lower()


def folder_mark(path: str) -> str:
    """Return the kind that a folder in a path stands for, "" when none does; also of a Maildir such as `.Private`."""
    for name in _BETWEEN_FOLDERS.split(path[:4096]):
        parts = name[1:].split(".") if name.startswith(".") else [_ENDING.sub("", name)]
        for part in parts:
            if found := _FOLDERS.get(part.strip().lower()):
                return found.value
    return ""


def readable(text: str) -> str:
    """Return a header's text with its encoded words decoded, or as it stands when they cannot be."""
    if "=?" not in text or text.count("=?") > _MOST_ENCODED_WORDS:
        return text
    try:
        pieces = decode_header(text)
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "utf-8", "replace")
            for piece, charset in pieces
        )
    except Exception:  # bad base64, no such charset: the mark, if any, is in the text as written
        return text
