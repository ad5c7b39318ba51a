"""Mail of real size in any number: the real messages at hand, then again with other ids and their lines shuffled.

No two are alike, so that nothing is folded, stored once or found by the same phrase.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.samples import messages as invented
from muniment.observe.headers import facts_of
from muniment.record.entry import Capture, Channel, Direction, Entry, Retention, Stream

WATCHED = "tomas@training.example"
_ID = re.compile(rb"^message-id[ \t]*:[^\n]*\n", re.IGNORECASE | re.MULTILINE)
_LEFT_OUT = "fixtures"  # trials of parsers, no mail anybody wrote


def real_mail(folder: Path | None, count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield `count` messages made from the real ones below `folder`, or invented ones without it."""
    if folder is None:
        yield from invented(count, seed)
        return
    found = sorted(path for path in folder.rglob("*") if path.is_file() and _LEFT_OUT not in path.parts)
    originals = [path.read_bytes() for path in found]
    chance = random.Random(seed)
    for number in range(count):
        yield _another(originals[number % len(originals)], number, chance)


def _another(raw: bytes, number: int, chance: random.Random) -> bytes:
    head, gap, body = raw.partition(b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n")
    own = b"Message-ID: <%d.%x@bench.example>\n" % (number, chance.getrandbits(64))
    head = own + _ID.sub(b"", head + b"\n").rstrip(b"\n")
    if b"multipart" not in head.lower() and b"base64" not in head.lower():
        lines = body.splitlines(keepends=True)
        chance.shuffle(lines)
        body = b"".join(lines)
    return head + gap + body


def gateway_entry(content: bytes, number: int) -> Entry:
    """Return the entry of a message from the watched person to one of 200 outside."""
    recipient = f"someone{number % 200}@outside.example"
    facts = facts_of(content)
    hidden = [recipient] if number % 20 == 0 else []  # one in twenty has a recipient whom no header names
    sender = next(iter(facts.senders), "")
    meta = {
        "format": 1,
        "mail_from": sender,
        "rcpt_to": [*facts.recipients, *hidden],
        "headers": facts.values,
    }
    return Entry(
        stream=Stream.MAIL_GATEWAY,
        channel=Channel.SMTP,
        retention=Retention.MAIL,
        capture=Capture.WIRE,
        direction=Direction.OUTBOUND,
        addresses=(WATCHED, recipient),
        content=content,
        meta=msgspec.msgpack.encode(meta),
        facts=b"\x81\xa7outcome\xa5allow",
    )
