"""The witness's page for people: what it saw of each record, when, and what it refused. Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from typing import Any

from django.template import Context, Engine

from muniment.people.moment import LONDON
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.note import parse_note
from muniment.record.ledger.witness import Doubt
from muniment.serve.witness_book import LogState, Refused

_FOLDER = files("muniment.serve")
_STYLE = (_FOLDER / "witness.css").read_text("utf-8")
_PAGE = Engine(autoescape=True).from_string((_FOLDER / "witness.html").read_text("utf-8"))
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MEANS = {
    Doubt.FORK: "The record was signed twice with the same number of entries and other contents. It has two "
    "histories, and one of them is false. Both signed notes stand below; keep them.",
    Doubt.OLDER: "A shorter state of the record was sent than the one confirmed here. Either an earlier copy of the "
    "record was put back, or somebody sent an old note again. Ask the organisation which.",
    Doubt.UNPROVED: "A state of the record was sent without a proof that it continues the one confirmed here. Either "
    "entries before it were changed, or somebody sent it with a false proof. Ask the organisation for one that holds.",
}


def page(vkeys: Sequence[str], states: Sequence[LogState], doubts: Sequence[Refused]) -> str:
    """Return the page as HTML: proofs of a fork first, in red."""
    forks = [_doubt(each) for each in doubts if each.kind == Doubt.FORK]
    others = [_doubt(each) for each in doubts if each.kind != Doubt.FORK]
    context = {
        "style": _STYLE,
        "vkeys": vkeys,
        "forks": forks,
        "others": others,
        "logs": [_log(state) for state in states],
        "title": _title(len(forks), len(others), states),
    }
    return str(_PAGE.render(Context(context)))


def evidence(refused: Refused) -> str:
    """Return both signed notes of a refusal as a text to keep or send on."""
    return (
        f"Refused by the witness {_when(refused.at)}\n\n{_MEANS[refused.kind]}\n\n"
        f"CONFIRMED HERE\n\n{refused.seen.decode()}\nREFUSED\n\n{refused.offered.decode()}"
    )


def _title(forks: int, others: int, states: Sequence[LogState]) -> str:
    if forks:
        return "A record was altered"
    if others:
        return "Something was refused"
    return "Nothing was altered" if any(state.seen for state in states) else "Nothing confirmed yet"


def _log(state: LogState) -> dict[str, Any]:
    if state.seen is None:
        return {"origin": state.origin, "is_seen": False}
    checkpoint = state.seen.checkpoint
    return {
        "origin": state.origin,
        "is_seen": True,
        "size": f"{checkpoint.size:,}",
        "root": base64.b64encode(checkpoint.root).decode(),
        "when": _when(state.at),
        "note": state.seen.note.decode(),
    }


def _doubt(refused: Refused) -> dict[str, Any]:
    offered, seen = (parse_checkpoint(parse_note(note).text) for note in (refused.offered, refused.seen))
    return {
        "id": str(refused.id),
        "origin": refused.origin,
        "means": _MEANS[refused.kind],
        "when": _when(refused.at),
        "offered": refused.offered.decode(),
        "seen": refused.seen.decode(),
        "offered_size": f"{offered.size:,}",
        "seen_size": f"{seen.size:,}",
    }


def _when(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(LONDON)
    return f"{moment.day} {moment:%B %Y} at {moment:%H:%M:%S}"
