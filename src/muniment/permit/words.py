"""A permit in words, for its pages: whose, what, why, how many, and what became of it. Pure.

Who asks reads counts in bands until the permit is in force; officers read them exactly.
Source: R-5.2-f; DESIGN "Permit".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from muniment.people.moment import in_words, local
from muniment.people.role import Role
from muniment.permit.band import band
from muniment.permit.purposes import ALLOWANCES
from muniment.permit.state import State
from muniment.policy.clauses import clauses
from muniment.policy.purpose import PURPOSES
from muniment.record.permit_text import PermitRequest

STREAM_WORDS = {
    "mail-gateway": "Mail through the gateway",
    "mail-journal": "Mail from the journal",
    "mail-import": "Imported mail",
    "mail-refused": "Mail that was refused",
}
DEPTH_WORDS = {
    "envelope": "Who wrote to whom, when and how large; never the words.",
    "content": "Counts, then envelopes, then the messages chosen from them, each step with its reason.",
}
PURPOSE_WORDS = {
    "INFO": "to answer a request for information",
    "SAR": "to answer a subject access request",
    "APPEAL": "to answer an appeal",
    "COMPLAINT": "to answer a complaint",
    "LEGAL": "to answer a legal challenge",
    "OPS": "to keep the systems working",
    "SEC": "for security, or a whole view of the business records",
    "USE": "to look into use that the policy does not allow",
    "ABSENCE": "for business that cannot wait while somebody is away",
    "CASE": "to look into alleged misconduct, breach of contract, crime or fraud",
    "OTHER": "for another lawful reason, written down",
    "ORDER": "to follow the order of a court or regulator",
}
_STATES = {
    State.ASKED: ("Waits for an officer", "wait"),
    State.NARROWED: ("Narrowed, waits for an officer", "wait"),
    State.APPROVED: ("In force", "good"),
    State.REFUSED: ("Refused", "stop"),
    State.WITHDRAWN: ("Withdrawn", ""),
    State.REVOKED: ("Revoked", "stop"),
    State.ENDED: ("Ended", ""),
}


@dataclass(frozen=True)
class Cited:
    """A clause as a page cites it: its number in the policy, and what it asks in our words."""

    id: str
    number: str
    title: str
    asks: str


@dataclass(frozen=True)
class PurposeChoice:
    """A purpose of the policy with its clause and what it allows."""

    code: str
    title: str
    allows: str
    cited: Cited


def cite(requirement: str) -> Cited:
    """Return a clause by its requirement id; one that is not known is cited by the id alone."""
    found = clauses().get(requirement)
    if found is None:
        return Cited(requirement, requirement.removeprefix("R-"), "", "")
    return Cited(found.id, found.clause, found.title, found.asks)


def purpose_choices(codes: tuple[str, ...]) -> tuple[PurposeChoice, ...]:
    """Return the purposes of these codes, in the policy's order."""
    return tuple(
        PurposeChoice(each.code, each.title, ALLOWANCES[each.code].words, cite(each.clause))
        for each in PURPOSES
        if each.code in codes
    )


def purpose_title(code: str) -> str:
    """Return what a purpose's code stands for."""
    return next((each.title for each in PURPOSES if each.code == code), code)


def state_words(state: State) -> tuple[str, str]:
    """Return a state in words, and the class that marks it."""
    return _STATES[state]


def at(ms: int) -> str:
    """Return a time of the record in words."""
    return in_words(local(ms))


def day(ms: int) -> str:
    """Return the day of a time of the record."""
    found = local(ms)
    return f"{found.day} {found:%B %Y}"


def period(request: PermitRequest) -> str:
    """Return the days a request covers, the last one included."""
    first, last = day(request.from_ms), day(max(request.from_ms, request.until_ms - 1))
    return first if first == last else f"{first} to {last}"


def listed(names: list[str]) -> str:
    """Return names as people list them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def whose(request: PermitRequest) -> str:
    """Return who is looked at: people by name, then addresses that nobody holds."""
    names = [subject.name for subject in request.subjects]
    unowned = sorted({window.address for window in request.windows if not window.person})
    return listed([*names, *unowned]) or "nobody"


def what(request: PermitRequest) -> str:
    """Return what of them is asked for."""
    if request.kind == "exemption":
        return listed(list(request.sites))
    depth = "the envelopes of " if request.depth == "envelope" else ""
    private = "what is marked private in " if request.kind == "shielded" else ""
    return f"{depth}{private}the mail of {whose(request)}"


def role_label(role: str) -> str:
    """Return a role as people write it."""
    return Role(role).label if role in set(Role) else role


def counts(request: PermitRequest, *, exactly: bool) -> tuple[str, str]:
    """Return how many entries a request opens and how many stay sealed; in bands unless `exactly`."""
    if exactly:
        return f"{request.entries:,}", f"{request.shielded:,}"
    return band(request.entries).replace("-", "–"), band(request.shielded).replace("-", "–")


def waiting(since_ms: int, now_ms: int) -> str:
    """Return since when something waits, as one says it."""
    since, now = local(since_ms), local(now_ms)
    days = (now.date() - since.date()).days
    if days == 0:
        return f"New, {since.hour % 12 or 12}.{since:%M} {'am' if since.hour < 12 else 'pm'}"
    if days < 7:
        return f"Waiting since {since:%A}"
    return f"Waiting since {since.day} {since:%b}"


def ends_if_approved(request: PermitRequest, now_ms: int) -> str:
    """Return when a permit would end that is approved now."""
    found = local(now_ms) + timedelta(days=request.days)
    return f"{found:%A} {found.day} {found:%B %Y}"


def days(count: int) -> str:
    """Return a number of days with its noun."""
    return "1 day" if count == 1 else f"{count} days"


def plain(text: str) -> str:
    """Return a text a person typed without what could turn the writing round or hide; its lines stay."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "?" for letter in text.replace("\r", "")
    )
