"""The statutory particulars reach the reader in every charset, encoding and shape of mail, and nothing else changes."""

from __future__ import annotations

import base64
import email
import quopri

import msgspec
import pytest

from muniment.guard.mail import footer
from muniment.guard.mail.footer import Outcome
from muniment.policy.particulars import PartOfUK
from tests.guard.mail.footer_reader import carries, own_parts, stamped, texts
from tests.organisation import PARTICULARS

WELSH = msgspec.structs.replace(
    PARTICULARS, name="Hyfforddiant Tŷ Gŵyl Cyf", registered_office="1 Heol y Môr, Trefŵyl LL1 1AA"
)
TOP = b"From: a@training.example\r\nTo: b@outside.example\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"


def letter(text: bytes, kind: str = "text/plain; charset=us-ascii", encoding: str = "7bit") -> bytes:
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    return TOP + head + encode(text, encoding)


def encode(text: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(text).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        return quopri.encodestring(text.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return text


def parts(kind: str, *each: bytes) -> bytes:
    body = b"".join(b"--b1\r\n" + part + b"\r\n" for part in each)
    return TOP + f'Content-Type: multipart/{kind}; boundary="b1"\r\n\r\n'.encode() + body + b"--b1--\r\n"


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nHello"
PAGE = b"Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>Hello</p></body></html>"
PDF = (
    b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename=a.pdf\r\n\r\nJVBERi0x"
)

CHARSETS = [
    ("us-ascii", "Hello\r\n"),
    ("iso-8859-1", "Café\r\n"),
    ("iso-8859-15", "10 €\r\n"),
    ("windows-1252", "“Hello”\r\n"),
    ("utf-8", "Zoë ✓\r\n"),
    ("utf-8", "\ufeffwith a mark\r\n"),
    ("iso-2022-jp", "こんにちは\r\n"),
    ("iso-2022-kr", "안녕\r\n"),
    ("shift_jis", "こんにちは\r\n"),
    ("gb18030", "你好\r\n"),
    ("koi8-r", "Привет\r\n"),
    ("utf-16", "Hello é\r\n"),
    ("utf-16le", "Hello é\r\n"),
    ("utf-16be", "Hello é\r\n"),
    ("utf-32", "Hello é\r\n"),
]


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary", "quoted-printable", "base64"])
@pytest.mark.parametrize(("charset", "text"), CHARSETS, ids=lambda value: value.strip())
@pytest.mark.parametrize("particulars", [PARTICULARS, WELSH], ids=["english", "welsh"])
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_every_charset_and_encoding_shows_the_particulars(charset, text, encoding, particulars, kind):
    wide = charset.startswith(("utf-16", "utf-32"))
    if wide and encoding != "base64":
        encoding = "base64"
    if kind == "html":
        text = f"<html><body><p>{text}</p></body></html>\r\n"
    octets = text.encode(charset)
    if encoding == "7bit" and not octets.isascii():
        encoding = "8bit"
    message = letter(octets, f"text/{kind}; charset={charset}", encoding)
    sent = stamped(message, particulars)
    assert all(carries(shown, particulars) for shown in texts(sent))
    before = texts(message)[0].lstrip("\ufeff")
    assert before in texts(sent)[0]


@pytest.mark.parametrize("label", ["x-unknown", "", "utf-7", "hz-gb-2312", "x" * 90, '"', "unicode-1-1"])
def test_an_unknown_charset_gets_ascii_letters(label):
    message = letter(b"caf\xe9 +AGE-\r\n", f"text/plain; charset={label}", "8bit")
    result = footer.stamp(message, WELSH)
    assert result.outcome is Outcome.STAMPED
    assert b"Hyfforddiant Ty Gwyl Cyf" in result.message
    assert result.message.startswith(message[:-2])


def test_a_charset_that_lacks_a_letter_is_lifted_to_utf_8():
    sent = stamped(letter("Café\r\n".encode("latin-1"), "text/plain; charset=iso-8859-1", "8bit"), WELSH)
    part = email.message_from_bytes(sent)
    assert part.get_content_charset() == "utf-8"
    assert part["Content-Transfer-Encoding"] == "quoted-printable"
    assert "Café" in part.get_payload(decode=True).decode()


def test_a_text_that_is_not_in_its_charset_is_not_lifted_but_written_in_ascii():
    message = letter(b"caf\xe9 \xff\xfe\r\n", "text/plain; charset=utf-8", "8bit")
    sent = footer.stamp(message, WELSH)
    assert sent.outcome is Outcome.STAMPED
    assert sent.message == message + sent.message[len(message) :]
    assert "ASCII letters" in sent.changes[0]


FOOTER = (
    b"Example Training Ltd\r\nRegistered in England and Wales, company number 01234567\r\n"
    b"Registered office: 1 Example Street, Exampletown EX1 1EX\r\n"
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"", b""),
        (b"Hello", b"Hello\r\n\r\n"),
        (b"Hello\r\n", b"Hello\r\n\r\n"),
        (b"Hello\r\n\r\n", b"Hello\r\n\r\n"),
        (b"Hello\r\n-- \r\nMorgan\r\n", b"Hello\r\n-- \r\nMorgan\r\n\r\n"),
        (b"Hello\r\n> quoted\r\n", b"Hello\r\n> quoted\r\n\r\n"),
        (b"\r\n", b"\r\n"),
    ],
)
def test_a_plain_text_ends_in_the_footer(text, wanted):
    message = letter(text)
    assert stamped(message) == message[: len(message) - len(text)] + wanted + FOOTER


