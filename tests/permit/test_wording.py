"""An officer reads whom, what, why and how many; and what somebody wrote cannot dress up as more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from muniment.permit.wording import printable, told
from tests.permit.samples import IDA, TOMAS, request, window


def words(**changes: object) -> str:
    return "\n".join(f"{label}: {text}" for label, text in told(request(**changes)))


def test_an_officer_reads_whom_what_why_and_how_many() -> None:
    """R-5.2-f"""
    text = words(advice="Proportionate.", readers=(IDA,), parent="2026-001")
    for expected in (
        "2026-003, revision 2",
        "Ida Byte (IT support; ida@training.example)",
        "Tomás Tutor (tomas@training.example)",
        "9 entries; 2 more are marked private and stay sealed",
        "mail-gateway, mail-journal",
        "CASE, Alleged misconduct",
        "2026/17",
        "who placed them?",
        "Asked the supplier",
        "Proportionate.",
        "who asks and 1 more",
        "permit 2026-001",
        "14 days from the approval",
    ):
        assert expected in text, expected


def test_addresses_that_are_nobodys_are_listed() -> None:
    text = words(windows=(window("tomas@training.example", TOMAS), window("someone@outside.example")))
    assert "addresses that are nobody's here: someone@outside.example" in text


def test_an_exemption_names_its_sites_and_no_mail() -> None:
    text = words(kind="exemption", sites=("closed.example",), windows=())
    assert "Closed sites: closed.example" in text and "Whose mail" not in text


@given(st.text())
def test_nothing_that_was_written_moves_the_cursor_or_turns_the_line_round(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable() and "\n" not in shown


def test_an_escape_sequence_and_a_bidirectional_mark_are_shown_as_question_marks() -> None:
    assert printable("a\x1b[2Jb\u202ec\nd") == "a?[2Jb?c / d"


def test_from_now_on_is_said_to_be_asked_for_each_week() -> None:
    asked = request()
    text = words(until_ms=asked.drafted_ms + 86_400_000)
    assert "what was recorded up to" in text and "anew each week" in text
    assert "anew each week" not in words()
