"""What a word of Muniment's means: a requirement, a clause, a finding, a rule, an error kind, an outcome.

Source: R-1.0-a (a rule is shown where it applies).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator

import msgspec

from .clauses import DEFAULT_CHANGER, Clause, clauses
from .decision import Outcome
from .errors import BadInput, Conflict, Missing, MunimentError, Refused, Tampered, Unavailable
from .finding import questions
from .rules import rules
from .trace import Trace, law_words, traces

_KINDS: dict[str, tuple[type[MunimentError], str]] = {
    "bad input": (BadInput, "Mend what the message names and try again."),
    "refused": (Refused, "`muniment explain` with the clause in the message says who can change it."),
    "missing": (
        Missing,
        "Check the name or number; what has expired stays missing, and its certificate says so.",
    ),
    "conflict": (Conflict, "Look at what already stands; one of the two has to go first."),
    "tampered": (
        Tampered,
        "Stop, copy the home as it is, and tell the Managing Director: this is an incident.",
    ),
    "unavailable": (
        Unavailable,
        "Try again; if it lasts, `muniment status` says which part does not answer.",
    ),
}
_OUTCOMES = {
    Outcome.ALLOW: "The thing passed as it was.",
    Outcome.ALTER: "The thing passed, changed in the way the Decision lists; both faces are in the record.",
    Outcome.HOLD: "The thing waits for a person to decide. No rule of this release holds anything yet.",
    Outcome.REFUSE: "The thing did not pass; the sender was told why, and what was refused is in the record.",
}


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in plain words: its subject, then labelled sentences in the order they are read."""

    subject: str
    parts: tuple[tuple[str, str], ...]


def explain(word: str) -> Explanation:
    """Return what `word` means.

    Raises: Missing, with the nearest known words, when it means nothing here.
    """
    asked = " ".join(word.split())
    for look in LOOKS:
        found = look(asked)
        if found is not None:
            return found
    near = difflib.get_close_matches(
        asked.lower(), [known.lower() for known in known_words()], n=3, cutoff=0.5
    )
    hint = f"Near it: {', '.join(near)}." if near else "Try R-2.2-b, 5.1, L1, mail.footer, refused or alter."
    shown = asked if asked.isprintable() and len(asked) <= 60 else repr(asked[:60])
    raise Missing(f"{shown} is no requirement, clause, finding, rule, error kind or outcome. {hint}")


def known_words() -> list[str]:
    """Return every word that can be explained."""
    numbers = dict.fromkeys(clause.clause for clause in clauses().values())
    return [*clauses(), *numbers, *questions(), *rules(), *_KINDS, *Outcome]


def _requirement(asked: str) -> Explanation | None:
    """Explain a requirement id."""
    by_folded = {id.lower(): id for id in clauses()}
    id = by_folded.get(asked.lower())
    if id is None:
        return None
    trace = traces()[id]
    return Explanation(
        subject=f"{id}: {trace.clause.title} (clause {trace.clause.clause})", parts=tuple(_parts(trace))
    )


def _parts(trace: Trace) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of one requirement."""
    clause = trace.clause
    yield "Asks", clause.asks
    if clause.law:
        yield "Law", law_words(clause.law, seen=clause.law_seen)
    yield "Met by", f"{clause.standing}. {clause.met}"
    if clause.lacks:
        yield "Not yet", clause.lacks
    if trace.control_code:
        yield "Code", ", ".join(trace.control_code)
    if trace.tests and clause.control:
        yield "Tests", ", ".join(trace.tests)
    yield "Evidence", clause.evidence
    yield "Findings", ", ".join(code for code, q in questions().items() if q.clause == clause.id) or "none"
    yield "Can be changed by", clause.changed_by


def _finding(asked: str) -> Explanation | None:
    """Explain one of the twelve findings."""
    question = questions().get(asked.upper())
    if question is None:
        return None
    parts = (
        ("Clause", f"{question.clause}, {clauses()[question.clause].title}"),
        ("Law", law_words(question.law, seen=question.law_seen)),
        ("Decided by", f"{question.key} in muniment.toml; `muniment policy lint` says whether it stands"),
        ("Wording that would do", question.suggestion),
        ("Can be changed by", DEFAULT_CHANGER),
    )
    return Explanation(subject=f"{question.code}: a place where a policy text is often wrong", parts=parts)


def _rule(asked: str) -> Explanation | None:
    """Explain a rule by the name its Decisions carry."""
    rule = rules().get(asked.lower())
    if rule is None:
        return None
    clause = clauses()[rule.clause]
    parts = (
        ("Says", rule.says),
        ("Clause", f"{rule.clause}, {clause.title}"),
        ("Version", str(rule.version)),
        ("Can be changed by", clause.changed_by),
    )
    return Explanation(subject=f"{rule.name}: a rule", parts=parts)


def _clause_number(asked: str) -> Explanation | None:
    """Explain a whole clause of the policy by its number."""
    number = re.sub(r"^(clause|section)\s+", "", asked, flags=re.IGNORECASE).rstrip(".").lower()
    found = [clause for clause in clauses().values() if clause.clause.lower() == number]
    if not found:
        return None
    parts = tuple((clause.id, _one_line(clause)) for clause in found)
    return Explanation(subject=f"Clause {found[0].clause} has {len(found)} requirements", parts=parts)


def _one_line(clause: Clause) -> str:
    """Return a clause in one line."""
    return f"{clause.title} [{clause.standing}]"


def _kind(asked: str) -> Explanation | None:
    """Explain an error kind, by its words or by its class name."""
    folded = {kind.replace(" ", ""): kind for kind in _KINDS}
    kind = folded.get(re.sub(r"[\s_-]", "", asked).lower())
    if kind is None:
        return None
    error, advice = _KINDS[kind]
    meaning = (error.__doc__ or "").split("\n")[0]
    codes = f"exit code {error.exit_code}, HTTP status {error.http_status}, SMTP reply {error.smtp_reply}"
    parts = (("Means", meaning), ("Shown as", codes), ("What to do", advice))
    return Explanation(subject=f"{kind}: a kind of error", parts=parts)


def _outcome(asked: str) -> Explanation | None:
    """Explain the outcome of a Decision."""
    try:
        outcome = Outcome(asked.lower())
    except ValueError:
        return None
    parts = (
        ("Means", _OUTCOMES[outcome]),
        ("Why", "Each Decision names its rule and its clause; `muniment explain` with the clause says more."),
    )
    return Explanation(subject=f"{outcome}: an outcome of a Decision", parts=parts)


LOOKS: tuple[Callable[[str], Explanation | None], ...] = (
    _requirement,
    _finding,
    _clause_number,
    _rule,
    _kind,
    _outcome,
)
