"""The purposes for which the record may be opened: exactly those of the policy, and a court's or regulator's order.

Source: R-5.1-b, R-5.3-e to R-5.3-j.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec

from .particulars import line_mistakes
from .shape import About, Mistake

_CLAUSE = "R-5.1-b"


class Purpose(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One purpose a permit may name."""

    code: Annotated[str, About("one of Muniment's purpose codes", _CLAUSE, '"SAR"')]
    title: Annotated[str, About("what the code stands for", _CLAUSE, '"Subject access request"')]
    clause: Annotated[str, About("the clause that allows it", _CLAUSE, '"R-5.1-b"')]


def _purpose(code: str, title: str, clause: str) -> Purpose:
    """Return one row of the list below."""
    return Purpose(code=code, title=title, clause=clause)


PURPOSES = (
    _purpose("INFO", "Request for information", "R-5.1-b"),
    _purpose("SAR", "Subject access request", "R-5.1-b"),
    _purpose("APPEAL", "Appeal", "R-5.1-b"),
    _purpose("COMPLAINT", "Complaint", "R-5.1-b"),
    _purpose("LEGAL", "Legal challenge", "R-5.1-b"),
    _purpose("OPS", "Effective operation of the systems", "R-5.3-e"),
    _purpose("SEC", "Security, and a whole view of the business records", "R-5.3-f"),
    _purpose("USE", "Use that the policy does not allow", "R-5.3-g"),
    _purpose("ABSENCE", "Business that cannot wait while somebody is away", "R-5.3-h"),
    _purpose("CASE", "Alleged misconduct, breach of contract, crime or fraud", "R-5.3-i"),
    _purpose("OTHER", "Another lawful reason, written down", "R-5.3-j"),
    _purpose("ORDER", "Order of a court or regulator", "R-1.P-b"),
)
NEVER_LEFT_OUT = ("SAR", "ORDER")


def purposes_mistakes(purposes: Sequence[Purpose]) -> Iterator[Mistake]:
    """Yield what is wrong with the list of purposes."""
    clause_of = {purpose.code: purpose.clause for purpose in PURPOSES}
    codes = [purpose.code for purpose in purposes]
    for number, purpose in enumerate(purposes, start=1):
        key = f"purposes[{number}]"
        yield from line_mistakes(f"{key}.title", purpose.title, _CLAUSE)
        if purpose.code not in clause_of:
            yield Mistake(
                f"{key}.code",
                _CLAUSE,
                f"{purpose.code[:20]!r} is no purpose of the policy",
                f"Known: {', '.join(clause_of)}.",
            )
        elif purpose.clause != clause_of[purpose.code]:
            expected = clause_of[purpose.code]
            yield Mistake(
                f"{key}.clause",
                _CLAUSE,
                f"{purpose.code} rests on {expected}",
                f'Write clause = "{expected}".',
            )
    if len(set(codes)) < len(codes):
        yield Mistake("purposes.code", _CLAUSE, "stands twice", "Leave one of them.")
    for code in NEVER_LEFT_OUT:
        if code not in codes:
            yield Mistake("purposes", _CLAUSE, f"leaves out {code}, which the law demands", "Put it back.")
