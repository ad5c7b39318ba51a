"""The picture of counts by week: the geometry of an SVG, worked out here so that a template only prints it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from muniment.people.moment import local

WIDTH, HEIGHT = 596, 126
_BASE, _TALLEST = 100, 80
_MOST_BARS = 60
_LABELS = 6


@dataclass(frozen=True)
class Bar:
    """One bar; `label` stands below when it is not empty, and is left out on a phone when the bar is thin."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    above: float
    count: int
    label: str
    is_named: bool
    is_thin: bool


@dataclass(frozen=True)
class Picture:
    """All bars, and the same in words."""

    bars: tuple[Bar, ...]
    unit: str
    words: str
    width: int = WIDTH
    height: int = HEIGHT


def picture(weeks: Sequence[tuple[int, int]]) -> Picture | None:
    """Return the picture of `(start in ms, count)` a week, gaps filled with nothing; None when there is no week.

    A span of more than sixty weeks is drawn in wider steps, so that no bar is thinner than a line.
    """
    if not weeks:
        return None
    days, counts, step = _filled(weeks)
    tallest = max(counts) or 1
    room = WIDTH / len(counts)
    named = _named(counts)
    every = max(1, -(-len(counts) // _LABELS))
    bars = tuple(
        Bar(
            x=round(at * room + room * 0.1, 1),
            y=round(_BASE - _TALLEST * count / tallest, 1),
            width=round(room * 0.8, 1),
            height=round(_TALLEST * count / tallest, 1),
            middle=round(at * room + room / 2, 1),
            above=round(_BASE - _TALLEST * count / tallest - 6, 1),
            count=count,
            label=f"{day.day} {day:%b}" if at % every == 0 else "",
            is_named=at in named,
            is_thin=at % (2 * every) != 0,
        )
        for at, (day, count) in enumerate(zip(days, counts, strict=True))
    )
    unit = "week" if step == 1 else f"{step} weeks"
    return Picture(bars, unit, _words(days, counts, unit))


def _filled(weeks: Sequence[tuple[int, int]]) -> tuple[list[date], list[int], int]:
    found = {_day(start): count for start, count in weeks}
    first, last = min(found), max(found)
    total = (last - first).days // 7 + 1
    step = -(-total // _MOST_BARS)
    bars = -(-total // step)
    counts = [0] * bars
    for day, count in found.items():
        counts[(day - first).days // 7 // step] += count
    return [first + timedelta(weeks=step * at) for at in range(bars)], counts, step


def _day(start_ms: int) -> date:
    return local(start_ms).date()


def _named(counts: list[int]) -> set[int]:
    """Return the three tallest bars, unless they are neighbours whose numbers would run into each other."""
    tallest = sorted(range(len(counts)), key=lambda at: (-counts[at], at))[:3]
    apart = max(1, len(counts) // 15)
    chosen: list[int] = []
    for at in tallest:
        if counts[at] and all(abs(at - other) >= apart for other in chosen):
            chosen.append(at)
    return set(chosen)


def _words(days: list[date], counts: list[int], unit: str) -> str:
    most = max(range(len(counts)), key=lambda at: counts[at])
    between = f"from {_in_words(days[0])}" + (f" to {_in_words(days[-1])}" if len(days) > 1 else "")
    return (
        f"Messages each {unit}, {between}: {sum(counts):,} in all, "
        f"at most {counts[most]:,}, beginning {_in_words(days[most])}"
    )


def _in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
