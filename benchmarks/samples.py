"""Invented mail of about 4 KB, the same in every run: prose of short words, no two messages alike."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.organisation import PARTICULARS, TUTOR

from muniment.guard.mail.direction import Door
from muniment.guard.mail.mail_entry import Envelope, message_entry
from muniment.guard.mail.verdict import judge
from muniment.record.entry import Direction, Entry

BODY_BYTES = 3_600
_ONSETS, _VOWELS, _CODAS = "bcdfghlmnprstw", "aeiou", "dglmnprst"


def messages(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield `count` messages."""
    chance = random.Random(seed)
    words = [_word(chance) for _ in range(4_000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    text = chance.choices(words, weights, k=200_000)
    for number in range(count):
        yield _message(chance, text, number)


def _word(chance: random.Random) -> str:
    parts = [
        chance.choice(_ONSETS) + chance.choice(_VOWELS) for _ in range(chance.choice((1, 1, 1, 2, 2, 3)))
    ]
    return "".join(parts) + chance.choice(_CODAS)


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
