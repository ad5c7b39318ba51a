"""The register of streams as everybody reads it: what may be captured, whether it is, and what it lacks. Pure.

Source: R-5.1-c, R-5.3-n, R-1.S-a.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from muniment.policy.policyfile import PolicyFile
from muniment.policy.streams import KNOWN, StreamRow, in_words, is_old, lacks, row_of

_DOORS = {"mail-gateway": ("inside", "outside"), "mail-journal": ("journal",)}
MARKS = {
    "web": "web",
    "calls": "phone",
    "printing": "print",
    "log-ins": "login",
    "voicemail": "voice",
    "saved-chats": "chat",
}


@dataclass(frozen=True)
class StreamState:
    """One stream of the register; `state` is a word with the class of its shape."""

    name: str
    label: str
    mark: str
    state: str
    shape: str
    why: str
    row: StreamRow | None
    is_old: bool
    kept: str

    @property
    def is_refused(self) -> bool:
        """Tell whether its row keeps it from starting."""
        return self.shape == "stop"


def states_of(policy: PolicyFile, today: date) -> list[StreamState]:
    """Return every stream Muniment knows, those of the register first, in the order of the policy file."""
    named = [row.name for row in policy.streams]
    others = [name for name in KNOWN if name not in named]
    return [_state(name, row_of(policy.streams, name), policy, today) for name in (*named, *others)]


def _state(name: str, row: StreamRow | None, policy: PolicyFile, today: date) -> StreamState:
    known = KNOWN[name]
    state, shape, why = _standing(name, row, policy, today)
    kept = policy.retention["mail"].words if known.is_connected else ""
    return StreamState(
        name=name,
        label=known.label,
        mark=MARKS.get(name, "mail"),
        state=state,
        shape=shape,
        why=why,
        row=row,
        is_old=row is not None and is_old(row, today),
        kept=kept,
    )


def _standing(name: str, row: StreamRow | None, policy: PolicyFile, today: date) -> tuple[str, str, str]:
    known = KNOWN[name]
    lacking = lacks(row, today) if row is not None else ()
    if row is None:
        return "Not captured", "", "It has no row in the register."
    if lacking:
        return "Refused", "stop", f"It does not start: its row lacks {in_words(lacking)}."
    if not known.is_connected:
        return "Not connected", "", "Its row is whole, and nothing in Muniment can capture it yet."
    doors = _DOORS.get(name)
    if doors is None:
        return "On import", "", f"Captured only by {known.how}, when somebody runs it."
    if not any(getattr(policy.gateway, door) for door in doors):
        return "Not connected", "", f"No door is open for it: {known.how} is empty."
    return "Captured", "good", ""


def title_of(states: Sequence[StreamState]) -> str:
    """Return the page's finding."""
    captured = [state.label for state in states if state.shape == "good"]
    refused = sum(1 for state in states if state.is_refused)
    found = _listed(captured) if captured else "Nothing"
    if not refused:
        return f"{found} {_is(captured)} captured"
    streams = "one stream is" if refused == 1 else f"{refused} streams are"
    return f"{found} {_is(captured)} captured; {streams} refused"


def _is(names: Collection[str]) -> str:
    return "are" if len(names) > 1 else "is"


def _listed(names: Sequence[str]) -> str:
    words = [names[0], *(name[0].lower() + name[1:] for name in names[1:])]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
