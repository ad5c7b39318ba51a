"""Which messages are one conversation: those that name one another, and replies of the same subject near in time.

1. A message belongs with every message its References and In-Reply-To name, and with whoever names it.
2. A reply (its subject says so) that names nobody belongs with the messages of that subject, if one of them was written
   within the 60 days before it. Two messages are never joined by their subject alone when neither is a reply.

Source: RFC 5322 3.6.4; RFC 5256 2.1 (base subject).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

REPLY_DAYS = 60
_DAY_MS = 86_400_000
_LONGEST_SUBJECT = 998
_REPLY = re.compile(r"\s*(?:re|aw|sv|vs|antw|ynt|odp|fwd?|wg|tr|rv)\s*(?:\[\d{1,4}\])?\s*:\s*", re.IGNORECASE)
_LIST_TAG = re.compile(r"\s*\[[^\[\]]{1,40}\]\s*")


class Item(NamedTuple):
    """What is needed of a message: `key` is the caller's (an entry's index), `when_ms` when it was written."""

    key: int
    message_id: str
    references: Sequence[str]
    subject: str
    when_ms: int


def base_subject(subject: str) -> tuple[str, bool]:
    """Return a subject without the marks of replies and forwards, folded; and whether it had any."""
    rest, is_reply = subject[:_LONGEST_SUBJECT], False
    while True:
        if found := _REPLY.match(rest):
            rest, is_reply = rest[found.end() :], True
        elif (found := _LIST_TAG.match(rest)) and rest[found.end() :].strip():
            rest = rest[found.end() :]
        else:
            return " ".join(rest.casefold().split()), is_reply


def conversations(items: Iterable[Item]) -> dict[int, int]:
    """Return for each key the least key of its conversation; the order of the items does not matter."""
    items = sorted(items, key=lambda item: (item.when_ms, item.key))
    sets = _Sets()
    by_id: dict[str, int] = {}
    for item in items:
        sets.add(item.key)
        for name in (item.message_id, *item.references):
            if name:
                sets.join(item.key, by_id.setdefault(name, item.key))
    last: dict[str, tuple[int, int]] = {}
    for item in items:
        subject, is_reply = base_subject(item.subject)
        if not subject:
            continue
        earlier = last.get(subject)
        if is_reply and not item.references and earlier and item.when_ms - earlier[1] <= REPLY_DAYS * _DAY_MS:
            sets.join(item.key, earlier[0])
        last[subject] = (item.key, item.when_ms)
    return {item.key: sets.least(item.key) for item in items}


class _Sets:
    """Disjoint sets of keys, each known by its least member."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def add(self, key: int) -> None:
        self._above.setdefault(key, key)

    def least(self, key: int) -> int:
        while (above := self._above[key]) != key:
            self._above[key] = key = self._above[above]
        return key

    def join(self, one: int, two: int) -> None:
        one, two = self.least(one), self.least(two)
        if one != two:
            self._above[max(one, two)] = min(one, two)
