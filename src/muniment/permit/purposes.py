"""What each purpose allows: how deep, with which case, with whose advice. Pure.

An order of a court overrides none of it but the choice of purposes: who decides is `conflict.py`'s matter.
Source: R-5.1-b, R-5.3-e, R-5.3-f, R-5.3-g, R-5.3-i, R-5.3-j, R-5.3-l, R-5.2-e.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from muniment.policy.errors import BadInput, Refused
from muniment.policy.purpose import PURPOSES

ENVELOPE, CONTENT = "envelope", "content"
LOOK, SHIELDED, EXEMPTION = "look", "shielded", "exemption"


@dataclass(frozen=True)
class Allowance:
    """What a purpose may ask for; `words` tells it to whoever chooses."""

    words: str
    content: bool = True
    needs_case: bool = True
    content_needs_case: bool = False
    needs_advice: bool = False
    shielded: bool = True
    exemption: bool = False


@dataclass(frozen=True)
class Plea:
    """The parts of a request on which its purpose decides."""

    kind: str
    purpose: str
    depth: str
    case: str = ""
    reason: str = ""
    alternative: str = ""
    advice: str = ""
    parent: str = ""


_STATUTORY = Allowance("Envelope or content, for one named request or case.")
ALLOWANCES = {
    "INFO": _STATUTORY,
    "SAR": _STATUTORY,
    "APPEAL": _STATUTORY,
    "COMPLAINT": _STATUTORY,
    "LEGAL": _STATUTORY,
    "OPS": Allowance(
        "Envelope and volume only: who wrote to whom, when, how large.",
        content=False,
        needs_case=False,
        shielded=False,
    ),
    "SEC": Allowance(
        "Envelope; content only for a named alarm or case.",
        needs_case=False,
        content_needs_case=True,
        exemption=True,
    ),
    "USE": Allowance(
        "Envelope; content only for a named case, never for lost working time alone.",
        needs_case=False,
        content_needs_case=True,
        shielded=False,
    ),
    "ABSENCE": Allowance(
        "Business mail while somebody is away; what is marked private stays sealed.",
        needs_case=False,
        shielded=False,
    ),
    "CASE": Allowance("Envelope or content, for one named case.", exemption=True),
    "OTHER": Allowance(
        "Envelope or content, once the data protection officer has given a view in writing.",
        needs_case=False,
        needs_advice=True,
        exemption=True,
    ),
    "ORDER": Allowance("What the order names, no more.", exemption=True),
}
_LONGEST = {"case": 200, "reason": 8000, "alternative": 8000, "advice": 8000}
_CLAUSES = {purpose.code: purpose.clause for purpose in PURPOSES}


def require_allowed(plea: Plea, known: Collection[str]) -> None:
    """Return when a request may be made for its purpose; `known` are the codes of the policy file.

    Raises:
        BadInput: a text that must be there is empty. Refused: the purpose does not allow it.
    """
    _require_texts(plea)
    _require_lengths(plea)
    if plea.purpose not in known or plea.purpose not in ALLOWANCES:
        raise Refused(
            f"{plea.purpose[:20]!r} is no purpose of the policy; it knows {', '.join(known)}. Choose one of these, "
            "or OTHER with the data protection officer's view",
            clause="R-5.1-b",
        )
    allowance, clause = ALLOWANCES[plea.purpose], _CLAUSES[plea.purpose]
    if plea.kind == EXEMPTION:
        _require_exemption(plea, allowance)
    elif plea.kind == SHIELDED:
        _require_shielded(plea, allowance)
    _require_papers(plea, allowance, clause)
    _require_depth(plea, allowance, clause)


def _require_texts(plea: Plea) -> None:
    if plea.kind not in (LOOK, SHIELDED, EXEMPTION) or plea.depth not in (ENVELOPE, CONTENT):
        raise BadInput(
            f"found kind {plea.kind!r} and depth {plea.depth!r}; expected one of the format's words"
        )
    if not plea.reason.strip():
        raise BadInput("the reason is empty; say what you need to find out, and what makes you think so")
    if not plea.alternative.strip():
        raise BadInput(
            "nothing is said about a less intrusive way; say what you tried or considered, and why it will not do"
        )


def _require_lengths(plea: Plea) -> None:
    for name, most in _LONGEST.items():
        if len(text := getattr(plea, name)) > most:
            raise BadInput(f"the {name} has {len(text):,} characters, expected {most:,} at most; shorten it")


def _require_papers(plea: Plea, allowance: Allowance, clause: str) -> None:
    if allowance.needs_case and not plea.case.strip():
        raise Refused(
            f"{plea.purpose} looks serve one named matter, and no case is named; open the case first and give its "
            "number, or the number of the request or order",
            clause=clause,
        )
    if allowance.needs_advice and not plea.advice.strip():
        raise Refused(
            f"{plea.purpose} needs the data protection officer's view in writing; ask for it and copy it in",
            clause=clause,
        )


def _require_depth(plea: Plea, allowance: Allowance, clause: str) -> None:
    if plea.kind == EXEMPTION or plea.depth == ENVELOPE:
        return
    if not allowance.content:
        raise Refused(
            f"{plea.purpose} sees envelope and volume only; ask for the depth envelope, or for another purpose",
            clause=clause,
        )
    if allowance.content_needs_case and not plea.case.strip():
        alone = (
            "lost working time alone never opens content" if plea.purpose == "USE" else "no alarm is named"
        )
        raise Refused(
            f"{plea.purpose} opens content only for a named case, and {alone}; name the case or the alarm, or ask "
            "for the depth envelope",
            clause=clause,
        )


def _require_shielded(plea: Plea, allowance: Allowance) -> None:
    if not plea.parent.strip():
        raise Refused(
            "what is marked private is opened only where an earlier permit has counted it; name that permit",
            clause="R-5.3-l",
        )
    if not allowance.shielded:
        raise Refused(
            f"{plea.purpose} never opens what is marked private; ask under the case it belongs to",
            clause="R-5.3-l",
        )


def _require_exemption(plea: Plea, allowance: Allowance) -> None:
    if not allowance.exemption:
        able = ", ".join(code for code, found in ALLOWANCES.items() if found.exemption)
        raise Refused(
            f"closed sites are opened for investigative work only, not for {plea.purpose}; choose one of {able}",
            clause="R-5.2-e",
        )
