"""Twelve places where a policy text may be wrong, stale or thin, each decided from what the policy file says.

A finding never changes what Muniment does. It says what is wrong, by which law, and offers a wording.
Source: requirements 0, L1-L12; R-1.P-b, R-4.3-b.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from .finding import Finding, questions
from .policyfile import PolicyFile
from .wording import ChatRight, FoiRegime, Particular, PhishingAdvice, PrivateMail

_HIGHEST_FINE_POUNDS = 17_500_000
_LONGEST_REVIEW_DAYS = 731
_POUNDS = re.compile(r"£\s?([0-9][0-9,]*(?:\.[0-9]+)?)\s*(million|m\b)?", re.IGNORECASE)


def lint(policyfile: PolicyFile, today: date) -> list[Finding]:
    """Return the findings that stand on `today`, in the order L1 to L12."""
    return [finding for look in LOOKS if (finding := look(policyfile, today)) is not None]


def particulars_named(policyfile: PolicyFile, today: date) -> Finding | None:
    """L1: the text asks for all four particulars."""
    named = policyfile.wording.particulars_named
    if named is None:
        return questions()["L1"].unsaid()
    lacking = [
        particular.replace("_", " ").replace("uk", "UK")
        for particular in Particular
        if particular not in named
    ]
    return questions()["L1"].found(f"The text does not ask for: {', '.join(lacking)}.") if lacking else None


def consent_claimed(policyfile: PolicyFile, today: date) -> Finding | None:
    """L2: the text does not rest monitoring on consent."""
    claimed = policyfile.wording.consent_claimed
    if claimed is None:
        return questions()["L2"].unsaid()
    wrong = "The text rests monitoring on consent, which staff can rarely give freely to their employer."
    return questions()["L2"].found(wrong) if claimed else None


def fine_named(policyfile: PolicyFile, today: date) -> Finding | None:
    """L3: a fine the text names is the one in force."""
    named = policyfile.wording.fine_named
    if named is None:
        return questions()["L3"].unsaid()
    pounds = [_pounds(*match) for match in _POUNDS.findall(named)]
    if not pounds or max(pounds) >= _HIGHEST_FINE_POUNDS:
        return None
    return questions()["L3"].found(
        "The fine the text names is out of date: the highest is now £17.5 million or 4% of turnover."
    )


def _pounds(digits: str, million: str) -> float:
    """Return an amount of money in pounds."""
    return float(digits.replace(",", "")) * (1_000_000 if million else 1)


def callers_told(policyfile: PolicyFile, today: date) -> Finding | None:
    """L4: people outside are told, not only staff who answer calls."""
    told = policyfile.wording.callers_told
    if told is None:
        return questions()["L4"].unsaid()
    wrong = "The text has only our own staff told that calls are monitored, not those who call or write."
    return None if told else questions()["L4"].found(wrong)


def covert_needs_director(policyfile: PolicyFile, today: date) -> Finding | None:
    """L5: hidden looks need the highest authority."""
    needs = policyfile.wording.covert_needs_director
    if needs is None:
        return questions()["L5"].unsaid()
    return (
        None
        if needs
        else questions()["L5"].found(
            "The text lets somebody below the highest authority permit a hidden look."
        )
    )


def phishing_advice(policyfile: PolicyFile, today: date) -> Finding | None:
    """L6: suspect messages are reported, not only deleted."""
    advice = policyfile.wording.phishing_advice
    if advice is None:
        return questions()["L6"].unsaid()
    wrong = (
        "Deleting a suspect message destroys evidence and keeps a breach from being reported (clause 3.3)."
    )
    return questions()["L6"].found(wrong) if advice is PhishingAdvice.DELETE else None


def criticism_banned(policyfile: PolicyFile, today: date) -> Finding | None:
    """L7: a ban on criticism exempts protected disclosures."""
    banned, exempt = policyfile.wording.criticism_banned, policyfile.wording.disclosures_protected
    if banned is False or exempt:
        return None
    if banned and exempt is False:
        return questions()["L7"].found(
            "The text forbids criticism and does not exempt protected disclosures, where a ban is void."
        )
    return questions()["L7"].unsaid()


def chat_right(policyfile: PolicyFile, today: date) -> Finding | None:
    """L8: the right of access covers all chat that is held."""
    reach = policyfile.wording.chat_right
    if reach is None:
        return questions()["L8"].unsaid()
    wrong = "The text limits the right of access to saved chat; the right covers whatever is held."
    return questions()["L8"].found(wrong) if reach is ChatRight.SAVED_ONLY else None


def complaints_route(policyfile: PolicyFile, today: date) -> Finding | None:
    """L9: the text names a route for data protection complaints."""
    route = policyfile.wording.complaints_route
    if route is None:
        return questions()["L9"].unsaid()
    return (
        None
        if route.strip()
        else questions()["L9"].found("The text names no route for data protection complaints.")
    )


def private_mail(policyfile: PolicyFile, today: date) -> Finding | None:
    """L10: private mail is not kept like all other mail."""
    kept = policyfile.wording.private_mail
    if kept is None:
        return questions()["L10"].unsaid()
    wrong = f"The text keeps all mail for {policyfile.retention['mail'].words}, private mail included."
    return questions()["L10"].found(wrong) if kept is PrivateMail.AS_ALL else None


def foi_regime(policyfile: PolicyFile, today: date) -> Finding | None:
    """L11: the text says whether the Freedom of Information Act binds the organisation."""
    regime = policyfile.wording.foi_regime
    if regime is None:
        return questions()["L11"].unsaid()
    wrong = "The text promises the Act's standards and does not say whether the Act, a contract or goodwill binds."
    return questions()["L11"].found(wrong) if regime is FoiRegime.UNNAMED else None


def review_due(policyfile: PolicyFile, today: date) -> Finding | None:
    """L12: the policy's review is neither overdue nor years away."""
    policy = policyfile.policy
    if policy.review_due < today:
        days = (today - policy.review_due).days
        return questions()["L12"].found(
            f"The review was due on {policy.review_due}, {days} day{'s' * (days != 1)} ago."
        )
    if (policy.review_due - policy.revised).days > _LONGEST_REVIEW_DAYS:
        return questions()["L12"].found(
            f"The review is due on {policy.review_due}, more than two years after {policy.revised}."
        )
    return None


LOOKS: tuple[Callable[[PolicyFile, date], Finding | None], ...] = (
    particulars_named,
    consent_claimed,
    fine_named,
    callers_told,
    covert_needs_director,
    phishing_advice,
    criticism_banned,
    chat_right,
    complaints_route,
    private_mail,
    foi_regime,
    review_due,
)
