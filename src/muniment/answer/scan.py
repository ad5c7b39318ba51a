"""A scan looks for a list of terms through every entry of a room, one after the other, and keeps only where they were.

1. A text is cut into words once, however many terms there are: letters and digits, without case and accents.
2. A term of one word is found in the set of them. A term of several is a candidate when its first word is there, and is
   found when its words stand side by side.

Memory does not grow with what is read: an entry is forgotten before the next is opened.
Source: docs/formats/room-socket.md, "Searching"; DESIGN "Rooms".
"""

from __future__ import annotations

from collections.abc import Sequence

from muniment.answer.query import fold, tokens_of, words_of
from muniment.policy.errors import BadInput

MAX_TERMS = 10_000
MAX_WORDS_OF_A_TERM = 30
_FEW = 64  # so many terms are first sought as they stand, which is quicker than cutting the text into words


class Terms:
    """A list of terms, ready to be looked for."""

    def __init__(self, terms: Sequence[str]) -> None:
        if not 1 <= len(terms) <= MAX_TERMS:
            raise BadInput(f"a scan takes 1 to {MAX_TERMS:,} terms, found {len(terms):,}")
        self._single: dict[str, list[int]] = {}
        self._several: dict[str, list[tuple[str, int]]] = {}
        for number, term in enumerate(terms):
            words = tokens_of(term)
            if not words:
                raise BadInput(f"term {number + 1} has no word in it: {term[:40]!r}")
            if len(words) > MAX_WORDS_OF_A_TERM:
                raise BadInput(
                    f"term {number + 1} has {len(words)} words, expected {MAX_WORDS_OF_A_TERM} at most"
                )
            if len(words) == 1:
                self._single.setdefault(words[0], []).append(number)
            else:
                self._several.setdefault(words[0], []).append((f" {' '.join(words)} ", number))
        firsts = [*self._single, *self._several]
        self._rarest = firsts if len(firsts) <= _FEW else []

    def find(self, text: str) -> list[int]:
        """Return which terms (by their place in the list) a text holds, rising."""
        text = fold(text).lower()
        if self._rarest and not any(word in text for word in self._rarest):
            return []
        words = words_of(text)
        present = set(words)
        single, several = self._single, self._several
        found = [number for word in single.keys() & present for number in single[word]]
        starts = several.keys() & present
        if starts:
            joined = f" {' '.join(words)} "
            found += [number for word in starts for phrase, number in several[word] if phrase in joined]
        found.sort()
        return found
