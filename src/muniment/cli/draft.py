"""A draft of the policy file: what init was told, laid out as the TOML file people go on editing.

Source: docs/formats/policy-file.md. Whether it holds is for `muniment.policy.policyfile` to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from muniment.policy.errors import BadInput
from muniment.policy.officer import OfficerRole

Answers = Mapping[str, str]
RECOVERY = "recovery"
_PERSON = re.compile(r"(?P<name>[^<>]+?)\s*<\s*(?P<mailbox>[^<>\s@]+)@(?P<domain>[^<>\s@]+)\s*>")
_LIMITED = re.compile(r"[\s,]+(limited|ltd\.?|plc|cic|llp|cyf(yngedig)?)$", re.IGNORECASE)
_NATIONS = {"Scotland": "SCT", "Northern Ireland": "NIR"}
_LISTENERS = {"inside": "127.0.0.1:2525", "outside": "127.0.0.1:2526", "journal": "127.0.0.1:2527"}


@dataclass(frozen=True)
class NamedOfficer:
    """An officer as init was told of them, before there is a key."""

    id: str
    role: OfficerRole
    name: str
    address: str


def named_officers(answers: Answers) -> list[NamedOfficer]:
    """Return the officers in the order of the policy file.

    Raises:
        BadInput: one of them is not written as `Name <address>`.
    """
    director, manager = answers["managing_director"], answers["office_manager"]
    alternates = [part for part in answers["alternate"].split(";") if part.strip()]
    found = [_officer("managing-director", OfficerRole.MANAGING_DIRECTOR, director)]
    if manager:
        found.append(_officer("office-manager", OfficerRole.OFFICE_MANAGER, manager))
    for number, alternate in enumerate(alternates, start=1):
        owner = "alternate" if number == 1 else f"alternate-{number}"
        found.append(_officer(owner, OfficerRole.ALTERNATE, alternate))
    return found


def domains_of(answers: Answers) -> list[str]:
    """Return the domains, lower case, in the order they were named."""
    return answers["domains"].replace(",", " ").lower().split()


def compose(
    answers: Answers,
    public_keys: Mapping[str, str],
    signing_keys: Mapping[str, str],
    today: date,
    *,
    example: bool,
) -> str:
    """Return muniment.toml. `public_keys` gives the base64 key of each officer's id and of `recovery`.

    `signing_keys` gives the base64 signing key of each officer's id.

    Raises:
        BadInput: an answer cannot be written down at all; what is merely wrong is left for the check to find.
    """
    officers = named_officers(answers)
    parts = [
        _head(answers, example=example),
        _organisation(answers),
        _policy(answers, today),
        *(_officer_table(officer, public_keys[officer.id], signing_keys[officer.id]) for officer in officers),
        f"[recovery]  # the private half is on the sheet in the safe\npublic_key = {_text(public_keys[RECOVERY])}\n",
        _RETENTION,
        _streams(today, example=example),
        _gateway(answers, example=example),
        f"[record]\nanchor_dir = {_text(answers['anchor_dir'])}  # each checkpoint is also copied there\n",
        '[console]\nlisten = "127.0.0.1:8025"  # this machine only; for others: certificate, key, names\n',
    ]
    if example:
        parts += [_WORDING, _SINK]
    return "\n".join(parts)


_RETENTION = """\
[retention.journal]  # proofs, permits, key events; 0 years = as long as the record lives
years = 0
reason = "Proves what was kept, who looked and what was destroyed"
clause = "R-5.1-a"

[retention.mail]
years = 5
reason = "The term the policy sets for mail"
clause = "R-5.1-a"

