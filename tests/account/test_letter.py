"""A message as a page shows it: text, the particulars marked, nothing run, and no time lost on hostile bytes."""

from __future__ import annotations

import time
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from muniment.account.letter import SHOWN_BYTES, Letter, Part, letter_of
from muniment.guard.mail.footer_words import words
from tests.organisation import PARTICULARS

FOOTER = words(PARTICULARS).text
HEADER = b"From: a@training.example\r\nSubject: x\r\n"
SECONDS = 5.0


def shown(raw: bytes) -> Letter:
    return letter_of(raw, PARTICULARS)


def text(part: Part) -> str:
    return "\n".join(line.text for line in part.lines)


def html_letter(markup: bytes) -> Letter:
    return shown(HEADER + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + markup)


def test_the_source_is_shown_line_by_line() -> None:
    raw = HEADER + b"\r\nGood morning\r\n\r\nTom\r\n"
    assert [line.text for line in shown(raw).source] == [
        *HEADER.decode().splitlines(),
        "",
        "Good morning",
        "",
        "Tom",
    ]


def test_the_particulars_are_marked_in_text_and_source_and_nothing_else_is() -> None:
    raw = HEADER + b"\r\nExample Training is my employer.\r\n\r\n" + FOOTER.encode() + b"\r\nAfterwards\r\n"
    letter = shown(raw)
    [part] = letter.parts
    marked = [line.text for line in part.lines if line.is_footer]
    assert marked == FOOTER.splitlines()
    assert [line.text for line in letter.source if line.is_footer] == marked
    assert letter.has_particulars


def test_three_of_four_particulars_are_no_footer() -> None:
    letter = shown(HEADER + b"\r\n" + FOOTER.replace("01234567", "7654321").encode())
    assert not letter.has_particulars
    assert not any(line.is_footer for line in letter.source)


def test_a_message_of_two_parts_shows_both_and_its_attachment_only_in_the_source() -> None:
    message = EmailMessage()
    message.set_content("Grüße\n" + FOOTER.replace("\r\n", "\n"), cte="base64")
    message.add_alternative(f"<p>Gr&uuml;&szlig;e</p>{words(PARTICULARS).html}", subtype="html")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf")
    letter = shown(message.as_bytes())
    assert [part.kind for part in letter.parts] == ["Plain text", "HTML, as text"]
    assert [text(part).splitlines()[0] for part in letter.parts] == ["Grüße", "Grüße"]
    assert all(any(line.is_footer for line in part.lines) for part in letter.parts)
    assert letter.has_particulars


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        (b"<p>one</p><p>two<br>three</p>", "one\ntwo\nthree"),
        (b"<html><head><title>t</title><style>p{}</style></head><body>x</body></html>", "x"),
        (b"a<script>alert(1)</script>b", "ab"),
        (b"a<SCRIPT\n>alert(1)</ScRiPt foo>b", "ab"),
        (b"a<!-- <p>no</p> -->b<!doctype html>", "ab<!doctype html>"),
        (b"a<script>alert(1)", "aalert(1)"),
        (b"a<p", "a"),
        (b"1 < 2 and 3 > 2 &amp; &lt;b&gt;", "1 < 2 and 3 > 2 & <b>"),
        (b'<a href="javascript:alert(1)">press</a><img src=x onerror=alert(1)>', "press"),
    ],
)
def test_html_is_reduced_to_what_is_read(markup: bytes, seen: str) -> None:
    [part] = html_letter(markup).parts
    assert text(part) == seen


def test_marks_that_turn_writing_round_are_spelled_out() -> None:
    letter = shown(HEADER + "\r\ngpj.\u202eexe \x1b[2J\u2066\u200b\ttab é 字\r\n".encode())
    [part] = letter.parts
    assert text(part) == "\ngpj.\\u202eexe \\u001b[2J\\u2066\\u200b\ttab é 字".lstrip("\n")


@pytest.mark.parametrize(
    "charset", ["nonsense", "utf-7", "idna", "punycode", "unicode_escape", "hex", "\\0", ""]
)
def test_any_charset_shows_something(charset: str) -> None:
    raw = HEADER + f"Content-Type: text/plain; charset={charset}\r\n\r\nabc\r\n".encode()
    [part] = shown(raw).parts
    assert "abc" in text(part)


def test_a_long_message_is_cut_and_says_by_how_much() -> None:
    letter = shown(HEADER + b"\r\n" + b"x" * (2 * SHOWN_BYTES))
    assert letter.left_out_bytes == SHOWN_BYTES + len(HEADER) + 2
    assert sum(len(line.text) for line in letter.source) <= SHOWN_BYTES


@pytest.mark.parametrize(
    "body",
    [b"<" * 300_000, b"<!--" * 80_000, b"<script>" * 40_000, b"<style" * 50_000, b"<a " * 100_000, b"</p>" * 80_000,
     b"&#" * 150_000, b"Example\r\n" * 40_000, b"Example 01234567\r\n" * 20_000],
    ids=lambda body: body[:18].decode(),
)  # fmt: skip
@pytest.mark.parametrize("kind", [b"html", b"plain; charset=punycode"])
def test_what_was_written_to_take_long_does_not(body: bytes, kind: bytes) -> None:
    start = time.monotonic()
    shown(HEADER + b"Content-Type: text/" + kind + b"\r\n\r\n" + body)
    assert time.monotonic() - start < SECONDS


def test_a_message_of_many_nested_parts_is_shown() -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
        for level in range(2_000)
    )
    assert shown(HEADER + deep).source[0].text.startswith("From:")


@given(st.binary(max_size=300))
@example(b"Content-Type: text/html; charset=\xff\r\n\r\n<")
@example(b"Content-Type: multipart/x\r\n\r\n--\r\n")
def test_hostile_bytes_are_shown(raw: bytes) -> None:
    letter = shown(raw)
    lines = [*letter.source, *(line for part in letter.parts for line in part.lines)]
    assert all(line.text.replace("\t", "").isprintable() for line in lines)
    assert letter.left_out_bytes == 0
