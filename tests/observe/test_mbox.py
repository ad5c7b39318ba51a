"""An mbox is cut where a mail program would cut it, and its pieces give it back whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.observe import mbox

MARK = b"From ann@training.example Mon Nov  2 09:00:00 2026\n"
FIRST = (
    b"From: ann@training.example\nSubject: one\n\nHello\n>From the office, quoted\nFrom here no postmark\n"
)
SECOND = b"From: bob@client.example\nSubject: two\n\nGood bye\n"


def cut(data: bytes) -> list[tuple[bytes, bytes, bytes]]:
    found = [
        (data[at.start : at.body], data[at.body : at.end], data[at.end : at.after])
        for at in mbox.messages(data)
    ]
    assert b"".join(b"".join(each) for each in found) == data
    return found


def test_messages_are_cut_at_postmarks_after_an_empty_line():
    assert cut(MARK + FIRST + b"\n" + MARK + SECOND) == [(MARK, FIRST, b"\n"), (MARK, SECOND, b"")]


def test_messages_with_crlf_are_cut_too():
    whole = (MARK + FIRST + b"\n" + MARK + SECOND + b"\n").replace(b"\n", b"\r\n")
    assert [content for _, content, _ in cut(whole)] == [
        FIRST.replace(b"\n", b"\r\n"),
        (SECOND + b"\n").replace(b"\n", b"\r\n"),
    ]


def test_a_postmark_without_an_empty_line_before_it_is_body():
    assert len(cut(MARK + FIRST + MARK + SECOND)) == 1


def test_a_true_content_length_is_believed():
    body = b"Hello\n\n" + MARK + b"a quoted mailbox\n"
    first = b"Subject: one\nContent-Length: %d\n\n" % len(body) + body
    assert cut(MARK + first + b"\n" + MARK + SECOND) == [(MARK, first, b"\n"), (MARK, SECOND, b"")]
    assert cut(MARK + first) == [(MARK, first, b"")]


@pytest.mark.parametrize("length", [b"0", b"3", b"99999999", b"999999999999"])
def test_a_false_content_length_is_not_believed(length):
    first = b"Content-Length: " + length + b"\n\nHello\n"
    assert cut(MARK + first + b"\n" + MARK + SECOND) == [(MARK, first, b"\n"), (MARK, SECOND, b"")]


@pytest.mark.parametrize(
    "postmark",
    [
        b"From ann@training.example Mon Nov 2 09:00 2026\n",
        b"From ann@training.example  Mon Nov  2 09:00:00 BST 2026\n",
        b"From ann@training.example Mon Nov  2 09:00:00 2026 +0000\n",
        b"From MAILER-DAEMON Mon Nov  2 09:00:00 2026\n",
        b"From - Mon Nov 02 09:00:00 2026\n",
        b"From 123@xxx Mon, 2 Nov 2026 09:00:00 +0000\n",
    ],
)
def test_postmarks_of_many_programs_are_known(postmark):
    assert mbox.starts_as_mbox(postmark)
    assert mbox.holds_several(postmark + FIRST + b"\n" + postmark + SECOND)


@pytest.mark.parametrize(
    "line", [b"From the office on Monday\n", b">From a Mon Nov  2 09:00:00 2026\n", b"From:\n", b""]
)
def test_other_lines_are_no_postmarks(line):
    assert not mbox.starts_as_mbox(line)


def test_what_stands_before_the_first_postmark_is_a_message_without_one():
    assert cut(b"stray\n\n" + MARK + SECOND) == [(b"", b"stray\n", b"\n"), (MARK, SECOND, b"")]


def test_empty_messages_are_messages():
    assert cut(MARK + b"\n" + MARK + b"\n" + MARK) == [
        (MARK, b"", b"\n"),
        (MARK, b"", b"\n"),
        (MARK, b"", b""),
    ]
    assert cut(b"") == []


PIECES = st.sampled_from(
    [MARK, FIRST, SECOND, b"\n", b"\r\n", b"Content-Length: 9\n", b"From ", b"\x00", b"text"]
)


@given(st.lists(PIECES, max_size=25).map(b"".join))
def test_any_pieces_give_the_file_back(data):
    cut(data)
