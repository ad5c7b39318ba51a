"""What a room answers, in the words and pieces its pages show."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from muniment.answer.reading.extracted import Problem
from muniment.answer.room_values import Hit, Reason
from muniment.answer.views import shown
from muniment.answer.views.shown import Piece


def hit(**changes: object) -> Hit:
    plain: dict[str, object] = {
        "index": 7,
        "number": "mail-gateway/7",
        "captured_ms": 1_757_930_520_000,
        "at_ms": 1_757_930_520_000,
        "date_ms": None,
        "from_": "tomas@training.example",
        "to": ["a@out.example"],
        "size": 14_300,
        "direction": "outbound",
        "attachments": None,
        "copies": 0,
        "thread": 1,
        "notes": 0,
        "tags": [],
    }
    return Hit(**(plain | changes))  # type: ignore[arg-type]


def test_the_ladder_marks_what_is_climbed_and_where_one_stands() -> None:
    assert [rung.place for rung in shown.ladder("subject", "content")] == ["done", "done", "here", ""]
    assert next(rung.label for rung in shown.ladder("counts", "content")) == "Counts"


def test_a_permit_for_envelopes_says_that_content_is_not_within_it() -> None:
    assert shown.ladder("envelope", "envelope")[-1].means == "not within this permit"
    assert shown.next_rung("subject", "envelope") is None
    assert shown.next_rung("content", "content") is None
    assert (shown.next_rung("counts", "envelope") or shown.ladder("counts", "content")[0]).name == "envelope"


def test_a_row_has_neither_subject_nor_snippet_below_their_rung() -> None:
    row = shown.row(hit())
    assert (row.subject, row.snippet) == ("", ())
    assert (row.day, row.clock, row.size) == ("15 Sep 2025", "11.02 am", "14 KB")


def test_many_recipients_are_three_and_a_number() -> None:
    row = shown.row(hit(to=[f"{name}@out.example" for name in "abcde"]))
    assert row.recipients == "a@out.example, b@out.example, c@out.example and 2 more"


def test_writing_that_would_be_turned_round_is_spelled_out() -> None:
    row = shown.row(hit(subject="invoice \u202egpj.exe", from_="a\u2066b\x1b[2J"))
    assert row.subject == "invoice \\u202egpj.exe"
    assert row.sender == "a\\u2066b\\u001b[2J"
    assert shown.visible("सर्व\u200dर नमस्ते می\u200cخواهم") == "सर्व\u200dर नमस्ते می\u200cخواهم"


def test_marks_of_a_snippet_cut_it_and_false_ones_are_passed_over() -> None:
    text = "the changed sheet"
    assert shown.marked(text, [(4, 11)]) == (
        Piece("the ", False),
        Piece("changed", True),
        Piece(" sheet", False),
    )
    assert "".join(piece.text for piece in shown.marked(text, [(4, 11), (6, 9), (-3, 2), (16, 99)])) == text


@given(st.text(), st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60))))
def test_no_marks_lose_or_double_a_letter(text: str, marks: list[tuple[int, int]]) -> None:
    assert "".join(piece.text for piece in shown.marked(text, marks)) == shown.visible(text)


def test_what_was_sought_is_marked_in_a_whole_text() -> None:
    words = 'modera* AND "was  changed"~3 -draft NOT x'
    pieces = shown.pieces("Moderation was changed; draft", shown.sought(words))
    assert [piece.text for piece in pieces if piece.is_mark] == ["Moderation", "was changed"]
    assert shown.sought("  -draft ") is None


@given(st.text(max_size=80), st.text(max_size=200))
def test_no_query_makes_the_marking_fail(words: str, text: str) -> None:
    found = shown.pieces(text, shown.sought(words))
    assert "".join(piece.text for piece in found) == text


def test_what_could_not_be_searched_is_listed_the_most_first_and_nothing_is_not_listed() -> None:
    listed = shown.unseen([Reason("encrypted", 1), Reason("no text", 3), Reason("damaged", 0)])
    assert [(each.count, each.reason) for each in listed] == [(3, "no text"), (1, "encrypted")]


def test_every_reason_why_there_is_no_text_is_a_sentence() -> None:
    for problem in Problem:
        assert bool(shown.why_no_text(problem)) == bool(problem)
        assert not problem or shown.why_no_text(problem).endswith((".", ")"))


def test_a_day_begins_and_ends_in_london() -> None:
    assert shown.start_of(date(2026, 7, 1)) == 1_782_860_400_000  # 30 June, 23:00 UTC
    assert (shown.end_of(date(2026, 7, 1)) or 0) - (shown.start_of(date(2026, 7, 1)) or 0) == 86_400_000
    assert (shown.end_of(date(2026, 10, 25)) or 0) - (shown.start_of(date(2026, 10, 25)) or 0) == 90_000_000
    assert shown.start_of(None) is None and shown.end_of(None) is None