def test_lines_end_as_in_the_message():
    message = letter(b"Hello\r\n").replace(b"\r\n", b"\n")
    assert b"\r" not in stamped(message)


@pytest.mark.parametrize("delsp", ["", "; delsp=yes"])
def test_flowed_text_does_not_flow_into_the_footer(delsp):
    sent = stamped(letter(b"a long line that goes \r\non and on \r\n", f"text/plain; format=flowed{delsp}"))
    assert sent.endswith(b"on and on \r\n\r\n\r\n" + FOOTER)
    spaced = msgspec.structs.replace(PARTICULARS, name="From Example Ltd")
    assert b"\r\n From Example Ltd\r\n" in stamped(letter(b"Hello\r\n", "text/plain; format=flowed"), spaced)


def test_a_signature_line_in_flowed_text_does_not_flow():
    sent = stamped(letter(b"Hello\r\n-- \r\n", "text/plain; format=flowed"))
    assert sent.endswith(b"-- \r\n\r\n" + FOOTER)


@pytest.mark.parametrize(
    "quoted",
    [
        b"Thanks\r\n\r\n> " + FOOTER.replace(b"\r\n", b"\r\n> "),
        b"Thanks\r\n\r\n>> | " + FOOTER.replace(b"\r\n", b"\r\n>> | "),
        b"Thanks\r\n" + FOOTER.upper().replace(b" ", b"   "),
        FOOTER.replace(b"Exampletown", b"Exampletown\r\n>"),
    ],
)
def test_once_a_thread_is_enough(quoted):
    result = footer.stamp(letter(quoted), PARTICULARS)
    assert result.outcome is Outcome.ALREADY
    assert result.message == letter(quoted)


@pytest.mark.parametrize(
    "close",
    [
        FOOTER.replace(b"01234567", b"012345678"),
        FOOTER.replace(b"01234567", b"01234568"),
        FOOTER.replace(b"EX1 1EX", b"EX1 1EY"),
        FOOTER.replace(b"Wales", b"Waless"),
        FOOTER.replace(b"Example Training Ltd", b"Another Example Training"),
    ],
)
def test_nearly_the_particulars_are_not_the_particulars(close):
    stamped(letter(close))


def test_each_alternative_is_looked_at_alone():
    said = PLAIN + b"\r\n\r\n" + FOOTER
    sent = stamped(parts("alternative", said, PAGE))
    assert sent.count(b"01234567") == 2
    assert all(carries(text) for text in texts(sent))


