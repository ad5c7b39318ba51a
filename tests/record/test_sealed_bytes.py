"""What sealing makes of given entries, seeds and salts is the same to the byte, whoever makes it faster.

The digests hold for the zstandard that is pinned: another may compress otherwise, and `_made` then gives the new ones.
"""

from __future__ import annotations

from base64 import encodebytes
from hashlib import sha256

from muniment.record import line, packing
from muniment.record.entry import Capture, Channel, Direction, Entry, Kind, Retention, Stream
from muniment.record.seal import Seeds
from muniment.record.sealing import Place, seal_entry

WIRE = "ebc8ff213ef1edb313e9563a603d418d8d00ea5471fde963e8024ddb20b8039c"
IMPORTED = "0d345ef512356790130bc682464c3d092360be31d363f5e0ac61f7e72f3f6be6"

_WORDS = b"the register of Tuesday is attached please return it before Friday noon thank you all".split()


def _stream(seed: int, size: int) -> bytes:
    """Return bytes nobody can compress, the same at every run."""
    blocks = range(-(-size // 32))
    return b"".join(sha256(b"%d %d" % (seed, block)).digest() for block in blocks)[:size]


def _text(seed: int, lines: int, ending: bytes) -> bytes:
    """Return lines of common words."""
    picks = _stream(seed, 12 * lines)
    rows = [picks[at : at + 12] for at in range(0, len(picks), 12)]
    return b"".join(b" ".join(_WORDS[pick % len(_WORDS)] for pick in row) + ending for row in rows)


def _letter(seed: int, lines: int, ending: bytes = b"\r\n") -> bytes:
    head = (
        b"Received: from desk%d" % seed,
        b"From: Tomas Tutor <tomas@training.example>",
        b"To: someone@outside.example",
        b"Subject: Register %d" % seed,
        b"Message-ID: <%d@training.example>" % seed,
        b"",
    )
    return ending.join((*head, b"")) + _text(seed, lines, ending)


def _with_attachment(seed: int, size: int) -> bytes:
    head = _letter(seed, 0)[:-2] + b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % seed
    coded = encodebytes(_stream(seed, size)).replace(b"\n", b"\r\n")
    part = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + coded
    start = b"--b%d\r\nContent-Type: text/plain\r\n\r\n" % seed + _text(seed, 40, b"\r\n")
    return head + start + b"--b%d\r\n" % seed + part + b"--b%d--\r\n" % seed


def _entries() -> list[Entry]:
    whole = [
        _letter(1, 0),
        _letter(2, 3, b"\n"),
        _letter(3, 60),
        _letter(4, 400, b"\n"),
        _with_attachment(5, 900),
        _with_attachment(6, 90_000),
        b"\r\n6 BASE64 64 ASE64 base6 without a header",
        b"x" * 5_000,
        _stream(7, 3_000),
    ]
    made = [
        Entry(
            stream=Stream.MAIL_GATEWAY,
            channel=Channel.SMTP,
            retention=Retention.MAIL,
            capture=Capture.WIRE,
            direction=Direction.OUTBOUND,
            content=content,
            sent=content.replace(b"noon", b"evening") + b"A footer.\r\n" if number % 2 else None,
            meta=b"\x81\xa4from\xa5tomas" + content[:300],
            facts=b"\x81\xa7outcome\xa5allow",
            shielded="health" if number == 3 else "",
        )
        for number, content in enumerate(whole)
    ]
    plain = Entry(stream=Stream.HEALTH, kind=Kind.HEARTBEAT, plain=b'{"event":"running"}')
    fact = Entry(stream=Stream.MAIL_OUTCOME, kind=Kind.OUTCOME, retention=Retention.MAIL, facts=b"\x80")
    return [*made, plain, fact]


def _made(level: int) -> str:
    """Return the digest over all leaves and bodies."""
    total = sha256()
    for number, entry in enumerate(_entries()):
        seeds = Seeds(
            *(sha256(b"%s %d" % (name, number)).digest() for name in (b"meta", b"content", b"keeper"))
        )
        salt = sha256(b"salt %d" % number).digest()[:16]
        place = Place(7, number, 1_793_527_200_000 + number, 20_000, number + 1, sha256(b"policy").digest())
        told = line.Line(
            line.VERSION, entry.direction, len(entry.content), 0, False, salt[:12] * 2, salt, None, (), 0
        )
        for part in seal_entry(entry, place, seeds, told, salt, level):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def test_sealing_at_the_level_of_traffic_makes_the_same_bytes_as_ever() -> None:
    assert _made(packing.WIRE_LEVEL) == WIRE


def test_sealing_at_the_level_of_imports_makes_the_same_bytes_as_ever() -> None:
    assert _made(packing.IMPORT_LEVEL) == IMPORTED
