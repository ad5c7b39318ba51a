"""A message is read whatever it is made of: what it says, what came with it, and what is wrong with it."""

from __future__ import annotations

import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.answer.reading.leaves import fast_leaves
from muniment.answer.reading.letter import MAX_HEADER_BYTES, Letter, read_letter
from muniment.answer.reading.patient import patient_leaves

FIXTURES = Path(__file__).parents[4] / "shared" / "data" / "mail"
HEADER = (
    b"From: Ann <ann@training.example>\r\nTo: bob@client.example\r\nSubject: Timetable\r\n"
    b"Message-ID: <1@training.example>\r\n"
)


def full() -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Jörg <j@x.example>", "b@y.example", "Grüße aus Köln"
    made["Message-ID"], made["References"], made["In-Reply-To"] = "<3@x>", "<1@x> <2@x>", "<2@x>"
    made.set_content("Guten Morgen, Köln\n", cte="quoted-printable")
    made.add_alternative("<p>Guten <b>Mor</b>gen, K&ouml;ln</p><p>nur hier</p>", subtype="html")
    made.add_attachment(b"%PDF-1.4 x", maintype="application", subtype="pdf", filename="Plan für 2026.pdf")
    made.add_attachment("inner text", filename="note.txt")
    return made.as_bytes()


def test_a_message_of_several_parts_is_read_whole() -> None:
    letter = read_letter(full())
    assert (letter.subject, letter.from_, letter.to) == (
        "Grüße aus Köln",
        "Jörg <j@x.example>",
        "b@y.example",
    )
    assert letter.body_text.strip() == "Guten Morgen, Köln"
    assert letter.references == ("<1@x>", "<2@x>") and letter.message_id == "<3@x>"
    assert [(each.part, each.name, each.type) for each in letter.attachments] == [
        ("3", "Plan für 2026.pdf", "application/pdf"),
        ("4", "note.txt", "text/plain"),
    ]
    assert letter.attachments[0].data == b"%PDF-1.4 x" and letter.attachments[0].size == 10
    assert letter.defects == ()


def test_both_parsers_say_the_same_of_good_mail() -> None:
    fast, patient = fast_leaves(full()), patient_leaves(full())
    assert [(leaf.type, leaf.name, leaf.data.split()) for leaf in fast.leaves] == [
        (leaf.type, leaf.name, leaf.data.split()) for leaf in patient.leaves
    ]
    assert dict(fast.headers)["Subject"] == dict(patient.headers)["Subject"]


def test_words_that_only_the_html_says_are_searched_too() -> None:
    assert "nur hier" in read_letter(full()).searchable_text()
    assert "Morgen, Köln" in read_letter(full()).searchable_text()


def test_a_message_of_html_only_is_read_as_its_text() -> None:
    letter = read_letter(
        HEADER
        + b"Content-Type: text/html; charset=utf-8\r\n\r\n<style>p{}</style><h1>One</h1>"
        + b"<p>two<br>th<b>r</b>ee</p><script>x</script>"
    )
    assert letter.body_text == "One\ntwo\nthree"


def test_what_the_fast_parser_refuses_the_patient_one_reads() -> None:
    letter = read_letter(
        HEADER + b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\naGVsbG8=!!\r\n"
    )
    assert "hello" in letter.body_text
    assert letter.subject == "Timetable" and letter.defects


def test_what_both_refuse_is_shown_as_it_stands() -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
        for level in range(5_000)
    )
    letter = read_letter(HEADER + deep + b"\r\nthe register\r\n")
    assert letter.defects[-1] == "shown as it stands"
    assert letter.subject == "Timetable" and "boundary" in letter.body_text


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\r\n\r\nx",
        HEADER + b"X: " + b"y" * 10_000_000 + b"\r\n\r\nbody\r\n",
        HEADER + b"Content-Type: text/plain; " + b"a*1=x; " * 20_000 + b"\r\n\r\nbody",
        HEADER + b"\r\n" + b"(" * 1_000_000,
        b"To: " + b"(" * 60_000 + b"\r\n\r\nx",
        b"A: b\r\n" * 200_000 + b"\r\nbody",
        HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000,
        b"Content-Type: message/rfc822\r\n\r\n" * 3_000,
        HEADER
        + b"Content-Type: message/rfc822\r\n\r\nSubject: "
        + b"=?utf-8?b?YQ==?= " * 30_000
        + b"\r\n\r\nx",
        HEADER + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 300_000,
        HEADER + b"Content-Type: text/html\r\n\r\n" + b"<p" * 1_000_000,
        HEADER + b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a-b" * 100_000,
    ],
    ids=range(12),
)
def test_what_was_made_to_take_long_gives_a_letter_in_time(raw: bytes) -> None:
    started = time.monotonic()
    letter = read_letter(raw)
    letter.searchable_text()
    assert time.monotonic() - started < 40
    assert isinstance(letter, Letter)


def test_a_header_above_its_limit_is_cut_and_the_body_stays() -> None:
    letter = read_letter(HEADER + b"X-Long: " + b"y" * (2 * MAX_HEADER_BYTES) + b"\r\n\r\nthe body\r\n")
    assert letter.subject == "Timetable" and letter.body_text.strip() == "the body"
    assert letter.defects == ("header above 64 KiB: its end is left out",)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_letter(raw: bytes) -> None:
    letter = read_letter(raw)
    for text in (letter.subject, letter.body_text, letter.html, *(value for _, value in letter.headers)):
        text.encode("utf-8")  # nothing in it that cannot be written


@given(
    st.lists(
        st.sampled_from(
            [b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Transfer-Encoding: base64\r\n", b"\r\n",
      b"--b\r\n",
             b"Content-Type: text/html; charset=x\r\n", b"Subject: =?utf-8?b?!?=\r\n", b"aGk=",
             b"--b--", b"\xff\xfe", b"From: <a@b>\r\n",
             b"Content-Type: message/rfc822\r\n", b"Content-Disposition: attachment; filename*=utf-8''%ff\r\n",
             b"<p>x", b"\x00"]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_pieces_of_mail_in_any_order_are_a_letter(pieces: list[bytes]) -> None:
    read_letter(b"".join(pieces)).searchable_text().encode("utf-8")


def test_every_message_of_the_collections_is_read() -> None:
    files = [path for path in sorted(FIXTURES.rglob("*")) if path.is_file() and path.suffix != ".cats"]
    read = [read_letter(path.read_bytes()) for path in files]
    raw_only = sum("shown as it stands" in letter.defects for letter in read)
    assert raw_only <= len(files) // 100, f"{raw_only} of {len(files)} were read by no parser"
