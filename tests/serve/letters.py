"""Messages of every shape to send: generated ones, and the public collections where they lie beside the project."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

COLLECTIONS = Path(__file__).parents[3] / "shared" / "data" / "mail"
_HEADER = b"From: <someone@outside.example>\r\nTo: <tomas@training.example>\r\nSubject: generated %d\r\n"
_REPORT = (
    b"From: <>\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example\r\n\r\n"
    b"Final-Recipient: rfc822; nobody@outside.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n"
)
_BODIES = [
    b"",
    b"\r\n",
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nGood morning.\r\n",
    b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdfe \xa3 5\r\n",
    b"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Good=20morning.</p>\r\n",
    b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nR29vZCBtb3JuaW5nLg==\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    b"<b>html</b>\r\n",
    b"Content-Type: multipart/mixed\r\n\r\nno boundary\r\n",
    b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nsigned\r\n--b\r\n\r\nsignature\r\n--b--\r\n",
    b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAG\r\n",
    b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
    b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner\r\n",
    b"Content-Type: text/plain; charset=no-such-charset\r\n\r\nhello\r\n",
    b"\r\n.\r\n..\r\n...\r\n.leading dots\r\n",
    b"\r\nNUL \x00 and eight bits \xff\r\n",
    b"\r\n" + b"x" * 100_000,
    b"\r\nmixed\nline\r\nends\r\n",
    b"\r\na bare \r inside\r\n",
    b"\r\nthe last line has no end",
]


@cache
def letters() -> list[bytes]:
    """Return every message as a client would send it, without the final dot."""
    files = sorted(path for path in COLLECTIONS.rglob("*") if path.is_file()) if COLLECTIONS.is_dir() else []
    return [*generated(), *(wire_form(path.read_bytes()) for path in files)]


def generated() -> list[bytes]:
    """Return messages of every shape we know of, and damaged ones, the same in every run."""
    found = [b"", b"\r\n", b"no header, no line end", b".\r\n", _REPORT]
    chance = random.Random(5)
    for number, body in enumerate(_BODIES * 5):
        whole = _HEADER % number + body
        at = chance.randrange(len(whole))
        damaged = whole[:at] + chance.randbytes(chance.randrange(3)) + whole[at + chance.randrange(3) :]
        found.append(whole if number < len(_BODIES) else damaged)
    return found


def wire_form(stored: bytes) -> bytes:
    """Return a message from its file; where no line ends with CRLF, LF is the stored form of it."""
    return stored if b"\r\n" in stored else stored.replace(b"\n", b"\r\n")
