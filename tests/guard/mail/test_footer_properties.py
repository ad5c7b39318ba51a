"""Whatever the message: the footer never raises, its splices give the original back, and it is added once."""

from __future__ import annotations

import email
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.guard.mail import footer, footer_splice
from muniment.guard.mail.footer import Outcome
from muniment.guard.mail.footer_splice import Splice
from tests.guard.mail.footer_reader import carries, own_parts, text_of, texts
from tests.guard.mail.test_footer import (
    FOOTER,
    PAGE,
    PARTICULARS,
    PDF,
    PLAIN,
    SEALED,
    TOP,
    WELSH,
    encode,
    letter,
    parts,
)
from tests.guard.mail.test_footer_hostile import PAGES

SHARED = Path(__file__).parents[4] / "shared"
FOLDERS = [
    folder for folder in (SHARED / "data" / "mail", SHARED / "vectors" / "dkim-dkimpy") if folder.is_dir()
]

PIECES = st.sampled_from(
    [
        b"Content-Type: text/plain; charset=utf-16\r\n",
        b"Content-Type: text/html; charset=iso-2022-jp\r\n",
        b"Content-Type: text/plain; format=flowed; delsp=yes\r\n",
        b"Content-Type: multipart/alternative; boundary=b\r\n",
        b'Content-Type: multipart/mixed; boundary="b b"\r\n',
        b"Content-Type: multipart/signed; boundary=b\r\n",
        b"Content-Type: text/calendar; method=reply\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Disposition: attachment; filename=a\r\n",
        b"\r\n",
        b"\n",
        b"--b\r\n",
        b"--b b\r\n",
        b"--b--\r\n",
        b"<html><body>",
        b"</body></html>",
        b"<!--",
        b"<div style=display:none>",
        b"=\r\n",
        b"=3D",
        b"SGVsbG8=\r\n",
        b"\x1b$B$3\x1b(B",
        b"\xff\xfeH\x00",
        b"> ",
        FOOTER,
        b"Hello",
    ]
)
MESSAGES = st.one_of(
    st.binary(max_size=400),
    st.lists(PIECES, max_size=20).map(b"".join),
    st.lists(PIECES | st.binary(max_size=20), max_size=20).map(b"".join).map(TOP.__add__),
)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\n =>.-"), max_size=300
)


def hold(message, particulars=PARTICULARS):
    planned = footer.plan(message, particulars)
    result = footer.stamp(message, particulars)
    assert footer_splice.undo(result.message, planned.splices) == message
    assert result.reason
    assert (result.outcome is Outcome.STAMPED) == bool(planned.splices) == bool(result.changes)
    return result


@given(MESSAGES, st.sampled_from([PARTICULARS, WELSH]))
@settings(deadline=None, max_examples=600)
def test_any_message_is_stamped_or_answered_and_can_be_had_back(message, particulars):
    hold(message, particulars)


@given(st.sampled_from(sorted(SEALED)), st.integers(0, 400), st.binary(max_size=30))
@settings(deadline=None)
def test_damaged_sealed_mail_can_be_had_back(name, at, junk):
    message = SEALED[name]
    hold(message[:at] + junk + message[at:])


@given(
    TEXTS,
    st.sampled_from(["utf-8", "iso-8859-1", "us-ascii", "utf-16", "iso-2022-jp", "gb18030"]),
    st.sampled_from(["8bit", "quoted-printable", "base64"]),
    st.sampled_from(
        ["text/plain", "text/plain; format=flowed", "text/plain; format=flowed; delsp=yes", "text/html"]
    ),
    st.sampled_from([PARTICULARS, WELSH]),
)
@settings(deadline=None, max_examples=400)
def test_any_text_keeps_its_words_and_gains_the_particulars(text, charset, encoding, kind, particulars):
    if charset == "utf-16":
        encoding = "base64"
    if kind == "text/html":
        text = text.replace("<", "&lt;").replace("&#", "")
    octets = text.replace("\n", "\r\n").encode(charset, "replace")
    head = f'Content-Type: {kind}; charset="{charset}"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    message = TOP + head.encode() + encode(octets, encoding)
    result = hold(message, particulars)
    assert result.outcome is Outcome.STAMPED
    (before,), (after,) = texts(message), texts(result.message)
    assert carries(after, particulars)
    if "delsp" not in kind:
        assert after.startswith(before)
    assert footer.stamp(result.message, particulars).outcome is Outcome.ALREADY


@given(
    st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), st.binary(max_size=9)))
)
@settings(deadline=None)
def test_splices_undo_each_other(message, cuts):
    splices, done = [], 0
    for at, length, new in sorted(cuts, key=lambda cut: cut[0]):
        if done <= at <= len(message):
            splices.append(Splice(at, message[at : at + length], new))
            done = at + len(splices[-1].old)
    assert footer_splice.undo(footer_splice.apply(message, splices), splices) == message


def letters_of(folder):
    """Return the messages of a folder; without one, made ones."""
    if folder:
        return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    pairs = ((PLAIN, PAGE), (PAGE, PDF))
    shapes = [parts(kind, *pair) for kind in ("mixed", "alternative", "related") for pair in pairs]
    return [*shapes, *(letter(page.encode(), "text/html") for page in PAGES.values()), SEALED["pkcs7"]]


@pytest.mark.parametrize("folder", FOLDERS or [None], ids=lambda folder: folder.name if folder else "made")
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_every_real_message_shows_the_particulars_or_says_why_not(folder, ending):
    counts: Counter[Outcome] = Counter()
    for original in letters_of(folder):
        message = original.replace(b"\r\n", b"\n").replace(b"\n", ending)
        result = hold(message)
        counts[result.outcome] += 1
        if result.outcome is Outcome.STAMPED:
            assert any(carries(text) for text in texts(result.message)), message
            assert footer.stamp(result.message, PARTICULARS).outcome is Outcome.ALREADY, message
            assert_alternatives_agree(result.message)
    assert counts[Outcome.STAMPED] > sum(counts.values()) / 2


def assert_alternatives_agree(message: bytes) -> None:
    """Where one alternative carries the particulars, each that is a text of ours does."""
    for part in own_parts(email.message_from_bytes(message)):
        if part.get_content_type() == "multipart/alternative" and part.is_multipart():
            kinds = ("text/plain", "text/html")
            read = [text_of(each) for each in part.get_payload() if each.get_content_type() in kinds]
            assert len({carries(text) for text in read}) < 2, message
