"""What is indexed of a message, and which messages belong together."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from muniment.answer.index_text import IndexText, text_for_index, text_of_letter
from muniment.answer.index_threads import Copies, Threads
from muniment.answer.reading.letter import read_letter

DAY_MS = 86_400_000
PLAIN = (
    b"From: Tom\xc3\xa1s <tomas@training.example>\r\nTo: a@x.example\r\nCc: b@x.example\r\n"
    b"Subject: =?utf-8?q?Caf=C3=A9?=\r\n"
    b"Message-ID: <2@x>\r\nReferences: <0@x> <1@x>\r\nIn-Reply-To: <1@x>\r\n\r\nGood morning.\r\n"
)
MIXED = (
    b"From: a@x.example\nSubject: Mixed\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    b"--b\nContent-Type: multipart/alternative; boundary=c\n\n"
    b"--c\nContent-Type: text/plain\n\nThe plain text.\n"
    b"--c\nContent-Type: text/html\n\n<p>The <b>h</b>tml text.<script>not()</script></p>\n--c--\n"
    b"--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n"
)


def test_a_plain_message_gives_its_fields_and_ids():
    found = text_for_index(PLAIN)
    assert (found.subject, found.body.strip(), found.attachments) == ("Café", "Good morning.", 0)
    assert found.ids == ("<2@x>", "<0@x>", "<1@x>")
    assert found.to == "a@x.example b@x.example"


def test_both_texts_of_a_message_are_indexed_and_its_attachments_counted():
    found = text_for_index(MIXED)
    assert found.body.split() == ["The", "plain", "text.", "The", "html", "text."]
    assert found.attachments == 1


def test_html_nested_without_end_takes_no_time():
    deep = b"Subject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n" + b"<div>" * 200_000 + b"found"
    assert "found" in text_for_index(deep).body


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"Subject: x\r\n", b"Content-Type: multipart/mixed; boundary=b\n"]),
)
def test_hostile_bytes_give_something(tail, head):
    assert isinstance(text_for_index(head + tail), IndexText)


@given(
    st.lists(st.sampled_from(PLAIN.splitlines(keepends=True) + MIXED.splitlines(keepends=True)), max_size=14)
)
def test_the_fast_road_agrees_with_the_slow_one(lines):
    raw = b"".join(lines)
    fast, slow = text_for_index(raw), text_of_letter(read_letter(raw))
    if not slow.defect:
        assert fast.body.split() == slow.body.split()
        assert fast.subject == slow.subject


def message(number: int, subject: str = "", refers: tuple[int, ...] = (), body: str = "text") -> IndexText:
    ids = tuple(f"<{n}@x>" for n in (number, *refers))
    return IndexText(subject, "a@x.example", "b@x.example", "", ids, body, 0)


def threads_of(*messages: tuple[IndexText, int]) -> list[int]:
    threads = Threads(array("i", range(len(messages))))
    for place in reversed(range(len(messages))):
        threads.add(place, *messages[place])
    threads.forget()
    return [threads.find(place) for place in range(len(messages))]


def test_messages_that_name_one_another_are_one_conversation_in_any_order():
    found = threads_of(
        (message(1), 0), (message(9), 1), (message(2, refers=(1,)), 2), (message(3, refers=(2, 1)), 3)
    )
    assert found == [3, 1, 3, 3]


def test_two_that_name_a_third_that_is_not_here_are_one_conversation():
    assert threads_of((message(1, refers=(7,)), 0), (message(2, refers=(7,)), 1)) == [1, 1]


def test_a_reply_that_names_nobody_joins_its_subject_when_it_is_near():
    first, reply = message(1, "Rota"), message(2, "Re: Rota")
    assert threads_of((first, 0), (reply, 10 * DAY_MS)) == [1, 1]
    assert threads_of((first, 0), (reply, 90 * DAY_MS)) == [0, 1]
    assert threads_of((first, 0), (message(2, "Rota"), DAY_MS)) == [0, 1]


def test_the_same_message_is_a_copy_and_another_text_is_not():
    copies = Copies()
    for place, each in enumerate((message(1), message(2), message(1), message(1, body="other"))):
        copies.add(place, each)
    copies.forget()
    assert [copies.of(place) for place in range(4)] == [[0, 2], [1], [0, 2], [3]]
