"""From the question to the room: what is asked, decided and opened, end to end on a real recorder."""

from __future__ import annotations

import pytest

from muniment.permit.acts import refuse
from muniment.permit.band import band
from muniment.policy.errors import BadInput, Missing, Refused
from tests.permit.desk import OUTSIDE, STELLA, TOMAS, Desk
from tests.record.recording import message


def test_a_room_opens_exactly_what_was_asked_for_and_approved(desk: Desk) -> None:
    """R-5.2-f: not the neighbour before it, not the one behind it, not what is marked private."""
    before = desk.mail(STELLA, OUTSIDE, text="Not about Tomás")
    wanted = desk.mail(TOMAS, OUTSIDE, text="Wanted")
    private = desk.mail(TOMAS, OUTSIDE, text="Private", shielded="sensitivity")
    also = desk.mail(OUTSIDE, TOMAS, text="Wanted too")
    asked = desk.ask()
    after = desk.mail(TOMAS, OUTSIDE, text="After the question")
    assert asked.permit.entries == 2 and asked.permit.shielded == 1 and band(asked.permit.entries) == "1-9"
    assert len(asked.words.split("-")) == 6
    standing = desk.approve(asked.permit.number)
    assert standing.state == "approved"
    with desk.room(asked.permit.number, asked.words) as room:
        assert room.open(wanted).content == message(2, "Wanted")
        assert room.open(also).content == message(4, "Wanted too")
        for other in (before, private, after):
            with pytest.raises(Missing):
                room.open(other)


def test_nothing_opens_before_an_officer_has_approved(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    asked = desk.ask()
    with pytest.raises(Missing, match="approval"), desk.room(asked.permit.number, asked.words):
        pass


def test_the_envelope_alone_opens_no_content(desk: Desk) -> None:
    """R-5.3-e"""
    index = desk.mail(TOMAS, OUTSIDE)
    asked = desk.ask(purpose="OPS", depth="envelope", case="")
    desk.approve(asked.permit.number)
    with desk.room(asked.permit.number, asked.words) as room:
        assert room.open_meta(index)[1]
        with pytest.raises(Missing):
            room.open_faces(index)


def test_what_is_marked_private_opens_with_a_second_reason_only(desk: Desk) -> None:
    """R-5.3-l"""
    private = desk.mail(TOMAS, OUTSIDE, text="Private", shielded="subject")
    desk.mail(TOMAS, OUTSIDE, text="Plain")
    first = desk.ask()
    desk.approve(first.permit.number)
    second = desk.ask(kind="shielded", parent=first.permit.number, reason="The plain ones name this one.")
    assert (second.permit.entries, second.permit.shielded) == (1, 1)
    desk.approve(second.permit.number)
    with desk.room(second.permit.number, second.words) as room:
        assert b"Private" in room.open(private).content
        assert len(room) == 1


def test_somebody_elses_permit_is_nothing_to_go_on_from(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE, shielded="subject")
    first = desk.ask()
    desk.approve(first.permit.number)
    with pytest.raises(Refused, match="not yours"):
        desk.ask("hana", kind="shielded", parent=first.permit.number)


def test_permits_are_numbered_without_a_gap(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    assert [desk.ask().permit.number for _ in range(3)] == ["2026-001", "2026-002", "2026-003"]


@pytest.mark.parametrize(("asks", "role"), [("tomas", "staff"), ("stella", "student"), ("ida", "hr")])
def test_only_a_role_that_may_ask_and_is_held_asks(desk: Desk, asks: str, role: str) -> None:
    """R-5.2-f, R-5.3-k"""
    desk.mail(TOMAS, OUTSIDE)
    with pytest.raises(Refused, match="cannot ask for this as"):
        desk.ask(asks, role=role)
    assert desk.office.history().permits == {}


def test_a_member_of_staff_asks_for_closed_sites_and_a_student_does_not(desk: Desk) -> None:
    """R-5.2-e"""
    sites = {"kind": "exemption", "sites": ("closed.example",), "about": "", "start": desk.now}
    assert desk.ask("tomas", **sites).permit.state == "asked"
    with pytest.raises(Refused):
        desk.ask("stella", **sites)


@pytest.mark.parametrize("part", ["reason", "alternative", "case", "advice"])
def test_what_is_too_long_or_no_text_is_bad_input(desk: Desk, part: str) -> None:
    desk.mail(TOMAS, OUTSIDE)
    with pytest.raises(BadInput, match=f"the {part} has"):
        desk.ask(**{part: "x" * 8001})
    with pytest.raises(BadInput, match="not text"):
        desk.ask(**{part: "\udcff"})
    number = desk.ask().permit.number
    with pytest.raises(BadInput, match="not text"):
        refuse(desk.office, number, 1, "managing-director", "\udcff")
    assert desk.standing(number).state == "asked"
