"""Broken and hostile mail is stamped where a reader sees it, or refused with a reason, at a cost like its size."""

from __future__ import annotations

import time

import pytest

from muniment.guard.mail import footer
from muniment.guard.mail.footer import Outcome
from tests.guard.mail.footer_reader import carries, shown, stamped, texts
from tests.guard.mail.test_footer import FOOTER, PAGE, PARTICULARS, PLAIN, TOP, letter, parts

PAGES = {
    "no body": "<p>Hello</p>",
    "body not closed": "<html><body><p>Hello",
    "nothing": "",
    "only html closed": "<html><p>Hello</html>",
    "several in comments": "<html><body><!-- </body> --><p>Hello</p><!--</body>--></body></html>",
    "in a script": "<body><script>var a = '</body>';</script><p>Hello</p></body>",
    "in a style": "<body><style>/* </body> */ p {}</style><p>Hello</p></body></html>",
    "in an attribute": '<body><p title="</body>">Hello</p></body></html>',
    "conditional comment": "<body><p>Hello</p><!--[if mso]></body></html><![endif]--></body></html>",
    "upper case": "<HTML><BODY><P>Hello</P></BODY ></HTML>",
    "comment not closed": "<body><p>Hello</p><!-- and then",
    "script not closed": "<body><p>Hello</p><script>var a = 1;",
    "style not closed": "<body><p>Hello</p><style>p {",
    "title not closed": "<html><title>Hello",
    "textarea not closed": "<body><textarea>Hello",
    "tag not closed": '<body><p>Hello</p><a href="https://outside.example/',
    "hidden not closed": '<body><div style="display:none">Hello',
    "hidden before the end": '<body><div style="display:none"><div>Hello</div></body></html>',
    "two bodies": "<body><p>One</p></body><body><p>Two</p></body>",
    "text behind the end": "<html><body>Hello</body></html>and more",
    "xhtml": '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p/></body></html>',
    "end tags only": "</p></div></td></table></body></html>",
    "angle brackets": "<body>1 < 2 << 3 <3 </ > <> <!> <?> </body>",
}


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_the_footer_of_a_page_is_seen(page, encoding):
    sent = stamped(letter(page.encode(), "text/html; charset=utf-8", encoding))
    assert carries(texts(sent)[0])


def test_the_footer_stands_before_the_last_true_end_of_the_body():
    page = b"<html><body><!-- </body> --><p>Hello</p></body></html><!-- </body> -->\r\n"
    sent = stamped(letter(page, "text/html"))
    assert sent.index(b"<p>Hello</p>") < sent.index(b"01234567") < sent.index(b"</body></html>")


UNSEEN = {
    "comment": b"<!-- %b -->",
    "display": b'<div style="display: none">%b</div>',
    "visibility": b"<p style='visibility:hidden'>%b</p>",
    "white": b'<font color="#ffffff">%b</font>',
    "size": b'<span style="font-size:0px">%b</span>',
    "attribute": b"<div hidden>%b</div>",
    "class": b"<style>.x{display:none}</style><div class=x>%b</div>",
    "script": b"<script>%b</script>",
    "title": b"<title>%b</title>",
    "alt": b'<img alt="%b">',
    "template": b"<template>%b</template>",
    "escaped style": b'<div style="display&#58;none">%b</div>',
    "css comment": b'<div style="display:/**/none">%b</div>',
}


@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN.keys())
def test_particulars_nobody_sees_do_not_count(unseen):
    page = b"<html><body><p>Hello</p>" + unseen % FOOTER.replace(b"\r\n", b" ") + b"</body></html>"
    assert footer.stamp(letter(page, "text/html"), PARTICULARS).outcome is Outcome.STAMPED


def test_particulars_in_a_page_count_when_seen():
    page = (
        b"<html><body><p>Hello</p><p><b>" + FOOTER.replace(b" ", b"&nbsp;<wbr>") + b"</b></p></body></html>"
    )
    assert carries(shown(page.decode()).replace("\xa0", " "))
    assert footer.stamp(letter(page, "text/html"), PARTICULARS).outcome is Outcome.ALREADY


def nested(depth: int) -> bytes:
    message = PLAIN
    for level in range(depth):
        boundary = b"n%d" % level
        message = (
            b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n%b\r\n--%b--\r\n"
            % (boundary, boundary + b"x", message, boundary + b"x")
        ).replace(b"boundary=" + boundary, b"boundary=" + boundary + b"x")
    return TOP + message


