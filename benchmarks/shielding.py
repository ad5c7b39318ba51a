"""How well marks tell private mail: precision and recall on office mail that others labelled by hand.

Only marks can be measured so: the set is the mail of one company in 2000 and 2001, and no protected domain occurs in
it. Two truths: what the labels call purely personal; and what they call personal, about somebody's employment, said in
secrecy, or legal advice. The halves are odd and even numbers. They are no blind test: whoever wrote the rules had read
the subjects of both, and four phrases were added after both had been counted once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Figure, Options, say
from muniment.observe.headers import facts_of
from muniment.policy.shield import Shielding, union_domains

PURELY_PERSONAL = {(1, 2)}
IN_CONFIDENCE = PURELY_PERSONAL | {(1, 3), (1, 5), (3, 10), (4, 10)}
_FOLDER = "enron-berkeley-labelled"


def measure(options: Options) -> Iterator[Figure]:
    """Yield precision and recall, for each truth and each half."""
    folder = options.mail / _FOLDER if options.mail else None
    if folder is None or not folder.is_dir():
        say(f"  there is no {_FOLDER} below the mail named by --mail; nothing is measured")
        return
    rules = Shielding((name, "union") for name in union_domains())
    messages = [
        (int(path.stem), _labels(path), _is_shielded(path, rules)) for path in sorted(folder.rglob("*.cats"))
    ]
    for truth, name in ((PURELY_PERSONAL, "purely personal"), (IN_CONFIDENCE, "personal or in confidence")):
        for half, rest in (("first half", 1), ("second half", 0)):
            pairs = [
                (bool(labels & truth), found) for number, labels, found in messages if number % 2 == rest
            ]
            yield from _figures(f"{name}, {half}", pairs)


def _labels(path: Path) -> set[tuple[int, int]]:
    lines = (line.split(",") for line in path.read_text().split())
    return {(int(top), int(second)) for top, second, _ in lines}


def _is_shielded(path: Path, rules: Shielding) -> bool:
    return bool(facts_of(path.with_suffix(".eml").read_bytes()).shielded(rules))


def _figures(name: str, pairs: list[tuple[bool, bool]]) -> Iterator[Figure]:
    true, shielded = sum(is_true for is_true, _ in pairs), sum(found for _, found in pairs)
    both = sum(is_true and found for is_true, found in pairs)
    note = f"{both} of {shielded} shielded, of {true} labelled, of {len(pairs)} messages"
    yield Figure(
        name=f"shielding precision: {name}",
        unit="%",
        value=100 * both / shielded if shielded else 0.0,
        note=note,
    )
    yield Figure(
        name=f"shielding recall: {name}", unit="%", value=100 * both / true if true else 0.0, note=note
    )
