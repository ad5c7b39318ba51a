"""A message is shielded when it is marked, or the policy protects whom it concerns; not for a word in passing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.guard.mail.direction import Door
from muniment.guard.mail.mail_entry import Envelope, message_entry
from muniment.observe.headers import facts_of
from muniment.policy.decision import Decision, Outcome
from muniment.policy.errors import BadInput
from muniment.policy.policyfile import parse
from muniment.policy.reserved import is_domain
from muniment.policy.shield import Kind, Shielding, folder_mark, subject_mark, union_domains
from muniment.record.entry import Direction
from tests.organisation import policy_bytes

RULES = Shielding(
    [
        ("unison.org.uk", "union"),
        ("rep@training.example", "union"),
        ("law.example", "legal"),
        ("speak.up.example", "whistle-blowing"),
    ]
)


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("Private", "private"),
        ("PRIVATE: my mother", "private"),
        ("Re: Fwd: Personal - Saturday", "personal"),
        ("[private] appointment", "private"),
        ("Appointment (personal)", "personal"),
        ("**Confidential** results", "confidential"),
        ("Results - confidential", "confidential"),
        ("Results \u2013 Strictly confidential", "confidential"),
        ("STRICTLY PRIVATE & CONFIDENTIAL", "private"),
        ("Fw: Private and Confidential: grievance", "private"),
        ("your pay, in confidence", "confidential"),
        ("In strictest confidence: a complaint", "confidential"),
        ("Staff-in-confidence", "confidential"),
        ("Confidential (client)", "confidential"),
        ("Confidential & Proprietary - value", "confidential"),
        ("the wreck; CONFIDENTIAL AND PRIVILEGED", "private"),
        ("Advice: legally privileged", "legal"),
        ("To my solicitor/client file", "legal"),
        ("RE: EXTERNAL: Personal/Confidential", "private"),
        ("=?utf-8?q?Private=3A_caf=C3=A9?=", "private"),
        ("=?iso-8859-1?b?UHJpdmF0ZTog6Q==?=", "private"),
    ],
)
def test_a_mark_in_the_subject_shields(subject: str, kind: str) -> None:
    assert subject_mark(subject) == kind


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Private hire for the open day",
        "Private-sector pay",
        "Personal development plan",
        "Personal protective equipment order",
        "Request for Confidential Information by the auditor",
        "Confidential waste collection on Friday",
        "Confidentiality training",
        "Client lunch",
        "The private (paying) wing",
        "Level 3 Personal Training course",
        "Non-confidential",
        "The non-confidential version",
        "Confidence building",
        "in confident mood",
        "Depersonal: x",
        "Impersonal",
        "Is this personal data?",
        "=?utf-8?b?!!!!?= private lessons",
        "A film: L.A. Confidential has been received.",
    ],
)
def test_a_word_in_passing_does_not(subject: str) -> None:
    assert subject_mark(subject) == ""


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("someone@unison.org.uk", "union"),
        ("<Someone@Branch.UNISON.org.uk.>", "union"),
        ("rep@training.example", "union"),
        ("other@training.example", ""),
        ("a@notunison.org.uk", ""),
        ("a@unison.org.uk.evil.example", ""),
        ("x@a.law.example", "legal"),
        ("x@speak.up.example", "whistle-blowing"),
        ("x@up.example", ""),
        ("unison.org.uk@evil.example", ""),
        ("", ""),
        ("@", ""),
    ],
)
def test_protected_addresses_shield_and_their_look_alikes_do_not(address: str, kind: str) -> None:
    assert RULES.reason(addresses=["a@training.example", address]) == kind


@pytest.mark.parametrize(
    ("sensitivity", "kind"),
    [
        ("Personal", "personal"),
        (" PRIVATE ", "private"),
        ("Company-Confidential", "confidential"),
        ("Normal", ""),
        ("x", ""),
    ],
)
def test_the_sensitivity_field_shields(sensitivity: str, kind: str) -> None:
    assert RULES.reason(sensitivity=sensitivity) == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("ann/Private/1.eml", "private"),
        ("ann/.Private.Doctor/cur", "private"),
        ("ann/.INBOX.Personal/cur", "personal"),
        ("export\\Union\\x", "union"),
        ("ann/Trade Union.mbox", "union"),
        ("ann/Family.mbx", "personal"),
        ("ann/Private hire/x", ""),
        ("ann/inbox", ""),
        ("", ""),
    ],
)
def test_the_folder_of_imported_mail_shields(path: str, kind: str) -> None:
    assert folder_mark(path) == kind


def test_whom_the_policy_protects_goes_before_a_mark() -> None:
    assert RULES.reason(addresses=["a@unison.org.uk"], sensitivity="Private", subject="[personal]") == "union"


@given(st.text(max_size=200), st.text(max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_written_a_kind_or_nothing_comes_back(
    subject: str, address: str, mark: str, path: str
) -> None:
    found = RULES.reason(addresses=[address], sensitivity=mark, subject=subject, folder=path)
    assert found == "" or found in set(Kind)


@pytest.mark.parametrize(
    "subject", ["=?utf-8?q?" + "=?" * 500, "(" * 998, "private " * 200, "re: " * 300, "- " * 500, "*" * 998]
)
def test_subjects_made_to_take_long_do_not(subject: str) -> None:
    import time

    started = time.monotonic()
    subject_mark(subject)
    assert time.monotonic() - started < 0.5


def test_the_list_of_unions_is_of_domains_in_order() -> None:
    names = union_domains()
    assert len(names) > 50
    assert list(names) == sorted(set(names)) and all(map(is_domain, names))


def test_the_policy_file_names_more_and_may_leave_the_unions_out() -> None:
    policy = parse(policy_bytes(shield={"domains": [{"name": "law.example", "kind": "legal"}]}))
    names = dict(policy.shield.names())
    assert names["law.example"] == "legal" and names["unison.org.uk"] == "union"
    alone = parse(
        policy_bytes(shield={"unions": False, "domains": [{"name": "a@law.example", "kind": "legal"}]})
    )
    assert alone.shield.names() == (("a@law.example", "legal"),)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"name": "no domain", "kind": "legal"}, "no domain and no address"),
        ({"name": "Law.example", "kind": "legal"}, "no domain and no address"),
        ({"name": "@law.example", "kind": "legal"}, "no domain and no address"),
        ({"name": "training.example", "kind": "legal"}, "the organisation's own"),
        ({"name": "law.example", "kind": "secret"}, "union, safeguarding, legal or whistle-blowing"),
        ({"name": "law.example", "kind": "legal", "why": "x"}, "why"),
    ],
)
def test_a_mistake_in_the_list_says_what_to_write(row: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse(policy_bytes(shield={"domains": [row]}))


def test_a_name_twice_is_a_mistake() -> None:
    row = {"name": "law.example", "kind": "legal"}
    with pytest.raises(BadInput, match="twice"):
        parse(policy_bytes(shield={"domains": [row, row]}))


MESSAGE = b"From: Rep <rep@mail.unison.org.uk>\r\nTo: ann@training.example\r\nSubject: %b\r\n%b\r\nx\r\n"
DECISION = Decision(
    outcome=Outcome.ALLOW, rule="mail.pass", rule_version=1, clause="R-2.2-b", reason="x", snapshot="0" * 64
)


def through_the_gateway(content: bytes, sender: str = "bounce@list.example") -> str:
    envelope = Envelope(
        door=Door.OUTSIDE, mail_from=sender, rcpt_to=("ann@training.example",), client_host="127.0.0.1", client_port=1,
        helo="x", is_tls=False,
    )  # fmt: skip
    return message_entry(envelope, Direction.INBOUND, content, content, DECISION, RULES).shielded


@pytest.mark.parametrize(
    ("subject", "field", "kind"),
    [
        (b"Meeting", b"", "union"),
        (b"Private: x", b"", "union"),
        (b"Meeting", b"Sensitivity: Private\r\n", "union"),
    ],
)
def test_gateway_and_import_agree(subject: bytes, field: bytes, kind: str) -> None:
    message = MESSAGE % (subject, field)
    assert through_the_gateway(message) == facts_of(message).shielded(RULES) == kind
    marked = message.replace(b"unison", b"other")
    expected = "" if (subject, field) == (b"Meeting", b"") else "private"
    assert through_the_gateway(marked) == facts_of(marked).shielded(RULES) == expected


def test_the_sender_of_the_envelope_shields_too() -> None:
    assert (
        through_the_gateway((MESSAGE % (b"x", b"")).replace(b"unison", b"other"), "a@law.example") == "legal"
    )