@pytest.mark.parametrize(
    "message",
    [
        parts("alternative", PLAIN, PAGE),
        parts("mixed", PLAIN, PDF),
        parts("mixed", PDF, PLAIN),
        parts("mixed", PDF),
        parts("related", PAGE, PDF),
        TOP + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0x\r\n",
        TOP + b"Content-Type: image/png\r\n\r\n\x89PNG\r\n",
        TOP + b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        parts("alternative", b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR"),
        b"Subject: no body\r\n\r\n",
        b"Subject: no empty line\r\n",
        b"Subject: no empty line",
        b"Content-Type: text/html",
        b"",
        b"\r\n",
        b"\r\nno header",
        b"no header, no line end",
        b"Subject: no version\r\nContent-Type: text/html\r\n\r\nHello",
    ],
)
def test_every_shape_of_message_carries_the_particulars(message):
    sent = stamped(message)
    if b"multipart/alternative" in message and b"calendar" not in message:
        assert all(carries(text) for text in texts(sent))


def test_an_attachment_keeps_its_bytes_when_a_text_is_put_before_it():
    message = (
        TOP
        + b"Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: binary\r\n\r\n\x89PNG\n\0\xff"
    )
    note, image = email.message_from_bytes(stamped(message)).get_payload()
    assert note.get_content_type() == "text/plain"
    assert image.get_filename() == "a.png"
    assert image.as_bytes().endswith(b"\x89PNG\n\0\xff")


def test_an_attached_text_is_not_the_message():
    attached = b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nMine"
    forwarded = b"Content-Type: message/rfc822\r\n\r\nSubject: theirs\r\n\r\nTheirs"
    for part in (attached, forwarded):
        sent = stamped(parts("mixed", part))
        assert part in sent
        first = email.message_from_bytes(sent).get_payload(0)
        assert carries(" ".join(first.get_payload().split()))


SIGNED = (
    TOP
    + b'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b1\r\n\r\n--b1\r\n'
    + PLAIN
)
SEALED = {
    "multipart/signed": SIGNED
    + b"\r\n--b1\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b1--\r\n",
    "multipart/encrypted": SIGNED.replace(b"signed", b"encrypted") + b"\r\n--b1--\r\n",
    "pkcs7": TOP + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nMIIB\r\n",
    "x-pkcs7": TOP + b"Content-Type: application/x-pkcs7-mime; name=smime.p7m\r\n\r\nMIIB\r\n",
    "inline signed": letter(b"Hi\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nHello\r\n"),
    "inline encrypted": letter(b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQ\r\n-----END PGP MESSAGE-----\r\n"),
    "inline encrypted html": letter(b"<pre>-----BEGIN PGP MESSAGE-----<br>hQ</pre>", "text/html"),
    "inline in base64": letter(b"-----BEGIN PGP MESSAGE-----\r\n", encoding="base64"),
    "signed within": parts("mixed", SIGNED.removeprefix(TOP).replace(b"b1", b"b2") + b"\r\n--b2--"),
}


@pytest.mark.parametrize("message", SEALED.values(), ids=SEALED.keys())
def test_signed_and_encrypted_mail_is_refused_and_stays_as_it_is(message):
    result = footer.stamp(message, PARTICULARS)
    assert result.outcome is Outcome.REFUSED
    assert result.message == message
    assert "signed or encrypted" in result.reason
    assert "before you sign or encrypt" in result.reason


def test_a_public_key_in_the_text_is_no_signature():
    stamped(letter(b"My key:\r\n-----BEGIN PGP PUBLIC KEY BLOCK-----\r\nmQ\r\n"))


REPORT = parts(
    "report; report-type=delivery-status",
    PLAIN,
    b"Content-Type: message/delivery-status\r\n\r\nAction: failed",
)
ANSWER = (
    TOP
    + b"Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n"
)


@pytest.mark.parametrize("message", [REPORT, ANSWER, ANSWER.replace(b"; method=REPLY", b"")])
def test_reports_and_bare_answers_to_invitations_are_exempt(message):
    result = footer.stamp(message, PARTICULARS)
    assert (result.outcome, result.message) == (Outcome.EXEMPT, message)
    assert result.reason


def test_an_answer_to_an_invitation_with_a_text_carries_the_particulars_there():
    calendar = b"Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR"
    sent = stamped(parts("alternative", PLAIN, calendar))
    assert calendar in sent


def test_an_automatic_reply_is_business_correspondence():
    stamped(b"Auto-Submitted: auto-replied\r\n" + letter(b"I am away.\r\n"))


def test_a_dkim_signature_that_no_longer_matches_is_said():
    result = footer.stamp(b"DKIM-Signature: v=1; d=training.example\r\n" + letter(b"Hello\r\n"), PARTICULARS)
    assert any("DKIM" in change for change in result.changes)


def test_a_company_that_leaves_limited_out_says_that_it_is():
    charity = msgspec.structs.replace(
        PARTICULARS,
        name="Example Charity",
        part_of_uk=PartOfUK.SCOTLAND,
        company_number="SC123456",
        exempt_from_limited=True,
    )
    sent = stamped(parts("alternative", PLAIN, PAGE), charity)
    assert all("company number SC123456, a limited company" in text for text in texts(sent))


def test_the_outermost_header_is_touched_only_where_it_must_be():
    sent = stamped(parts("alternative", PLAIN, PAGE))
    assert sent.startswith(parts("alternative", PLAIN)[: len(TOP)])
    assert len(list(own_parts(email.message_from_bytes(sent)))) == 3
