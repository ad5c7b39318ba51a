"""Invented mail of about 4 KB, the same in every run: common English words, no two messages alike."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.organisation import PARTICULARS, TUTOR

from muniment.guard.mail.direction import Door
from muniment.guard.mail.mail_entry import Envelope, message_entry
from muniment.guard.mail.verdict import judge
from muniment.record.entry import Direction, Entry

BODY_BYTES = 3_600
_WORDS = """
the of and to in we you for is that on it be this with are have at as your will not our from if was by can they or
all has please there would but one an which do out up so been no time me about when what their who could get any
some she he her his them other into more these just also now than only very after should let know back think need
week course learner group register session tutor office morning Monday Friday meeting form forms sent send copy list
before first report review date dates visit new start end next last year month day hours team staff centre room rooms
programme unit units evidence assessment attendance record records employer apprentice placement invoice order payment
contract agreement price budget account accounts change changes plan plans draft document documents attached below above
question questions answer call called phone letter number names address details information confirm confirmed agree
discuss arrange arranged book booked training safety policy insurance certificate complete completed progress support
help thank thanks regards hello dear kind soon later again today tomorrow yesterday between because however since until
during without another several every both each many few own same right left open closed early late small large good
better best possible available ready sure happy sorry hope look looking forward work working school college
students parents manager director board committee members service services system computer password printer laptop
network email website page file files folder sign signed signature quarter annual holiday leave travel train
""".split()  # noqa: SIM905
_ENDS = ("", "", "", "", "", "", "", "", ",", ",", ".", ".", "?")


def messages(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield `count` messages."""
    chance = random.Random(seed)
    weights = [1 / rank for rank in range(1, len(_WORDS) + 1)]
    text = [word + chance.choice(_ENDS) for word in chance.choices(_WORDS, weights, k=400_000)]
    for number in range(count):
        yield _message(chance, text, number)


def _message(chance: random.Random, text: list[str], number: int) -> bytes:
    at = chance.randrange(len(text) - 1_000)
    lines, size = [], 0
    while size < BODY_BYTES:
        line = " ".join(text[at : at + 12])
        lines.append(line)
        at, size = at + 12, size + len(line) + 2
    head = (
        f"Received: from desk{number % 50}.training.example by mail.training.example; "
        f"Wed, 25 Nov 2026 10:{number // 60 % 60:02}:{number % 60:02} +0000\r\n"
        f"From: {TUTOR.name.encode('ascii', 'replace').decode()} <{TUTOR.address}>\r\nTo: {recipient(number)}\r\n"
        f"Subject: {' '.join(lines[1].split()[:6])}\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\n"
        f"Message-ID: <{number}.{chance.getrandbits(64):x}@training.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n"
    )
    return (head + "\r\n" + "\r\n".join(lines) + "\r\n").encode()


def recipient(number: int) -> str:
    """Return the outside address message `number` goes to."""
    return f"someone{number % 200}@outside.example"


def outbound_entry(content: bytes, number: int) -> Entry:
    """Return the entry the gateway makes of a message that leaves: judged, stamped with the particulars, both faces."""
    envelope = Envelope(
        door=Door.INSIDE,
        mail_from=TUTOR.address,
        rcpt_to=(recipient(number),),
        client_host="127.0.0.1",
        client_port=40_000,
        helo="desk.training.example",
        is_tls=True,
        hop="127.0.0.1:2580",
    )
    verdict = judge(Direction.OUTBOUND, content, PARTICULARS, "0" * 64)
    return message_entry(envelope, Direction.OUTBOUND, content, verdict.to_send, verdict.decision)
