"""The auditor's page: each permit, look, disclosure, delay and refusal with its number in the record, and counts. Pure.

Whoever is looked at under a permit whose notice an order delays finds nothing of that permit here, whatever their
role; when the order ends, all of it. Only the auditor, the data protection officer and the officers see whose entries
a permit is about. Source: R-5.2-f, R-5.3-c; DESIGN "The watched can see the watchers".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from muniment.account.looked import role_in_words
from muniment.account.trail import Trail
from muniment.account.wording import counted, full
from muniment.permit.looked import Look
from muniment.permit.replay import Event, Standing
from muniment.permit.state import OPEN

_ACTS = {
    "ask": ("", "asked for permit {number}"),
    "narrow": ("", "narrowed permit {number}"),
    "approve": ("good", "approved permit {number}"),
    "refuse": ("stop", "refused permit {number}"),
    "withdraw": ("stop", "withdrew the request for permit {number}"),
    "revoke": ("stop", "revoked permit {number}"),
    "end": ("", "Permit {number} ended by itself"),
    "delay": ("seal", "had the notice of permit {number} delayed"),
    "end-delay": ("", "ended the delay of permit {number}"),
}
_LOOKS = {
    "open-room": "opened the room",
    "count": "looked at counts",
    "climb": "went one step further",
    "search": "searched",
    "envelope": "looked at envelopes",
    "subject": "looked at subject lines",
    "content": "read",
    "attachment": "opened an attachment",
    "scan": "had all of it scanned",
    "pack": "made a pack",
    "close-room": "closed the room",
    "disclosure": "handed out a pack",
}
_RUNGS = {"envelope": "to envelopes", "subject": "to subject lines", "content": "to what was written"}
Named = Callable[[str], str]


@dataclass(frozen=True)
class Line:
    """One line of the trail: its number in the record, its moment, what happened."""

    number: str
    at_ms: int
    when: str
    shape: str
    who: str
    what: str
    detail: str
    permit: str


@dataclass(frozen=True)
class Tally:
    """How often something happened, by somebody or something."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Reader:
    """Who reads the page, and whether they may see whose entries a permit is about."""

    person: str
    sees_subjects: bool


def visible(permits: Iterable[Standing], reader: Reader, now_ms: int) -> dict[str, Standing]:
    """Return the permits this reader may see now, by number."""
    return {
        permit.number: permit
        for permit in permits
        if reader.person not in permit.request.looked_at
        or (permit.delay_at(now_ms) is None and permit.state not in OPEN)
    }


def lines_of(trail: Trail, seen: Mapping[str, Standing], reader: Reader, named: Named) -> list[Line]:
    """Return everything that happened under the permits seen, the newest first."""
    acts = (line for permit in seen.values() for line in _act_lines(permit, reader, named))
    looks = (_look_line(each, named) for each in trail.newest if each.plain.permit in seen)
    return sorted(chain(acts, looks), key=lambda line: (line.at_ms, line.number), reverse=True)


def by_officer(seen: Collection[Standing], officers: Mapping[str, str]) -> list[Tally]:
    """Return how many requests each officer approved, refused and revoked, and how many notices they had delayed."""
    acts = ("approve", "refuse", "revoke", "delay")
    counts: dict[str, Counter[str]] = {officer: Counter() for officer in officers}
    for event in _events(seen):
        counts.setdefault(event.act.by, Counter())[str(event.act.act)] += 1
    shown = {
        officer: found
        for officer, found in counts.items()
        if officer in officers or any(found[a] for a in acts)
    }
    return [
        Tally(officers.get(officer, officer), tuple(found[a] for a in acts))
        for officer, found in shown.items()
    ]


def by_purpose(trail: Trail, seen: Collection[Standing], titles: Mapping[str, str]) -> list[Tally]:
    """Return for each purpose how many permits were asked for and approved, and how many searches and readings."""
    rows: dict[str, list[int]] = {}
    for permit in seen:
        row = rows.setdefault(permit.request.purpose, [0, 0, 0, 0])
        row[0] += 1
        row[1] += permit.approval is not None
        row[2] += trail.acts[permit.number, "search"]
        row[3] += trail.acts[permit.number, "content"] + trail.acts[permit.number, "attachment"]
    return [Tally(titles.get(code, code), tuple(row)) for code, row in sorted(rows.items())]


def title_of(seen: Collection[Standing], now_ms: int) -> str:
    """Return the page's finding."""
    in_force = sum(1 for permit in seen if permit.is_in_force(now_ms))
    if not seen:
        return "Nobody has asked to look"
    if not in_force:
        return "No permit is in force"
    return f"{counted(in_force, 'permit').capitalize()} {'is' if in_force == 1 else 'are'} in force"


def _events(seen: Iterable[Standing]) -> Iterator[Event]:
    return (event for permit in seen for event in permit.events)


def _act_lines(permit: Standing, reader: Reader, named: Named) -> Iterator[Line]:
    for event in permit.events:
        shape, words = _ACTS.get(str(event.act.act), ("", "did something to permit {number}"))
        by_itself = str(event.act.act) == "end"
        yield Line(
            number=event.number,
            at_ms=event.captured_ms,
            when=full(event.captured_ms),
            shape=shape,
            who="" if by_itself else named(event.act.by),
            what=words.format(number=permit.number),
            detail=_detail(permit, event, reader),
            permit=permit.number,
        )


def _detail(permit: Standing, event: Event, reader: Reader) -> str:
    request = permit.request
    if str(event.act.act) == "ask":
        whose = ", ".join(each.name for each in request.subjects) if reader.sees_subjects else ""
        about = f"Mail of {whose}. " if whose else ""
        return f"{about}Purpose {request.purpose}; {counted(request.entries, 'entry', 'entries')}."
    if str(event.act.act) == "delay" and reader.sees_subjects:
        return f"Until {full(event.act.until_ms)}."
    return ""


def _look_line(look: Look, named: Named) -> Line:
    plain = look.plain
    act = "disclosure" if look.is_disclosure else plain.act
    shown = counted(len(plain.entries), "entry", "entries") if plain.entries else _RUNGS.get(plain.rung, "")
    return Line(
        number=look.number,
        at_ms=look.at_ms,
        when=full(look.at_ms),
        shape="good" if look.is_disclosure else "wait" if plain.act in ("content", "attachment") else "",
        who=named(plain.by),
        what=_LOOKS.get(act, act),
        detail=", ".join(part for part in (shown, role_in_words(plain.role)) if part),
        permit=plain.permit,
    )