[retention.refused]  # mail that was not taken
days = 90
reason = "Long enough to answer why it was refused"
clause = "R-5.1-a"
"""

_BASIS = "Legitimate interests (UK GDPR Article 6(1)(f)): proof of what was agreed, answers to requests"
_TOLD = (
    "You have been told that mail through our systems is copied and kept sealed for the policy's term, "
    "that it is opened only by written permission, and that you will learn who read yours."
)
_CAPTURED = {
    "mail-gateway": "A true copy of mail as it passes, kept for the policy's term",
    "mail-journal": "A true copy of mail that our mail system hands over, kept for the policy's term",
    "mail-import": "Mail of the past, kept for what is left of the policy's term",
}
_PRINTING = """\
[[streams]]  # declared, not assessed and nobody told: it does not start
name = "printing"
purpose = "Who printed what, where and how many pages"
"""

_WORDING = """\
[wording]  # what the example's policy text says, as many texts of its age do: see `muniment policy lint`
particulars_named = ["company_number", "registered_office"]
consent_claimed = true
fine_named = "up to £500,000"
callers_told = false
covert_needs_director = false
phishing_advice = "delete"
criticism_banned = true
disclosures_protected = false
chat_right = "saved_only"
complaints_route = ""
private_mail = "as_all"
foi_regime = "unnamed"
"""

_SINK = """\
[sink]  # the example's outside world: it keeps what it gets and sends nothing on
listen = "127.0.0.1:2580"
inside_listen = "127.0.0.1:2581"
"""


def _head(answers: Answers, *, example: bool) -> str:
    stamp = "# EXAMPLE: an invented organisation. Nothing real belongs in here.\n" if example else ""
    return (
        f"{stamp}# What {_comment(answers['name'])} decided. `muniment policy check` tells whether this file holds.\n"
        '# Officers and keys do not change by editing: see the guide, "When an officer changes".\n'
        f"format = 1\nexample = {'true' if example else 'false'}\n"
    )


def _organisation(answers: Answers) -> str:
    name, part = answers["name"], answers["part_of_uk"]
    listed = ", ".join(_text(domain) for domain in domains_of(answers))
    return (
        f"[organisation]\nname = {_text(name)}  # as registered; stands on every external message\n"
        f"short_name = {_text(_LIMITED.sub('', name))}\n"
        f"part_of_uk = {_text(part)}\n"
        f"company_number = {_text(answers['company_number'])}\n"
        f"registered_office = {_text(answers['registered_office'])}\n"
        f"nation = {_text(_NATIONS.get(part, 'ENG'))}  # whose public holidays count: ENG, WLS, SCT or NIR\n"
        f"domains = [{listed}]\n"
    )


def _policy(answers: Answers, today: date) -> str:
    return (
        f'[policy]\nversion = "{today:%Y-%m}"\nrevised = {today.isoformat()}\n'
        f"review_due = {_day(answers['review_due'])}\n"
    )


def _officer_table(officer: NamedOfficer, public_key: str, signing_key: str) -> str:
    return (
        f"[[officers]]\nid = {_text(officer.id)}\nname = {_text(officer.name)}\nrole = {_text(officer.role)}\n"
        f"address = {_text(officer.address)}\npublic_key = {_text(public_key)}\n"
        f"signing_key = {_text(signing_key)}\n"
    )


def _gateway(answers: Answers, *, example: bool) -> str:
    outbound, inbound = answers["outbound_hop"], answers["inbound_hop"]
    inside = _LISTENERS["inside"] if outbound else ""
    outside = _LISTENERS["outside"] if inbound else ""
    hostname = f"mail.{(domains_of(answers) or [''])[0]}"
    return (
        f"[gateway]\nhostname = {_text(hostname)}\n"
        f"inside = {_text(inside)}  # our own people hand in mail here\n"
        f"outside = {_text(outside)}  # the world delivers here\n"
        f"journal = {_text(_LISTENERS['journal'])}  # recorded and answered 250, not passed on\n"
        f"outbound_hop = {_text(outbound)}  # where mail from inside goes next\n"
        f"inbound_hop = {_text(inbound)}  # where mail from outside goes next\n"
        f"hop_tls = {_text('none' if example else 'may')}\n"
    )


def _streams(today: date, *, example: bool) -> str:
    """Return the register of streams; in a real home each row waits for its assessment and its owner."""
    whole = f'assessed = {today.isoformat()}\nowner = "Data Protection Officer"\n'
    waiting = (
        "# assessed = the day of its impact assessment; without it the stream does not start\n"
        "# owner = who answers for it\n"
    )
    rows = [
        f'[[streams]]\nname = "{name}"\npurpose = "{purpose}"\nlawful_basis = "{_BASIS}"\nnotice = "{_TOLD}"\n'
        f'notice_shown = "The terms of use, and My record on the console"\n{whole if example else waiting}'
        for name, purpose in _CAPTURED.items()
    ]
    head = "# What is captured about people. A stream whose row is not whole does not start.\n"
    return head + "\n".join([*rows, *([_PRINTING] if example else [])])


def _officer(owner: str, role: OfficerRole, told: str) -> NamedOfficer:
    match = _PERSON.fullmatch(told.strip())
    if match is None:
        raise BadInput(
            f"{owner}: found {told.strip()[:60]!r}, expected a name and an address (clause R-5.2-f). "
            "Write, for instance, Morgan Example <morgan@training.example>."
        )
    address = f"{match['mailbox']}@{match['domain'].lower()}"
    return NamedOfficer(owner, role, match["name"].strip().strip('"'), address)


def _text(value: str) -> str:
    """Return `value` as a TOML string."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadInput("an answer is not UTF-8 text; type it again, or save the file as UTF-8") from None
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(value: str) -> str:
    """Return `value` so that it stays within a comment."""
    return "".join(letter for letter in value if letter.isprintable())


def _day(value: str) -> str:
    """Return an ISO day, bare as TOML writes it.

    Raises:
        BadInput: it is none.
    """
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise BadInput(
            f"policy.review_due: found {value[:40]!r}, expected a day (clause R-1.P-a). "
            "Write, for instance, 2027-11-01."
        ) from None
