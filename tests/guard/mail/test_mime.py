"""The scan finds a message's parts by offset, lists what is wrong with them, and is sure or says that it is not."""

from __future__ import annotations

import email

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.guard.mail import mime, mime_field
from tests.guard.mail.test_footer import PDF, PLAIN, TOP, parts


def test_parts_are_numbered_and_their_offsets_are_of_the_message():
    inner = b"Content-Type: multipart/alternative; boundary=b2\r\n\r\n--b2\r\n" + PLAIN + b"\r\n--b2--"
    message = parts("mixed", inner, PDF)
    found = {part.number: part for part in mime.scan(message).walk()}
    assert list(found) == ["1", "1.1", "2"]
    assert found["1"].kind == "multipart/alternative"
    assert message[found["1.1"].start : found["1.1"].end] == PLAIN
    assert message[found["1.1"].body : found["1.1"].end] == b"Hello"
    assert message[found["2"].body : found["2"].end] == b"JVBERi0x"
    assert (found["2"].disposition, found["2"].filename) == ("attachment", "a.pdf")


def test_the_line_end_before_a_delimiter_belongs_to_the_delimiter():
    for ending in (b"\r\n", b"\n"):
        message = parts("mixed", PLAIN + b"\r\n").replace(b"\r\n", ending)
        (part,) = mime.scan(message).children
        assert message[part.body : part.end] == b"Hello" + ending


@pytest.mark.parametrize(
    ("line", "is_delimiter"),
    [
        (b"--b1", True),
        (b"--b1 \t", True),
        (b"--b11", False),
        (b"--b1 x", False),
        (b" --b1", False),
        (b"--B1", False),
        (b"x--b1", False),
        (b"--b1-", False),
    ],
)
def test_a_delimiter_is_a_whole_line(line, is_delimiter):
    message = parts("mixed", PLAIN + b"\r\n" + line + b"\r\n\r\nmore")
    assert len(mime.scan(message).children) == (2 if is_delimiter else 1)


def test_what_stands_behind_the_last_delimiter_is_no_part():
    assert len(mime.scan(parts("mixed", PLAIN) + b"--b1\r\n" + PLAIN).children) == 1


def test_an_unclosed_multipart_runs_to_its_end_and_says_so():
    message = parts("mixed", PLAIN).removesuffix(b"\r\n--b1--\r\n")
    root = mime.scan(message)
    assert root.children[0].end == len(message)
    assert root.defects == ("the closing boundary is missing",)
    assert root.doubt == ""


@pytest.mark.parametrize(
    ("header", "doubt"),
    [
        (b"Content-Type: multipart/mixed", "does not name its boundary"),
        (b"Content-Type: multipart/mixed; boundary=zz", "never occurs"),
        (b"Content-Type: multipart/mixed; boundary=b1; boundary=b2", "in two ways"),
        (b'Content-Type: multipart/mixed; boundary="b1\r\n "', ""),
        (b'Content-Type: multipart/mixed; boundary="b\r\n 1"', "in two ways"),
        (b"Content-Type: multipart/mixed; boundary=b1; boundary*=b2", "in two ways"),
        (b"Content-Type: text/plain\r\nContent-Type: text/html", "two Content-Type lines that differ"),
        (b"Content-Type: text/plain\r\nContent-type: text/plain", ""),
        (
            b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64",
            "two Content-Transfer-Encoding",
        ),
        (b"Content-Type: text/plain; x=" + b"y" * 70_000, "larger than"),
        (b"X-Long: " + b"y" * 1_100_000, "larger than"),
    ],
)
def test_what_two_readers_could_read_differently_is_a_doubt(header, doubt):
    found = mime.scan(header + b"\r\n\r\n--b1\r\n\r\nHello\r\n--b1--\r\n").doubt
    assert doubt in found
    assert bool(doubt) == bool(found) or header.endswith(b'b1\r\n "')


