"""Whether anything is left out of the record, in words: the last reconciliation, silent streams, alarms. Pure.

Numbers and times only. Source: R-2.1-b; docs/formats/statement.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muniment.account.record_state import label_of, when
from muniment.account.wording import counted, waited

_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One row of the table: `shape` is good, wait or stop."""

    what: str
    state: str
    shape: str
    says: str


@dataclass(frozen=True)
class Completeness:
    """The rows of the table; `title` is what the page should begin with, empty when nothing is to be done."""

    rows: tuple[Finding, ...]
    title: str


def completeness_of(status: Mapping[str, Any], now: datetime) -> Completeness:
    """Return what the recorder's status says of it at an aware moment."""
    now_ms = round(now.timestamp() * 1000)
    silences = list(status.get("silences", ()))
    reconciled = _reconciled(status.get("reconciliation"), now, now_ms)
    rows = (reconciled, *(_silence(each, now) for each in silences), *_alarms(status.get("alarms"), now))
    return Completeness(rows, _title(reconciled, silences))


def _title(reconciled: Finding, silences: list[Mapping[str, Any]]) -> str:
    if reconciled.shape == "stop":
        return "The mail server’s log and the record differ"
    if len(silences) == 1:
        return f"{label_of(str(silences[0]['stream']))} is silent"
    return f"{len(silences)} streams are silent" if silences else ""


def _reconciled(found: Mapping[str, Any] | None, now: datetime, now_ms: int) -> Finding:
    what = "Mail server’s log"
    if found is None:
        return Finding(what, "Not compared", "wait", "Nobody has compared it with the record yet.")
    words = f"accepted {found['accepted']:,}, recorded {found['recorded']:,}, missing {found['missing']:,}"
    if not found["is_whole"]:
        words += " so far as could be judged"
    if found["unnamed"]:
        words += f"; {counted(int(found['unnamed']), 'entry', 'entries')} the log does not name"
    ago = waited(int(found["at_ms"]), now_ms)
    says = (
        f"{words.capitalize()}, from {when(int(found['from_ms']), now)} to {when(int(found['until_ms']), now)}. "
        f"Stated {ago} ago as {found['number']}."
    )
    if not found["tallies"]:
        return Finding(what, "Differs", "stop", says)
    return (
        Finding(what, "Tallies", "good", says) if found["is_whole"] else Finding(what, "Unsure", "wait", says)
    )


def _silence(found: Mapping[str, Any], now: datetime) -> Finding:
    after = f"after {found['stream']}/{found['after']}" if found["after"] else "and has never had an entry"
    return Finding(
        label_of(str(found["stream"])),
        "Silent",
        "wait",
        f"Silent since {when(int(found['since_ms']), now)}, {after}; its row in the register allows "
        f"{counted(int(found['hours']), 'hour')}. Does mail still pass this way?",
    )


def _alarms(found: Mapping[str, Any] | None, now: datetime) -> tuple[Finding, ...]:
    if found is None or not found["total"]:
        return ()
    newest = "; ".join(
        f"{each['entry']} and {each['earlier']} ({when(int(each['at_ms']), now)})"
        for each in found["newest"][:_SHOWN]
    )
    more = int(found["total"]) - min(len(found["newest"]), _SHOWN)
    also = f"; and {counted(more, 'earlier pair')}" if more else ""
    return (
        Finding(
            "One Message-ID, two texts",
            f"{counted(int(found['total']), 'pair').capitalize()}",
            "wait",
            f"{newest}{also}. Often a mailing list or a filter that rewrites; it can be a forgery.",
        ),
    )
