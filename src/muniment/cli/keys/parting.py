"""What a replacement says at its end: what whoever left can still open, which permits ended, what to do next."""

from __future__ import annotations

from typing import Any

from muniment.cli.sheets import grouped
from muniment.permit.lapsed import lapsed
from muniment.permit.replay import read_history
from muniment.record.home import Home
from muniment.record.keys.history import current_officers
from muniment.record.keys.standing import reach_of
from muniment.record.opening import clock_ms
from muniment.record.replacing import Replaced


def parting(home: Home, done: Replaced) -> tuple[dict[str, Any], list[str]]:
    """Return (JSON value, lines) about a replacement that was just made."""
    permits = sorted(
        lapsed(read_history(home).permits.values(), current_officers(home), clock_ms()),
        key=lambda each: each.number,
    )
    reach = {each.key_id: reach_of(home, each.key_id) for each in done.departed}
    value = {
        "epochs": done.epochs,
        "newcomers": {each.id: each.key_id.hex() for each in done.newcomers},
        "departed": {
            each.id: {"key_id": each.key_id.hex(), "entries": reach[each.key_id].entries}
            for each in done.departed
        },
        "permits_ended": [each.number for each in permits],
    }
    lines = [
        f"{each.id}: key {grouped(each.key_id)} opens everything the record still holds, and what comes from now on."
        for each in done.newcomers
    ]
    lines.append("The record states the new officers; `muniment verify` still holds.")
    for each in done.departed:
        lines += [
            "",
            f"Key {grouped(each.key_id)} of {each.id} is out: nothing is sealed to it from now on.",
            f"  It can still open {reach[each.key_id].entries:,} entries recorded while it was in force, if somebody",
            "  kept the key file and the six words AND gets at this machine's keeper. Nothing can take that back.",
            "  Destroy that key file and its sheet. If they may be in other hands: `muniment keys rotate`, see that no",
            "  backup of record/keeper lies within reach, and tell the data protection officer today.",
        ]
    if permits:
        numbers = ", ".join(each.number for each in permits)
        lines += [
            "",
            f"Ended now, because the key that signed them is out: permit {numbers}.",
            "  Rooms over them open nothing more. Whoever still needs one asks for its renewal.",
        ]
    return value, lines