def test_depth_and_number_of_parts_are_bounded():
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=n%d-\r\n\r\n--n%d-\r\n" % (level, level)
        for level in range(100)
    )
    assert sum("nested deeper" in part.doubt for part in mime.scan(deep).walk()) == 1
    wide = parts("mixed", *[PLAIN] * 3_000)
    root = mime.scan(wide)
    assert len(root.children) <= mime.PARTS_CAP + 1
    assert any("only the first" in defect for defect in root.defects)


@pytest.mark.parametrize(
    ("value", "kind", "parameters"),
    [
        (b"text/plain", "text/plain", {}),
        (b" TEXT/HTML ; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        (
            b'text/plain; charset="utf-8"; format=flowed',
            "text/plain",
            {"charset": "utf-8", "format": "flowed"},
        ),
        (b"text/plain (a (nested) comment); charset=utf-8 (x)", "text/plain", {"charset": "utf-8"}),
        (b'text/plain; name="a\\"b;c"', "text/plain", {"name": 'a"b;c'}),
        (b"text/plain; name*0=ab; name*1=cd", "text/plain", {"name": "abcd"}),
        (b"text/plain; name*=utf-8'en'a%20b", "text/plain", {"name": "a b"}),
        (b"text/plain;;charset=utf-8;", "text/plain", {"charset": "utf-8"}),
        (b"text", "text/plain", {}),
        (b"", "text/plain", {}),
        (b'text/plain; name="never ends', "text/plain", {"name": "never ends"}),
    ],
)
def test_a_content_type_is_read(value, kind, parameters):
    found = mime_field.content_type(value)
    assert (found.kind, dict(found.parameters)) == (kind, parameters)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(b"", "7bit"), (b"8-bit", "8bit"), (b" Base64 (x)", "base64"), (b'"7bit"', "7bit"), (b"8bit;", "8bit")],
)
def test_an_encoding_is_read(value, wanted):
    assert mime_field.encoding(value) == wanted


def test_where_a_charset_is_named_is_found_to_the_byte():
    value = b' text/plain; charset="utf-8" (x); format=flowed'
    assert [value[start:end] for start, end in mime_field.charset_spans(value)] == [b'charset="utf-8"']
    assert value[: mime_field.kind_end(value)] == b" text/plain"


HEADERS = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: multipart/digest; boundary=c\n",
        b"Content-Type: text/plain;\r\n charset=x\r\n",
        b"\r\n",
        b"--b\r\n",
        b"--c\n",
        b"--b--\r\n",
        b"\r\n--c--",
        b"From x\n",
        b" folded\r\n",
        b"text\r\n",
    ]
)


@given(st.lists(HEADERS | st.binary(max_size=12), max_size=24).map(b"".join))
@settings(deadline=None, max_examples=500)
def test_any_bytes_give_parts_that_lie_within_each_other(message):
    for part in mime.scan(message).walk():
        assert 0 <= part.start <= part.header_end <= part.body <= max(part.end, part.body) <= len(message)
        at = part.body
        for child in part.children:
            assert at <= child.start <= child.end <= part.end
            at = child.end


@given(st.binary(max_size=120))
@settings(deadline=None)
def test_any_field_value_is_read(value):
    mime_field.content_type(value)
    mime_field.encoding(value)
    mime_field.disposition(value)
    for start, end in mime_field.charset_spans(value):
        assert 0 <= start < end <= len(value)


@given(st.lists(st.sampled_from([PLAIN, PDF, b"\r\nno header"]), min_size=1, max_size=5))
@settings(deadline=None)
def test_the_parts_are_those_an_independent_reader_finds(each):
    message = parts("mixed", *each)
    read = email.message_from_bytes(message).get_payload()
    found = mime.scan(message).children
    assert [part.kind for part in found] == [part.get_content_type() for part in read]
    bodies = [message[part.body : part.end] for part in found]
    assert bodies == [part.get_payload().encode() for part in read]
    assert message.startswith(TOP)
