"""The line tree: who answers to whom, and the proof that nobody answers to themselves. Pure.

Source: R-4.1-g (nobody gains a view of their own line by delegation), R-5.2-g.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from muniment.people.fact import About, Fact


def circles(facts: Iterable[Fact], starting: Iterable[Fact]) -> Iterator[tuple[Fact, list[str]]]:
    """Yield each fact of `starting` that closes a circle in `facts`, with the people on the way round.

    A circle counts only when all its links hold at one moment.
    """
    above: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.about is About.MANAGER:
            above[fact.person].append(fact)
    for fact in starting:
        if fact.about is About.MANAGER:
            way = _way_round(fact, above)
            if way:
                yield fact, way


def _way_round(first: Fact, above: dict[str, list[Fact]]) -> list[str]:
    """Return the people from `first.person` up to themselves again, empty when the line ends above them."""
    open_ways = [(first.value, first.span, [first.person])]
    while open_ways:
        person, span, way = open_ways.pop()
        if person == first.person:
            return [*way, person]
        if person in way:
            continue  # a circle that `first` is not part of; its own link reports it
        for fact in above[person]:
            shared = span.shared_with(fact.span)
            if shared is not None:
                open_ways.append((fact.value, shared, [*way, person]))
    return []
