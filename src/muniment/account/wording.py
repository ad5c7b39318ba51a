"""Small words of the pages: numbers, days, how long something has waited. Pure; times are London's."""

from __future__ import annotations

from datetime import date

from muniment.people.moment import in_clock, local

_NUMBERS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


def in_number(count: int) -> str:
    """Return a count as a word up to twelve, else with its digits."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else f"{count:,}"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun, for instance `one message` or `1,204 messages`."""
    return f"{in_number(count)} {one if count == 1 else many or one + 's'}"


def day(moment: date, today: date) -> str:
    """Return a day as the list shows it: `Today`, `Tomorrow`, `24 Nov`, with its year when it is another."""
    apart = (moment - today).days
    if apart in (0, 1):
        return ("Today", "Tomorrow")[apart]
    year = "" if moment.year == today.year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year}"


def long_day(moment: date) -> str:
    """Return `Tuesday 24 November 2026`."""
    return f"{moment:%A} {moment.day} {moment:%B %Y}"


def full(milliseconds: int) -> str:
    """Return `Tuesday 24 November 2026, 9.20 am`."""
    moment = local(milliseconds)
    return f"{long_day(moment.date())}, {in_clock(moment)}"


def waited(since_ms: int, now_ms: int) -> str:
    """Return how long something has waited: `less than an hour`, `5 hours`, `2 days`."""
    hours = max(0, now_ms - since_ms) // 3_600_000
    if hours < 1:
        return "less than an hour"
    if hours < 48:
        return "one hour" if hours == 1 else f"{hours} hours"
    return f"{hours // 24} days"
