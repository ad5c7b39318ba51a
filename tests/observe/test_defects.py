"""Each defect has a name, and nothing a message holds stops the naming."""

from __future__ import annotations

import fast_mail_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.observe import defects
from muniment.observe.defects import defects_of

GOOD = (
    b"From: a@training.example\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@a>\r\n\r\nHello\r\n"
)


def test_a_good_message_has_no_defects():
    assert defects_of(GOOD) == []


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (b"", "empty"),
        (GOOD + b"\x00", "NUL byte"),
        (GOOD + b"bare\n", "bare LF among CRLF"),
        (GOOD.replace(b"\r\n", b"\n"), "LF line ends throughout"),
        (GOOD + b"a\rb", "bare CR"),
        (GOOD + b"x" * 1001, "line above 998 bytes"),
        (b"Hello, no header here\r\n\r\n", "no header"),
        (b"From: a@b\r\nDate: x\r\n", "no end of header"),
        (b"X: y\r\n" * 20_000 + b"\r\n", "header above 64 KiB"),
        (b"Subject: \xff\r\n" + GOOD, "8-bit bytes in the header"),
        (b"Date: x\r\n" + GOOD, "a field twice that may stand once"),
        (GOOD[GOOD.index(b"Date") :], "no From"),
        (b"Subject: x\r\n\r\n", "no Message-ID"),
        (b"From: a@b", "no line end"),
        (b"From: @@@ <<\r\n" + GOOD, "parser: address-unparseable"),
    ],
)
def test_a_defect_is_named(message, name):
    assert name in defects_of(message)


def test_a_message_too_long_to_parse_is_said_to_be(monkeypatch):
    monkeypatch.setattr(defects, "MAX_PARSED_BYTES", 10)
    assert defects_of(GOOD) == ["too long to be parsed here"]


@pytest.mark.parametrize("error", [ValueError, MemoryError, type("PanicException", (BaseException,), {})])
def test_a_parser_that_fails_is_a_defect(monkeypatch, error):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(fast_mail_parser, "parse_email", fail)
    assert defects_of(GOOD) == [f"parser: {error.__name__}"]


@given(st.binary(max_size=500))
def test_any_bytes_have_named_defects(data):
    assert all(isinstance(name, str) for name in defects_of(data))
