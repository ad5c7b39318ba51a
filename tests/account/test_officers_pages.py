"""Today, the trail of looks, the answer to a dispute: each shows what waits, and never a look to whom it is about."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable

import pytest
from django.test import Client

from muniment.account.notice_text import Dispute, entry_of
from muniment.account.trail import trail_of
from muniment.answer.look import Look, look_entry
from muniment.answer.room_wire import Looker
from muniment.people.models import RoleAssignment
from muniment.permit.absence import note_absence
from muniment.permit.delays import delay_notice
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.permit_text import parse_signed_approval
from tests.permit.desk import OUTSIDE, TOMAS, Desk

PageOf = Callable[[str], Client]


def text_of(client: Client, place: str) -> str:
    answer = client.get(place)
    assert answer.status_code == 200, answer.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def give(desk: Desk, name: str, role: str) -> None:
    person = desk.person(name)
    RoleAssignment.objects.create(person=person, role=role, started=person.started)


def test_an_empty_first_day_says_so(served: Desk, page_of: PageOf) -> None:
    text = text_of(page_of("olive"), "/today")
    assert "One thing waits for you" in text and "Network printing: the stream does not start" in text


def test_each_role_is_sent_to_its_home(served: Desk, page_of: PageOf) -> None:
    give(served, "stella", "auditor")
    homes = {
        "olive": "/today",
        "morgan": "/today",
        "ida": "/health",
        "stella": "/looks",
        "tomas": "/my-record",
    }
    assert {name: page_of(name).get("/").headers["Location"] for name in homes} == homes


def test_a_request_waits_for_those_who_may_decide_it(served: Desk, page_of: PageOf) -> None:
    """R-5.2-f, R-5.2-g"""
    served.mail(TOMAS, OUTSIDE)
    number = served.ask().permit.number
    for name in ("olive", "morgan"):
        assert f"Permit {number}: Ida Byte asks to look" in text_of(page_of(name), "/today")
    text = text_of(page_of("chris"), "/today")
    assert "asks to look" not in text and f"Morgan Example or Olive Example, on permit {number}" in text


def test_whoever_would_be_looked_at_finds_nothing_of_it(served: Desk, page_of: PageOf) -> None:
    """R-5.2-g: an officer who is the subject learns of it as every subject does, not from a list of work."""
    served.mail("olive@training.example", OUTSIDE)
    number = served.ask(about="olive").permit.number
    give(served, "olive", "auditor")
    olive = page_of("olive")
    assert number not in text_of(olive, "/today") and number not in text_of(olive, "/looks")
    assert number in text_of(page_of("morgan"), "/today")


def test_a_delayed_permit_is_hidden_from_its_subject_whatever_their_role(
    served: Desk, page_of: PageOf
) -> None:
    """R-5.3-c"""
    served.mail(TOMAS, OUTSIDE)
    number = served.ask().permit.number
    served.approve(number)
    give(served, "tomas", "union_representative")
    tomas = page_of("tomas")
    assert number in text_of(tomas, "/looks")
    until = served.clock() + 86_400_000 * 30
    delay_notice(served.office, number, "managing-director", until, "prejudice", "He would delete it.")
    assert number not in text_of(tomas, "/looks")
    assert number in text_of(page_of("morgan"), "/looks")
    served.clock.advance(days=30)
    assert number in text_of(tomas, "/looks")


def test_the_trail_names_numbers_and_counts_and_whose_mail_only_to_some(
    served: Desk, page_of: PageOf
) -> None:
    index = served.mail(TOMAS, OUTSIDE)
    number = served.ask().permit.number
    served.approve(number)
    looker = Looker(str(served.person("ida").pk), "Ida Byte", "IT support")
    served.office.recorder.append(
        [look_entry(number, 1, looker, Look(act="content", entries=(index,), words="w"))]
    )
    give(served, "stella", "union_representative")
    for name, is_named in (("olive", True), ("stella", False)):
        text = text_of(page_of(name), "/looks")
        assert "permits/1" in text and "permits/2" in text and "looks/1" in text
        assert ("Tomás" in text) is is_named
        assert "Ida Byte read" in text and "Morgan Example approved" in text


def test_a_dispute_waits_for_the_data_protection_officer_and_is_answered_once(
    served: Desk, page_of: PageOf
) -> None:
    index = served.mail(TOMAS, OUTSIDE)
    said = Dispute(
        by=str(served.person("tomas").pk), entry=index, permit="", ground="wrong", text="<i>no</i>"
    )
    served.office.recorder.append([entry_of(said)])
    give(served, "stella", "data_protection_officer")
    dpo = page_of("stella")
    assert "Tomás Tutor says an entry is wrong" in text_of(dpo, "/today")
    assert "says an entry is wrong" not in text_of(page_of("olive"), "/today")
    [placed] = trail_of(served.home).open_disputes()
    place = f"/disputes/{placed.index}"
    assert b"&lt;i&gt;no&lt;/i&gt;" in dpo.get(place).content
    assert dpo.post(place, {"text": " "}).status_code == 400
    assert dpo.post(place, {"text": "It was mended."}).status_code == 302
    assert dpo.post(place, {"text": "Twice."}).status_code == 409
    assert "It was mended." in text_of(dpo, place)
    assert dpo.get("/disputes/99999").status_code == 404


def test_health_shows_counts_and_no_address(served: Desk, page_of: PageOf) -> None:
    served.mail(TOMAS, OUTSIDE)
    text = text_of(page_of("ida"), "/health")
    assert "2 processes do not answer" in text and "Mail gateway Silent" in text
    assert "None yet: muniment backup --to DIR" in text
    assert "Not yet witnessed" in text and TOMAS not in text and OUTSIDE not in text


@pytest.mark.parametrize("place", ["/today", "/looks", "/health"])
def test_staff_are_refused_with_the_clause(place: str, page_of: PageOf) -> None:
    answer = page_of("tomas").get(place)
    assert answer.status_code == 403
    assert "R-5.2-f" in answer.content.decode()


def test_the_register_is_read_by_everybody_and_shows_what_is_refused(page_of: PageOf) -> None:
    """R-5.1-c, R-5.3-n"""
    text = text_of(page_of("stella"), "/streams")
    assert "one stream is refused" in text and "You have been told that mail is kept." in text
    assert "consent" not in text


def test_an_approval_nobody_signed_shows_as_such_and_approves_nothing(served: Desk, page_of: PageOf) -> None:
    """R-5.2-f: whoever can write to the recorder's socket has no officer's key."""
    served.mail(TOMAS, OUTSIDE)
    number = served.ask().permit.number
    signed = parse_signed_approval(served.sign(number))
    forged = {
        "format": "muniment-permit-act/1",
        "act": "approve",
        "number": number,
        "revision": 1,
        "by": "managing-director",
        "at_ms": served.clock(),
        "approval": signed.approval,
        "signature": b64encode(bytes(64)).decode(),
    }
    entry = Entry(stream=Stream.PERMITS, kind=Kind.APPROVAL, plain=json.dumps(forged).encode())
    served.office.recorder.append([entry])
    text = text_of(page_of("olive"), "/today")
    assert "One act on permits cannot be true" in text and f"Permit {number}: Ida Byte asks to look" in text
    assert "No permit is in force" in text_of(page_of("olive"), "/looks")


def test_while_an_officer_is_away_the_alternate_finds_the_request(served: Desk, page_of: PageOf) -> None:
    served.mail(TOMAS, OUTSIDE)
    served.ask()
    chris = page_of("chris")
    assert "asks to look" not in text_of(chris, "/today")
    for officer in ("managing-director", "office-manager"):
        note_absence(served.office, officer, officer, served.clock() + 86_400_000)
    assert "asks to look" in text_of(chris, "/today")
