"""Which entries of a room are one conversation, and which are copies, found while they are read: newest first.

1. A message belongs with every message its References and In-Reply-To name, and with whoever names it.
2. A reply that names nobody belongs with the nearest message of its subject within 60 days.
3. Copies have the same Message-ID and the same text, or neither a Message-ID nor a difference.

Ids, subjects and texts are kept as 64-bit hashes under a key of this process alone.
Source: RFC 5322 3.6.4; RFC 5256 2.1.
"""

from __future__ import annotations

from array import array

from muniment.answer.index_text import IndexText
from muniment.answer.reading.thread import REPLY_DAYS, base_subject

_NEAR_MS = REPLY_DAYS * 86_400_000


class Threads:
    """Disjoint sets over places; `of` is the array of each place's set, known by one of its members."""

    def __init__(self, of: array[int]) -> None:
        self._of = of
        self._by_id: dict[int, int] = {}
        self._by_subject: dict[int, tuple[int, int, bool]] = {}

    def find(self, place: int) -> int:
        """Return the member by which the set of a place is known."""
        of = self._of
        while (above := of[place]) != place:
            of[place] = place = of[above]
        return place

    def join(self, one: int, two: int) -> None:
        """Make two sets one, known by the greater place: the newest entry."""
        one, two = self.find(one), self.find(two)
        if one != two:
            self._of[min(one, two)] = max(one, two)

    def add(self, place: int, text: IndexText, at_ms: int) -> None:
        """Take in a message."""
        by_id = self._by_id
        for name in text.ids:
            if name:
                other = by_id.setdefault(hash(name), place)
                if other != place:
                    self.join(place, other)
        self._add_subject(place, text, at_ms)

    def settle(self) -> None:
        """Have each place name its set directly, so that conversations can be read off the array."""
        for place in range(len(self._of)):
            self._of[place] = self.find(place)

    def forget(self) -> None:
        """Settle, and give back what is needed only while messages are taken in."""
        self.settle()
        self._by_id, self._by_subject = {}, {}

    def _add_subject(self, place: int, text: IndexText, at_ms: int) -> None:
        subject, is_reply = base_subject(text.subject)
        if not subject:
            return
        is_orphan = is_reply and len(text.ids) == 1
        key = hash(subject)
        near = self._by_subject.get(key)
        if near and abs(at_ms - near[1]) <= _NEAR_MS and (near[2] if at_ms <= near[1] else is_orphan):
            self.join(place, near[0])
        self._by_subject[key] = (place, at_ms, is_orphan)


class Copies:
    """Which places hold the same message; a message that is there once costs nothing once all are taken in."""

    def __init__(self) -> None:
        self._first: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}
        self._group: dict[int, int] = {}

    def add(self, place: int, text: IndexText) -> None:
        """Take in a message."""
        own = text.ids[0] or (text.subject, text.from_, text.date)
        first = self._first.setdefault(hash((own, text.body)), place)
        if first != place:
            self._members.setdefault(first, [first]).append(place)
            self._group[first] = self._group[place] = first

    def of(self, place: int) -> list[int]:
        """Return the places that are copies of one another, this one included."""
        first = self._group.get(place)
        return [place] if first is None else list(self._members[first])

    def forget(self) -> None:
        """Give back what is needed only while messages are taken in."""
        self._first = {}