def test_a_boundary_that_begins_another_is_not_that_other():
    inner = (
        b"Content-Type: multipart/alternative; boundary=b11\r\n\r\n--b11\r\n"
        + PLAIN
        + b"\r\n--b11\r\n"
        + PAGE
    )
    sent = stamped(parts("mixed", inner + b"\r\n--b11--", b"Content-Type: image/png\r\n\r\nx"))
    assert len(texts(sent)) == 2
    assert all(carries(text) for text in texts(sent))


def test_an_unterminated_multipart_is_stamped():
    stamped(parts("alternative", PLAIN, PAGE).removesuffix(b"--b1--\r\n"))
    stamped(parts("mixed", PLAIN).removesuffix(b"\r\n--b1--\r\n"))


def test_nesting_is_followed_to_its_limit_and_then_refused():
    stamped(nested(10))
    result = footer.stamp(nested(100), PARTICULARS)
    assert result.outcome is Outcome.REFUSED
    assert "nested deeper" in result.reason


MULTIPART = b"Content-Type: multipart/mixed"
REFUSED = {
    "no boundary": TOP + MULTIPART + b"\r\n\r\n--b1\r\n\r\nHello\r\n",
    "boundary never occurs": TOP + MULTIPART + b"; boundary=b2\r\n\r\n--b1\r\n\r\nHello\r\n--b1--\r\n",
    "two boundaries": TOP + MULTIPART + b"; boundary=b1; boundary=b2\r\n\r\n--b1\r\n\r\nHello\r\n--b1--\r\n",
    "folded boundary": TOP + MULTIPART + b'; boundary="b\r\n 1"\r\n\r\n--b 1\r\n\r\nHello\r\n--b 1--\r\n',
    "two types": b"Content-Type: text/html\r\n" + letter(b"Hello\r\n"),
    "multipart in base64": parts("mixed", PLAIN)
    .replace(b"boundary", b"x=y;boundary", 1)
    .replace(b"MIME-Version", b"Content-Transfer-Encoding: base64\r\nMIME-Version", 1),
    "unknown encoding": letter(b"Hello\r\n", encoding="x-uuencode"),
    "broken base64": letter(b"Hello\r\n").replace(b"7bit", b"base64").replace(b"Hello", b"Hel*o"),
    "bare CR": letter(b"Hello\rthere\r\n"),
    "piece of a message": letter(b"Hello\r\n", 'message/partial; id="a"; number=1'),
    "utf-16 in 8bit": letter("Hello é\r\n".encode("utf-16"), "text/plain; charset=utf-16", "8bit"),
    "utf-16 of odd length": letter("Hello".encode("utf-16") + b"x", "text/plain; charset=utf-16", "base64"),
}


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED.keys())
def test_mail_whose_text_is_in_doubt_is_refused_with_what_to_do(message):
    result = footer.stamp(message, PARTICULARS)
    assert result.outcome is Outcome.REFUSED, result.changes
    assert result.message == message
    assert "clause 2.2" in result.reason
    assert result.reason.endswith(".")
    assert result.reason.count(". ") == 1


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_no_line_grows_above_what_smtp_takes(kind, encoding):
    line = b"x" * 998
    sent = stamped(letter(line if encoding == "8bit" else line * 5, f"text/{kind}; charset=utf-8", encoding))
    assert max(map(len, sent.split(b"\r\n"))) <= 998


HOSTILE = {
    "tags": b"<" * 1_000_000,
    "quotes": b"<a '\"" * 150_000,
    "comments": b"<!--" * 250_000,
    "hidden": b"<div hidden>" * 80_000,
    "attributes": b"<p " + b"a=b " * 250_000 + b">",
    "end tags": b"</body" * 150_000,
    "styles": b"<style>.a{" * 100_000,
    "delimiters": b"--b1\r\n" * 150_000,
    "parameters": b"; a=b" * 200_000,
    "escape sequences": b"\x1b$B" * 300_000,
    "soft line breaks": b"=\r\n" * 300_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_content_costs_seconds_at_most(content):
    begun = time.process_time()
    heads = [f"text/html; charset={charset}" for charset in ("utf-8", "iso-2022-jp")]
    for kind in [*heads, "text/plain; format=flowed", "multipart/mixed; boundary=b1"]:
        for encoding in ("8bit", "quoted-printable"):
            message = (
                TOP
                + f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
                + content
            )
            assert footer.stamp(message, PARTICULARS).outcome in (Outcome.STAMPED, Outcome.REFUSED)
    footer.stamp(TOP + b"Content-Type: multipart/mixed" + content + b"\r\n\r\n", PARTICULARS)
    assert time.process_time() - begun < 10
