"""The mistakes that show only when everybody is looked at together: two holders of one address, circles. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from muniment.people.fact import About, Fact
from muniment.people.line import circles
from muniment.people.mistake import Mistake
from muniment.people.moment import in_words


def holder_mistakes(
    addresses: Iterable[Fact], touched: Iterable[Fact], numbers: Mapping[str, int], names: Mapping[str, str]
) -> Iterator[Mistake]:
    """Yield a mistake for each address that two people would hold at one moment.

    `numbers` is the row of each person in the file.
    """
    asked = {fact.value for fact in touched if fact.about is About.ADDRESS}
    holders: dict[str, list[Fact]] = defaultdict(list)
    for fact in addresses:
        if fact.value in asked:
            holders[fact.value].append(fact)
    for address, facts in holders.items():
        for first, second in combinations(facts, 2):
            shared = first.span.shared_with(second.span)
            if shared is None:
                continue
            here, there = sorted((first, second), key=lambda fact: numbers.get(fact.person, 0), reverse=True)
            where = f"row {numbers[there.person]}" if there.person in numbers else "the register"
            wrong = (
                f"which {names[there.person]} ({there.person}, {where}) holds from {in_words(shared.start)}"
            )
            mend = "Take it out of one of the two, or end the other one's stay first."
            yield Mistake(numbers.get(here.person, 0), "addresses", address, wrong, mend)


def circle_mistakes(
    facts: Iterable[Fact], touched: Iterable[Fact], numbers: Mapping[str, int]
) -> Iterator[Mistake]:
    """Yield a mistake for each line manager that would make somebody answer to themselves."""
    for fact, way in circles(facts, touched):
        wrong = f"so that the line is a circle: {' answers to '.join(way)}"
        mend = "Leave line_manager empty for the person at the top."
        yield Mistake(numbers.get(fact.person, 0), "line_manager", fact.value, wrong, mend)
