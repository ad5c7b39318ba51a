"""Which messages are copies of one another, so that a list shows one and counts the others. Nothing is left out.

1. The same bytes.
2. The same Message-ID and the same text (a message in the mailboxes of its sender and its recipients).
3. Nearly the same text: at least 20 words, the same sender and base subject, and 9 of 10 runs of four words in common.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b, sha256
from typing import NamedTuple

from muniment.answer.reading.letter import Letter
from muniment.answer.reading.thread import base_subject

LEAST_WORDS = 20
LEAST_IN_COMMON = 0.9
MOST_RUNS = 64  # the runs of words with the least hashes stand for all
MOST_COMPARED = 50
_RUN = 4
_WORD = re.compile(r"\w+")


class Print(NamedTuple):
    """What a message is recognised by, 24 + up to 512 bytes; made once, kept instead of its text."""

    exact: bytes
    same: bytes
    near: bytes
    runs: tuple[int, ...]


def print_of(raw: bytes, message_id: str, from_: str, subject: str, text: str) -> Print:
    """Return what a message is recognised by; `same` and `near` are empty when they do not apply."""
    words = _WORD.findall(text.casefold()[:200_000])
    joined = " ".join(words).encode("utf-8", "replace")
    same = _digest(message_id.encode("utf-8", "replace"), joined) if message_id else b""
    if len(words) < LEAST_WORDS:
        return Print(_digest(raw), same, b"", ())
    sender = " ".join(re.findall(r"[^\s<>,]+@[^\s<>,]+", from_.casefold())[:1]) or from_.casefold()
    near = _digest(sender.encode("utf-8", "replace"), base_subject(subject)[0].encode("utf-8", "replace"))
    return Print(_digest(raw), same, near, _runs(words))


def copy_key(letter: Letter) -> bytes:
    """Return 12 bytes that copies of one message share: its Message-ID, or what else identifies it, and its text."""
    told = letter.message_id or f"{letter.from_}\n{letter.date}\n{letter.subject}"
    text = " ".join(letter.body_text.split())
    return _digest(told.encode("utf-8", "replace"), text.encode("utf-8", "replace"))


def fold(prints: Iterable[tuple[int, Print]]) -> dict[int, int]:
    """Return for each key the first key, in the order given, of which it is a copy; its own when it is of none."""
    found: dict[int, int] = {}
    known: dict[bytes, int] = {}
    near: dict[bytes, list[tuple[int, frozenset[int]]]] = defaultdict(list)
    for key, each in prints:
        first = known.get(each.exact) if each.exact in known else known.get(each.same) if each.same else None
        if first is None and each.near:
            runs = frozenset(each.runs)
            first = _nearest(runs, near[each.near][-MOST_COMPARED:])
            if first is None:
                near[each.near].append((key, runs))
        found[key] = key if first is None else first
        known.setdefault(each.exact, found[key])
        if each.same:
            known.setdefault(each.same, found[key])
    return found


def _nearest(runs: frozenset[int], others: Sequence[tuple[int, frozenset[int]]]) -> int | None:
    """Return the first of the others that is nearly the same, judged by the least hashes of both together."""
    for key, other in others:
        least = frozenset(sorted(runs | other)[:MOST_RUNS])
        if len(least & runs & other) >= LEAST_IN_COMMON * len(least):
            return key
    return None


def _runs(words: Sequence[str]) -> tuple[int, ...]:
    hashes = {hash_of(" ".join(words[at : at + _RUN])) for at in range(len(words) - _RUN + 1)}
    return tuple(sorted(hashes)[:MOST_RUNS])


def hash_of(text: str) -> int:
    """Return 64 bits that stand for a text, the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _digest(*parts: bytes) -> bytes:
    return sha256(b"\0".join(parts)).digest()[:12]
